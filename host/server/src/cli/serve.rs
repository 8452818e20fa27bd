//! `sandbell serve`: a host that keeps what it accepts until it is delivered.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::args;
use super::exit::Exit;
use super::problem::Problem;
use super::run::{Context, Done};
use crate::config::{self, LoadError, Overrides, Settings};
use crate::serve::{Serve, ServeError};
use crate::vault::{KeySources, VaultError};

/// Where the settings are if nobody says, and if they are there.
const SYSTEM_FILE: &str = "/etc/sandbell/sandbell.toml";

pub(super) fn run(context: &Context, args: args::Serve) -> Done {
    let args::Serve { settings, key_file, api, ops } = args;
    let mut overrides = Overrides::default();
    let given = [
        ("keys", "file", key_file.map(|file| file.display().to_string())),
        ("listen", "api", api),
        ("listen", "ops", ops),
    ];
    for (section, key, value) in given {
        overrides.from_flags.extend(value.map(|value| (section, key, value)));
    }
    let file = file(&settings);
    let serve = Serve {
        config: context.app.config.clone(),
        load: Box::new(move || config::load(file.as_deref(), config::variable, &overrides)),
        keys: KeySources {
            credentials_dir: config::variable("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            text: config::variable("SANDBELL_KEY").map(SecretString::from),
            ..KeySources::default()
        },
        has_journal: config::variable("JOURNAL_STREAM").is_some(),
    };
    serve.run()?;
    Ok(Exit::Ok)
}

/// The file that was named, in the environment or on the command line, or the system's.
pub(super) fn file(args: &args::SettingsFile) -> Option<PathBuf> {
    let system = || Some(PathBuf::from(SYSTEM_FILE)).filter(|path| Path::exists(path));
    args.config.clone().or_else(system)
}

/// The settings as they are, for those who look.
pub(super) fn settings(args: &args::SettingsFile) -> Result<Settings, LoadError> {
    config::load(file(args).as_deref(), config::variable, &Overrides::default())
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        let exit = match &error {
            LoadError::Read { error, .. } if error.kind() == std::io::ErrorKind::NotFound => Exit::NotFound,
            LoadError::Read { .. }
            | LoadError::Large(_)
            | LoadError::At(_)
            | LoadError::Override { .. }
            | LoadError::HalfTls
            | LoadError::AllReserved => Exit::Failed,
        };
        Self::new(exit, "configuration", error.to_string())
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Self::new(Exit::Failed, "keys", error.to_string())
    }
}

impl From<ServeError> for Problem {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Settings(error) => error.into(),
            ServeError::State(error) => error.into(),
            ServeError::Engine(error) => error.into(),
            ServeError::Vault(error) => error.into(),
            ServeError::Lock(error) => Self::new(Exit::Conflict, "serving", error.to_string()),
            ServeError::Store(error) => Self::new(Exit::Failed, "store", error.to_string()),
            ServeError::Listen(error) => Self::new(Exit::Failed, "listen", error.to_string()),
            ServeError::Tls(error) => Self::new(Exit::Failed, "tls_file", error.to_string()),
            ServeError::Filter(error) => Self::new(Exit::Failed, "configuration", error.to_string()),
            ServeError::Signals(_) => Self::new(Exit::Failed, "signals", error.to_string()),
        }
    }
}
