//! What can be typed after `sandbell backup`, `restore`, `db` and `secret rotate-key`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::super::args::SettingsFile;

/// Copy the database, while the daemon runs or not
///
/// The copy is the database as it was at one moment. Its secrets are sealed: the key is not in it and must be kept
/// elsewhere. Plugins and approvals are files of the state directory and are not in it either.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(super) settings: SettingsFile,
    /// Where to; nothing may be there
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
}

/// Go back to a backup; the daemon must not run
///
/// What was accepted since is lost, and what was delivered since is delivered again. The database that is replaced is
/// kept beside it.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(super) settings: SettingsFile,
    /// A backup
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

/// Look after the database
#[derive(Args, Debug)]
pub(crate) struct Database {
    #[command(flatten)]
    pub(super) settings: SettingsFile,
    #[command(subcommand)]
    pub(super) verb: DatabaseVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum DatabaseVerb {
    /// Read all of it and say what is wrong; changes nothing
    Check {
        /// Another file, e.g. a backup
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

/// Make a new key and seal every secret with it; the daemon must not run
///
/// The old keys stay in the key file, after the new one, so that older backups can be opened. Where the key comes from
/// systemd or from the environment, nothing is made: put the new key in front of the old one there, and run this.
#[derive(Args, Debug)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    pub(super) settings: SettingsFile,
    /// Remove the old keys once nothing is sealed with them; older backups cannot be opened any more
    #[arg(long)]
    pub(super) drop_old: bool,
}
