//! The state directory: one owner, private, with a lock for those who write.
//!
//! ```text
//! lock                          whoever writes plugins and approvals, one at a time
//! serve.lock                    the serving host, while it lives
//! sandbell.db                   the serving host's store
//! sandbell.key                  what its secrets are sealed with, if it was given no other key
//! run/api.sock                  where it is reached
//! run/icinga.sock               where linked channels reach it
//! plugins/NAME/plugin.json      which component goes by this name
//! plugins/NAME/approval.json    the operator's yes
//! components/HEX.wasm           bytes by digest
//! components/HEX.json           what they said of themselves
//! icinga/PLUGIN/LINK            links to this program; a channels directory links to these
//! icinga/PLUGIN/LINK.connect    which serving host does the link's work, if one does
//! cache/                        compiled artefacts, the sandbox's own
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{PluginName, files, user_name};

/// How long a writer waits for another.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How often a waiting writer looks again.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// Where this host keeps what is installed.
#[derive(Clone, Debug)]
pub(crate) struct State {
    dir: PathBuf,
}

/// Held while something is written; the lock ends with it, also when the process dies.
pub(super) struct WriteLock {
    _file: File,
}

/// What is wrong with the state directory or with a file in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("nothing is installed: there is no directory `{0}`")]
    Absent(PathBuf),
    #[error(
        "the state directory `{dir}` belongs to {owner}; run this as that user: `sudo -u {owner} sandbell …`"
    )]
    Owner { dir: PathBuf, owner: String },
    #[error("the state directory `{0}` is open to other users; run `chmod 700 {0}`")]
    Open(PathBuf),
    #[error("`{0}` is no directory; set SANDBELL_STATE to one")]
    NoDirectory(PathBuf),
    #[error("cannot {action} `{path}`: {error}")]
    Io { action: &'static str, path: PathBuf, error: io::Error },
    #[error("another sandbell has been writing to `{dir}` for {} s; wait for it to end", LOCK_WAIT.as_secs())]
    Locked { dir: PathBuf },
    #[error("`{path}` cannot be understood: {reason}; install and approve the plugin again")]
    Broken { path: PathBuf, reason: String },
    #[error("`{path}` has the form {version}, which a newer sandbell wrote; use that one")]
    Newer { path: PathBuf, version: u32 },
    #[error("no plugin `{0}` is installed")]
    NotInstalled(PluginName),
    #[error("`{0}` does not hold the bytes that it is named after; install the plugin again")]
    Tampered(PathBuf),
}

impl StateError {
    pub(super) fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), error }
    }
}

impl State {
    /// Opens a state directory that must exist and be this user's own.
    pub(crate) fn open(dir: &Path) -> Result<Self, StateError> {
        let metadata = match fs::metadata(dir) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StateError::Absent(dir.to_owned()));
            }
            Err(error) => return Err(StateError::io("look at", dir, error)),
        };
        if !metadata.is_dir() {
            return Err(StateError::NoDirectory(dir.to_owned()));
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(StateError::Owner { dir: dir.to_owned(), owner: user_name(metadata.uid()) });
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(StateError::Open(dir.to_owned()));
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// As [`State::open`], but makes what is missing.
    pub(crate) fn open_or_create(dir: &Path) -> Result<Self, StateError> {
        if !dir.exists() {
            files::make_dir(dir).map_err(|error| StateError::io("make", dir, error))?;
        }
        let state = Self::open(dir)?;
        for part in state.parts() {
            files::make_dir(&part).map_err(|error| StateError::io("make", &part, error))?;
        }
        Ok(state)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directories in it that must be there.
    pub(crate) fn parts(&self) -> [PathBuf; 3] {
        [self.plugins_dir(), self.components_dir(), self.cache_dir()]
    }

    /// Handed to the sandbox, which alone knows what is in it.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.dir.join("cache")
    }

    /// Where the links of a plugin are; made if it is missing.
    pub(crate) fn icinga_dir(&self, plugin: &PluginName) -> io::Result<PathBuf> {
        let dir = self.dir.join("icinga").join(plugin.as_str());
        files::make_dir(&dir)?;
        Ok(dir)
    }

    pub(super) fn plugins_dir(&self) -> PathBuf {
        self.dir.join("plugins")
    }

    pub(super) fn components_dir(&self) -> PathBuf {
        self.dir.join("components")
    }

    pub(super) fn lock(&self) -> Result<WriteLock, StateError> {
        self.lock_within(LOCK_WAIT)
    }

    fn lock_within(&self, wait: Duration) -> Result<WriteLock, StateError> {
        let path = self.dir.join("lock");
        let failed = |error| StateError::io("lock", &path, error);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let end = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(WriteLock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(StateError::Locked { dir: self.dir.clone() }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_state_directory_is_private_and_stays_so() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/state");
        assert!(matches!(State::open(&dir), Err(StateError::Absent(_))));
        let state = State::open_or_create(&dir).unwrap();
        for dir in [state.dir(), &state.plugins_dir(), &state.components_dir(), &state.cache_dir()] {
            assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).unwrap();
        let error = State::open(&dir).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("is open to other users; run `chmod 700 {}`", dir.display())),
            "{error}"
        );
    }

    #[test]
    fn a_directory_of_another_user_is_refused_with_the_way_out() {
        let own = tempfile::tempdir().unwrap();
        let foreign = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(own.path(), Some(12_345), None).unwrap();
            own.path()
        } else {
            Path::new("/")
        };
        assert!(matches!(State::open(foreign), Err(StateError::Owner { .. })));
        let error = StateError::Owner { dir: "/var/lib/sandbell".into(), owner: "icinga".to_owned() };
        assert_eq!(
            error.to_string(),
            "the state directory `/var/lib/sandbell` belongs to icinga; run this as that user: `sudo -u icinga sandbell …`"
        );
    }

    #[test]
    fn two_writers_take_turns_and_no_one_waits_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&dir.path().join("state")).unwrap();
        let first = state.lock().unwrap();
        assert!(matches!(state.lock_within(Duration::from_millis(50)), Err(StateError::Locked { .. })));
        drop(first);
        state.lock().unwrap();
    }
}
