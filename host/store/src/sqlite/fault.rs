//! What `SQLite` says, as what a caller can act on.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::StoreError;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Engine(#[from] rusqlite::Error),
    #[error("a stored form is not readable: {0}")]
    Form(#[from] serde_json::Error),
    #[error("a stored value is impossible: {0}")]
    Value(&'static str),
    /// The command is wrong, and others beside it are not.
    #[error(transparent)]
    Refused(#[from] StoreError),
}

impl Fault {
    /// Whether what was written may not be on the disk although a later sync succeeds.
    pub(super) fn is_disk_failure(&self) -> bool {
        let code = match self {
            Self::Engine(error) => error.sqlite_error().map(|error| error.extended_code),
            Self::Form(_) | Self::Value(_) | Self::Refused(_) => None,
        };
        matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
    }

    pub(super) fn into_error(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Form(_) | Self::Value(_) => StoreError::Damaged { path, found: self.to_string() },
            Self::Engine(error) => {
                let found = error.to_string();
                match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(path),
                    Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(path),
                    Some(ErrorCode::DiskFull) => StoreError::Full(path),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                        StoreError::Damaged { path, found }
                    }
                    Some(ErrorCode::CannotOpen) => StoreError::CannotOpen { path, found },
                    Some(ErrorCode::SystemIoFailure) => io_failure(&error, path, found),
                    Some(_) | None => StoreError::Unexpected { path, found },
                }
            }
        }
    }
}

/// The shared memory beside the file cannot grow on a full disk, and a short read is a truncated file.
fn io_failure(error: &rusqlite::Error, path: std::path::PathBuf, found: String) -> StoreError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_IOERR_SHMSIZE) => StoreError::Full(path),
        Some(ffi::SQLITE_IOERR_SHORT_READ) => StoreError::Damaged { path, found },
        Some(_) | None => StoreError::DiskFailed { path, found },
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn every_code_becomes_a_sentence() {
        let said = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            Fault::from(error).into_error(Path::new("/var/lib/sandbell/outbox.db")).to_string()
        };
        assert_snapshot!(said(ffi::SQLITE_BUSY), @"`/var/lib/sandbell/outbox.db` is locked by another program; stop it, or close its transaction, and try again");
        assert_snapshot!(said(ffi::SQLITE_READONLY), @"`/var/lib/sandbell/outbox.db` cannot be written; give this user the right to write the file and its folder");
        assert_snapshot!(said(ffi::SQLITE_FULL), @"there is no space left for `/var/lib/sandbell/outbox.db`; free some, or raise the limit; nothing more is kept until then");
        assert_snapshot!(said(ffi::SQLITE_IOERR_SHMSIZE), @"there is no space left for `/var/lib/sandbell/outbox.db`; free some, or raise the limit; nothing more is kept until then");
        assert_snapshot!(said(ffi::SQLITE_CORRUPT), @"`/var/lib/sandbell/outbox.db` is damaged (Error code 11: database disk image is malformed); restore a backup, or move the file away to start with an empty one");
        assert_snapshot!(said(ffi::SQLITE_NOTADB), @"`/var/lib/sandbell/outbox.db` is damaged (Error code 26: file is not a database); restore a backup, or move the file away to start with an empty one");
        assert_snapshot!(said(ffi::SQLITE_CANTOPEN), @"`/var/lib/sandbell/outbox.db` cannot be opened (Error code 14: unable to open database file); its folder must exist and be writable for this user");
        assert_snapshot!(said(ffi::SQLITE_IOERR_FSYNC), @"the disk under `/var/lib/sandbell/outbox.db` failed (Error code 1034: disk I/O error); what was answered is safe, nothing more is taken until a restart");
        assert_snapshot!(said(ffi::SQLITE_MISUSE), @"`/var/lib/sandbell/outbox.db` answered what nobody expects: Error code 21: bad parameter or other API misuse");
    }

    #[test]
    fn only_a_failed_sync_is_the_end() {
        let check = |code, want| {
            let fault = Fault::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!(fault.is_disk_failure(), want, "{code}");
        };
        check(ffi::SQLITE_IOERR_FSYNC, true);
        check(ffi::SQLITE_IOERR_DIR_FSYNC, true);
        check(ffi::SQLITE_FULL, false);
        check(ffi::SQLITE_IOERR_WRITE, false);
        check(ffi::SQLITE_BUSY, false);
    }
}
