//! A state directory and what `sandbell.toml` says of it, opened by this process instead of a daemon.

use std::path::{Path, PathBuf};

use sandbell_store::{Depth, check_file};
use secrecy::SecretString;
use tokio::runtime::{self, Runtime};

use super::super::args::SettingsFile;
use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::run::Context;
use super::super::serve;
use crate::config::{self, Settings};
use crate::install::State;
use crate::serve::ServeLock;
use crate::store::Store;
use crate::vault::{KeyOrigin, KeySources, Vault};

/// What a host keeps, without the host.
pub(in crate::cli) struct Local {
    pub(in crate::cli) state: State,
    pub(in crate::cli) settings: Settings,
}

impl Local {
    pub(in crate::cli) fn open(context: &Context, file: &SettingsFile) -> Result<Self, Problem> {
        Ok(Self { state: context.app.state()?, settings: serve::settings(file)? })
    }

    pub(in crate::cli) fn database(&self) -> PathBuf {
        self.state.dir().join(&self.settings.store.path)
    }

    /// The database, if there is one.
    pub(in crate::cli) fn existing_database(&self) -> Result<PathBuf, Problem> {
        let path = self.database();
        if path.exists() {
            return Ok(path);
        }
        let what = format!("there is no database `{}`", path.display());
        Err(Problem::new(Exit::NotFound, "no_database", what).hint("`sandbell serve` makes it"))
    }

    /// Holds off every daemon of this directory, or says that one runs.
    pub(in crate::cli) fn lock(&self) -> Result<ServeLock, Problem> {
        ServeLock::take(self.state.dir()).map_err(|error| {
            Problem::new(Exit::Conflict, "serving", error.to_string())
                .hint("`systemctl stop sandbell` stops the installed one")
        })
    }

    /// Where the daemon would look for its keys.
    pub(in crate::cli) fn key_sources(&self) -> KeySources {
        KeySources {
            file: self.settings.keys.file.clone(),
            credentials_dir: config::variable("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            text: config::variable("SANDBELL_KEY").map(SecretString::from),
            state_dir: self.state.dir().to_owned(),
        }
    }

    pub(in crate::cli) fn vault(&self) -> Result<(Vault, KeyOrigin), Problem> {
        Ok(Vault::open(&self.key_sources(), false)?)
    }

    pub(in crate::cli) fn store(&self) -> Result<Store, Problem> {
        let mut settings = sandbell_store::Settings::new(self.existing_database()?);
        settings.file_bytes_max = self.settings.store.file_bytes_max;
        Ok(Store::open(settings)?)
    }
}

/// What is wrong with a database file, in words.
pub(in crate::cli) fn checked(path: &Path, depth: Depth) -> Result<Vec<String>, Problem> {
    if !path.exists() {
        let what = format!("there is no file `{}`", path.display());
        return Err(Problem::new(Exit::NotFound, "no_database", what));
    }
    Ok(check_file(path, depth)?)
}

/// For what the store does in its own time.
pub(in crate::cli) fn runtime() -> Result<Runtime, Problem> {
    runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Problem::new(Exit::Failed, "runtime", "the runtime cannot start").because(error.to_string())
    })
}
