//! One serving host for each state directory: two would try the same deliveries and hide each other's changes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process;

const LOCK: &str = "serve.lock";

/// Held while this process serves; it ends with the process, however that ends.
pub(crate) struct ServeLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error(
        "another sandbell serves `{}`{holder}; stop it first, or give this one a state directory of its own", dir.display()
    )]
    Taken { dir: PathBuf, holder: String },
    #[error("cannot lock `{}`: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl ServeLock {
    pub(crate) fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK);
        let failed = |error| LockError::Io { path: path.clone(), error };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Taken { dir: dir.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let note = format!("{}\n", process::id());
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        file.write_all(note.as_bytes()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// ` as process 123`, if that can be told.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text);
    text.trim().parse::<u32>().map_or(String::new(), |pid| format!(" as process {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = ServeLock::take(dir.path()).unwrap();
        let error = ServeLock::take(dir.path()).map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "another sandbell serves `{}` as process {}; stop it first, or give this one a state directory of its own",
                dir.path().display(),
                process::id()
            )
        );
        drop(first);
        ServeLock::take(dir.path()).unwrap();
    }
}
