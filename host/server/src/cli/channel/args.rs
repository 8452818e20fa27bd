//! What can be typed after `sandbell channel`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use sandbell_domain::{Name, Severity};

use super::super::pair::Pair;
use super::super::remote::Remote;
use crate::install::PluginName;

/// Configure channels, try them, and see how they fare
#[derive(Args, Debug)]
pub(crate) struct Channel {
    #[command(flatten)]
    pub(super) remote: Remote,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the channels and how they fare
    List,
    /// Show everything about a channel but its secrets
    Show {
        /// The channel
        name: Name,
    },
    Create(Create),
    Set(Set),
    /// Give options back to their defaults, or remove secrets
    Unset {
        /// The channel
        name: Name,
        /// Options of its plugin
        #[arg(required = true, value_name = "OPTION")]
        options: Vec<String>,
    },
    /// Send a test notification now
    Test(Trial),
    /// Show exactly what a test notification would send, and send nothing
    Preview(Trial),
    /// Let a channel deliver again
    Enable {
        /// The channel
        name: Name,
    },
    /// Let a channel deliver nothing; its deliveries wait
    Disable {
        /// The channel
        name: Name,
        /// Why, for whoever wonders
        #[arg(long)]
        reason: Option<String>,
    },
    /// Delete a channel that has no open deliveries
    Delete {
        /// The channel
        name: Name,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Print channels as files for `apply`, or write them
    Export {
        /// Which; all if absent
        #[arg(value_name = "NAME")]
        names: Vec<Name>,
        /// Write `NAME.toml` into this directory
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    Apply(Apply),
    Diff(Diff),
}

/// Make a channel of a plugin
///
/// The daemon checks the settings with the plugin before it saves them.
#[derive(Args, Debug)]
pub(super) struct Create {
    /// What the plugin is called on the host
    pub(super) plugin: PluginName,
    /// What the channel shall be called
    pub(super) name: Name,
    /// An option of the plugin; given twice, it has two values
    #[arg(long, value_name = "OPTION=VALUE")]
    pub(super) set: Vec<Pair>,
    /// An option whose value is in a file, as it is there but for one final newline; secrets too
    #[arg(long, value_name = "OPTION=FILE")]
    pub(super) set_file: Vec<Pair>,
    /// A secret that is asked for; without a terminal it is read from stdin
    #[arg(long, value_name = "OPTION")]
    pub(super) secret: Vec<String>,
    /// How deliveries are tried, e.g. `retry.attempts_max=5` or `is_ordered=true`
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) policy: Vec<Pair>,
    /// Save it disabled
    #[arg(long)]
    pub(super) disabled: bool,
}

/// Change options of a channel
///
/// The daemon checks the settings with the plugin before it saves them. The previous revision is kept.
#[derive(Args, Debug)]
pub(super) struct Set {
    /// The channel
    pub(super) name: Name,
    /// An option of its plugin; given twice, it has two values
    #[arg(value_name = "OPTION=VALUE")]
    pub(super) options: Vec<Pair>,
    /// An option whose value is in a file, as it is there but for one final newline; secrets too
    #[arg(long = "set-file", value_name = "OPTION=FILE")]
    pub(super) files: Vec<Pair>,
    /// How deliveries are tried, e.g. `retry.attempts_max=5` or `is_ordered=true`
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) policy: Vec<Pair>,
}

#[derive(Args, Debug)]
pub(super) struct Trial {
    /// The channel
    pub(super) name: Name,
    /// To whom, e.g. `email:jane@example.com`
    #[arg(long, value_name = "KIND:ADDRESS")]
    pub(super) to: Vec<String>,
    /// What it says
    #[arg(long)]
    pub(super) message: Option<String>,
    /// How bad it is: ok, debug, info, notice, warning, err, crit, alert, emerg
    #[arg(long, value_parser = severity)]
    pub(super) severity: Option<Severity>,
}

/// Make the channels what the files of a directory say
///
/// Each `*.toml` is one channel, named after its file. What would change is shown first; then it is asked for. A
/// secret is named by the file that holds it; it is set again when that file is newer than what was set.
#[derive(Args, Debug)]
pub(super) struct Apply {
    #[command(flatten)]
    pub(super) files: Files,
    /// Show what would change and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

/// Show how the channels differ from the files of a directory
#[derive(Args, Debug)]
pub(super) struct Diff {
    #[command(flatten)]
    pub(super) files: Files,
    /// Exit with 5 if there is a difference
    #[arg(long)]
    pub(super) exit_code: bool,
}

#[derive(Args, Debug)]
pub(super) struct Files {
    /// The directory, or one file
    #[arg(short, long = "files", value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(super) from: PathBuf,
    /// Also delete channels that no file describes
    #[arg(long)]
    pub(super) prune: bool,
    /// Set all secrets again, whatever the age of their files
    #[arg(long)]
    pub(super) secrets: bool,
}

/// A severity as the API spells it.
pub(in crate::cli) fn severity(text: &str) -> Result<Severity, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "write ok, debug, info, notice, warning, err, crit, alert or emerg".to_owned())
}
