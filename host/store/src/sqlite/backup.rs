//! Copies of the file: made while it is in use, and put in its place when nobody uses it.
//!
//! `VACUUM INTO` and not the backup interface: it is one statement in one snapshot, so that a writer neither waits for it
//! nor makes it begin anew, and what was deleted is not in the copy.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::check::{Depth, check_file};
use super::fault::Fault;
use super::open::open_to_look;
use crate::StoreError;

/// How long a program that only looks waits for another.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Copies a store that any program may have open into a new file, as [`SqliteStore::backup`](super::SqliteStore::backup).
pub fn backup_file(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let connection = open_to_look(from, LOCK_WAIT)?;
    backup(&connection, to).map_err(|fault| fault.into_error(from))
}

/// Puts a copy of the store `from` in the place of `to`, whatever was there, once it is whole and on the disk; returns its
/// size in bytes. A crash leaves the one or the other.
///
/// Refused with [`StoreError::Locked`] while a program has `to` open, and with [`StoreError::Damaged`] if `from` is not whole.
pub fn restore_file(from: &Path, to: &Path) -> Result<u64, StoreError> {
    if let Some(found) = check_file(from, Depth::Whole)?.into_iter().next() {
        return Err(StoreError::Damaged { path: from.to_owned(), found });
    }
    let connection = open_to_look(from, LOCK_WAIT)?;
    end_log(to)?;
    make(&connection, to).map_err(|fault| fault.into_error(from))
}

/// Folds the log of a file into it, and so finds out whether another program has it open. The log of a damaged file goes:
/// it must not be read into the one that comes in its place.
fn end_log(to: &Path) -> Result<(), StoreError> {
    let fold = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(to, flags)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
    };
    let log = beside(to, "-wal");
    match fold() {
        // Who is the last to close a file takes its log away.
        Ok(()) if log.exists() => return Err(StoreError::Locked(to.to_owned())),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            return Err(StoreError::Locked(to.to_owned()));
        }
        // Not there, or not to be saved.
        Ok(()) | Err(_) => {}
    }
    for left in [log, beside(to, "-shm")] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::NoBackup { path: left, found: error.to_string() });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Makes `to`, which is whole and on the disk when this returns; returns its size in bytes. Only its owner can read it.
/// Nothing that is there already is replaced.
pub(super) fn backup(connection: &Connection, to: &Path) -> Result<u64, Fault> {
    if fs::symlink_metadata(to).is_ok() {
        let found = "there is something already".to_owned();
        return Err(Fault::Refused(StoreError::NoBackup { path: to.to_owned(), found }));
    }
    make(connection, to)
}

/// The copy is written under another name beside its own, which it gets at last.
fn make(connection: &Connection, to: &Path) -> Result<u64, Fault> {
    let refused = |found: String| Fault::Refused(StoreError::NoBackup { path: to.to_owned(), found });
    let part = beside(to, ".part");
    // Made here and not by SQLite, for whom it would be readable by everybody.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    drop(file.map_err(|error| refused(format!("`{}`: {error}", part.display())))?);
    let made =
        copy(connection, &part).and_then(|()| keep(&part, to).map_err(|error| refused(error.to_string())));
    if made.is_err() {
        drop(fs::remove_file(&part));
    }
    made.map_err(|fault| match fault {
        Fault::Engine(error) if !is_ours(&error) => refused(error.to_string()),
        fault @ (Fault::Engine(_) | Fault::Form(_) | Fault::Value(_) | Fault::Refused(_)) => fault,
    })
}

/// Copies and looks at the copy: one that nobody looked at is no backup.
fn copy(connection: &Connection, part: &Path) -> Result<(), Fault> {
    let name = part.to_str().ok_or(Fault::Refused(StoreError::NoBackup {
        path: part.to_owned(),
        found: "its name is not UTF-8".to_owned(),
    }))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    let found = check_file(part, Depth::Quick).map_err(Fault::Refused)?;
    match found.first() {
        None => Ok(()),
        Some(first) => Err(Fault::Refused(StoreError::NoBackup {
            path: part.to_owned(),
            found: format!("the copy is not whole: {first}"),
        })),
    }
}

fn keep(part: &Path, to: &Path) -> io::Result<u64> {
    let file = File::open(part)?;
    file.sync_all()?;
    fs::rename(part, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file.metadata()?.len())
}

/// Whether an error is of the file that is copied, and not of the copy.
fn is_ours(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::DatabaseBusy)
    )
}

/// The path with something behind its name.
pub(super) fn beside(path: &Path, behind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(behind);
    PathBuf::from(name)
}
