//! Opening the file: how `SQLite` is set up here, and why.

use std::fmt::Write as _;
use std::fs::{OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::backup::beside;
use super::fault::Fault;
use super::migrate::{STEPS, migrate};
use crate::StoreError;

/// Where the store is and what it may use.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database file; `SQLite` keeps `-wal` and `-shm` beside it. It is made if it is not there, its folder is not.
    pub path: PathBuf,
    /// How long a call waits for another program that has the file locked.
    pub lock_wait: Duration,
    /// The file grows no further; what would need more is refused as if the disk were full. Absent: the disk decides.
    pub file_bytes_max: Option<u64>,
    /// Connections for reading; each is a thread while it works.
    pub readers_max: usize,
    /// Calls of one transaction: more share the price of one sync, and wait for each other.
    pub batch_max: usize,
}

impl Settings {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            lock_wait: Duration::from_secs(5),
            file_bytes_max: None,
            readers_max: 4,
            batch_max: 512,
        }
    }

    pub(super) fn explain(&self, fault: impl Into<Fault>) -> StoreError {
        fault.into().into_error(&self.path)
    }
}

const PAGE_BYTES: u64 = 4096;
/// Statements that stay prepared: all that the writer has.
const STATEMENTS_MAX: usize = 96;

/// The one connection that writes, on a file whose schema is this program's.
pub(super) fn open_writer(settings: &Settings) -> Result<Connection, StoreError> {
    let explain = |fault: rusqlite::Error| settings.explain(fault);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    keep_private(&settings.path);
    let mut connection = Connection::open_with_flags(&settings.path, flags).map_err(explain)?;
    connection.busy_timeout(settings.lock_wait).map_err(explain)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    set_up(&connection).map_err(explain)?;
    migrate(&mut connection, &settings.path, STEPS)?;
    if let Some(bytes_max) = settings.file_bytes_max {
        let pages_max = i64::try_from(bytes_max / PAGE_BYTES).unwrap_or(i64::MAX);
        connection.pragma_update(None, "max_page_count", pages_max).map_err(explain)?;
    }
    Ok(connection)
}

/// Only the owner reads what was accepted, wherever the file lies. `SQLite` gives `-wal` and `-shm` the rights of the file.
/// What cannot be done here is told by `SQLite`, which has the same to do next.
fn keep_private(path: &Path) {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    if made.is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        let _ = std::fs::set_permissions(path, Permissions::from_mode(0o600));
    }
}

/// Brings the log into the file, so that the file alone is whole. Nobody else has it open.
pub fn fold_file(path: &Path) -> Result<(), StoreError> {
    let explain = |fault: rusqlite::Error| Fault::from(fault).into_error(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(explain)?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(explain)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    // Only a file without tables takes these two; a later file keeps what it has.
    connection.pragma_update(None, "page_size", i64::try_from(PAGE_BYTES).unwrap_or(4096))?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    // Readers never wait for the writer, nor it for them.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit that returned is on the disk; group commit makes that affordable.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // In KiB when negative: room for the busy ends of every index.
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // 16 MiB between checkpoints, and a log that a burst made long is cut again.
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    steady(connection)?;
    // A forged schema must not run functions; a foreign file is not trusted because it lies here.
    connection.pragma_update(None, "trusted_schema", false)
}

/// Lets a prepared statement stay prepared: `SQLite` would look at what is bound, in case a partial index helps with it,
/// and prepare anew whenever that changes.
fn steady(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// One of the connections that only read.
pub(super) fn open_reader(settings: &Settings) -> Result<Connection, StoreError> {
    let explain = |fault: rusqlite::Error| settings.explain(fault);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&settings.path, flags).map_err(explain)?;
    connection.busy_timeout(settings.lock_wait).map_err(explain)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    steady(&connection).map_err(explain)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(explain)?;
    Ok(connection)
}

/// A connection for looking at a file that may have another schema, or be damaged; it changes nothing.
///
/// Where no log lies beside the file, nobody has it open, and it is read without locks: nothing is left beside it that
/// belongs to whoever looked.
pub(super) fn open_to_look(path: &Path, lock_wait: Duration) -> Result<Connection, StoreError> {
    let explain = |fault: rusqlite::Error| Fault::from(fault).into_error(path);
    let unfit =
        |error: std::io::Error| StoreError::CannotOpen { path: path.to_owned(), found: error.to_string() };
    std::fs::File::open(path).map_err(unfit)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if beside(path, "-wal").exists() {
        Connection::open_with_flags(path, flags)
    } else {
        Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)
    };
    let connection = connection.map_err(explain)?;
    connection.busy_timeout(lock_wait).map_err(explain)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(explain)?;
    Ok(connection)
}

/// The file as a URI that promises `SQLite` that nobody writes it (<https://sqlite.org/uri.html>).
fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        write!(uri, "%{byte:02x}").expect("a String takes everything");
    }
    uri + "?immutable=1"
}
