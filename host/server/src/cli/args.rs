//! What can be typed.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use sandbell_domain::NetworkRule;
use url::Url;

use super::audit::Audit;
use super::channel::Channel;
use super::data::{Backup, Database, Restore};
use super::delivery::Delivery;
use super::doctor::Doctor;
use super::exit::Exit;
use super::notify::Notify;
use super::secret::Secret;
use super::status::Status;
use super::tenant::Tenant;
use super::token::Token;
use crate::doors::icinga::{ConnectTo, LinkName};
use crate::install::PluginName;

/// Hosts notification channels that are WebAssembly components.
///
/// A plugin is installed from a file, an operator approves what it wants, and from then on it delivers notifications:
/// through this command line or as a channel of Icinga Notifications.
#[derive(Debug, Parser)]
#[command(name = "sandbell", version, after_long_help = Exit::table(), max_term_width = 100)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Print JSON on stdout, errors included
    #[arg(long, global = true)]
    json: bool,
    /// How results are printed
    #[arg(short, long, global = true, value_name = "FORM", conflicts_with = "json")]
    output: Option<Form>,
    /// Log more to stderr; twice for debugging
    #[arg(short, global = true, action = ArgAction::Count)]
    pub(crate) v: u8,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// As `--json`
    Json,
}

impl Global {
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.output == Some(Form::Json)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Serve(Serve),
    /// Look at what `sandbell.toml` can say and says
    #[command(subcommand)]
    Config(Configuration),
    Status(Status),
    Doctor(Doctor),
    /// Show what a component is, what it can be set to and what it wants
    Inspect(Inspect),
    /// Install plugins and approve what they want
    #[command(subcommand)]
    Plugin(Plugin),
    Channel(Channel),
    Secret(Secret),
    Notify(Notify),
    Delivery(Delivery),
    Send(Send),
    Tenant(Tenant),
    Token(Token),
    Audit(Audit),
    Backup(Backup),
    Restore(Restore),
    Db(Database),
    /// Serve Icinga Notifications
    #[command(subcommand)]
    Icinga(Icinga),
    /// Print a completion script for a shell
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// Made if it is missing
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Write what is generated from this command line: completions, manual pages and the reference
    #[command(hide = true)]
    Codegen {
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The component, e.g. `slack.wasm`
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Install a component under a name
    Install(Install),
    Approve(Approve),
    /// List what is installed
    List,
    /// Show everything about an installed plugin
    Show {
        /// What it is called on this host
        name: PluginName,
    },
    /// Remove a plugin and its approval
    Remove {
        /// What it is called on this host
        name: PluginName,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Install {
    /// The component, e.g. `slack.wasm`
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// What it is called on this host; the file's name if absent
    #[arg(long)]
    pub(crate) name: Option<PluginName>,
}

/// Show what a plugin wants and allow it
///
/// The approval is for exactly the component that is installed. What an earlier approval of this name allowed is
/// taken over, shown, and asked for again; networks and targets given here come on top of it.
#[derive(Args, Debug)]
pub(crate) struct Approve {
    /// What it is called on this host
    pub(crate) name: PluginName,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Take nothing over from an earlier approval
    #[arg(long)]
    pub(crate) reset: bool,
    /// A private network that may be reached, e.g. `10.20.0.0/16:443` or `127.0.0.1`
    #[arg(long, value_name = "NET")]
    pub(crate) network: Vec<NetworkRule>,
    /// A target beyond the wants, e.g. `http POST https://*.example.com/*`
    #[arg(long, value_name = "TARGET")]
    pub(crate) allow: Vec<String>,
    /// PEM certificates that are trusted instead of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM certificate chain for servers that ask for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_key_file")]
    pub(crate) client_certificate_file: Option<PathBuf>,
    /// PEM key of the client certificate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_certificate_file")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// Proxy for http, e.g. `http://proxy.example.com:3128`; the environment's is never used
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<Url>,
}

/// Deliver one notification now
///
/// The configuration is a JSON object (or TOML, if the file's name ends in `.toml`) of the plugin's options. The
/// notification is either the params of Icinga's `SendNotification`, with or without the request around them, or, with
/// `"version": 1`, in Sandbell's own words.
#[derive(Args, Debug)]
pub(crate) struct Send {
    /// What the plugin is called on this host
    pub(crate) plugin: PluginName,
    /// The options of the plugin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: PathBuf,
    /// The notification, `-` for stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) notification: PathBuf,
    /// Show what was sent and what was answered, with secrets masked
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Show exactly what would be sent, with secrets masked, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Accept notifications, keep them, and deliver them
///
/// Runs until it is told to stop: SIGTERM and SIGINT take nothing more in and wait for what is in flight, a second one
/// ends at once. SIGHUP reads the configuration again and takes all of it or nothing.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
    /// Keys of secrets, one per line; only its owner may read it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// Where the API listens, e.g. `127.0.0.1:8601`, or `off`
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) api: Option<String>,
    /// Where /livez, /readyz and /metrics are, e.g. `127.0.0.1:9601`, or `off`
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ops: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SettingsFile {
    /// The settings; without it `/etc/sandbell/sandbell.toml`, if there is one
    #[arg(long, value_name = "FILE", env = "SANDBELL_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Configuration {
    /// Print a file that changes nothing, with every key and its reason
    Default,
    /// Read the file, the environment and nothing else, and say what is wrong
    Check(SettingsFile),
    /// Print the JSON schema of the file
    Schema,
    /// Print the settings as they are, environment included
    Show(SettingsFile),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Icinga {
    Link(Link),
}

/// Make a plugin a channel type of the daemon
///
/// Puts a link into the daemon's channels directory, starts it as the daemon does and checks that it answers.
#[derive(Args, Debug)]
pub(crate) struct Link {
    /// What the plugin is called on this host
    pub(crate) plugin: PluginName,
    /// The daemon's channels directory
    #[arg(long, value_name = "CHANNELS_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// What the daemon calls this type; the plugin's name if absent
    #[arg(long)]
    pub(crate) name: Option<LinkName>,
    /// Let a link that leads to another plugin lead to this one
    #[arg(long)]
    pub(crate) replace: bool,
    /// Let a serving host keep and deliver what the daemon sends; by default that of this state directory
    ///
    /// The socket is the `icinga_socket` of the host's configuration. Without this the link's own process delivers, once,
    /// and tells the daemon how it went.
    #[arg(long, value_name = "unix:/SOCKET", num_args = 0..=1, require_equals = true, default_missing_value = "own")]
    pub(crate) connect: Option<ConnectTo>,
}
