//! A copy of the file while it is in use.
//!
//! `VACUUM INTO` and not the backup interface: it is one statement in one snapshot, so that a writer neither waits for it
//! nor makes it begin anew, and what was deleted is not in the copy.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::check::{Depth, check_file};
use super::fault::Fault;
use crate::StoreError;

/// Makes `to`, which is whole and on the disk when this returns; returns its size in bytes. Only its owner can read it.
///
/// It is written under another name beside it. Nothing that is there already is replaced.
pub(super) fn backup(connection: &Connection, to: &Path) -> Result<u64, Fault> {
    let refused = |found: String| Fault::Refused(StoreError::NoBackup { path: to.to_owned(), found });
    if fs::symlink_metadata(to).is_ok() {
        return Err(refused("there is something already".to_owned()));
    }
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
