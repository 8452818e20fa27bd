//! The store in a file: what the contracts' implementations share.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::Notify;

use super::backup::{backup, beside};
use super::channel;
use super::check::{Depth, check};
use super::fault::Fault;
use super::open::Settings;
use super::prune::vacuum;
use super::read::Readers;
use super::waiting::Waiting;
use super::writer::Writer;
use crate::StoreError;

/// Outbox and catalog in one file. Clones share one writer; several processes may have the file open.
#[derive(Clone)]
pub struct SqliteStore {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    pub(super) waiting: Waiting,
    pub(super) work: Arc<Notify>,
}

/// How much room the store takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub file_bytes: u64,
    /// Of the file, what is used by nothing and given back or used again.
    pub free_bytes: u64,
    /// What was written and is not yet in the file.
    pub log_bytes: u64,
}

impl SqliteStore {
    /// Opens the file, makes it if need be, and brings it to this program's schema. Blocks while it does.
    pub fn open(settings: Settings) -> Result<Self, StoreError> {
        let waiting = Waiting::default();
        let work = Arc::new(Notify::new());
        let (told, woken) = (waiting.clone(), Arc::clone(&work));
        let writer = Writer::start(settings.clone(), move |news| {
            told.tell(&news.settled);
            if news.is_ready {
                woken.notify_one();
            }
        })?;
        Ok(Self { writer, readers: Readers::new(settings), waiting, work })
    }

    /// Takes every lease back: whoever had one is gone. For a start that knows that nobody else has the store open.
    /// Returns how many there were.
    pub async fn take_back_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.writer.write(move |desk| channel::take_back_all(desk, now)).await
    }

    /// Copies the store into a new file that only its owner can read, while others go on; returns its size in bytes.
    ///
    /// The copy is of one moment, was looked at, and is on the disk. It holds sealed secrets, and not the keys.
    pub async fn backup(&self, to: PathBuf) -> Result<u64, StoreError> {
        self.readers.read(move |connection| backup(connection, &to)).await
    }

    /// What is wrong with the file, in words; nothing if it is whole. Others go on meanwhile.
    pub async fn check(&self, depth: Depth) -> Result<Vec<String>, StoreError> {
        self.readers.read(move |connection| check(connection, depth)).await
    }

    pub async fn size(&self) -> Result<Size, StoreError> {
        let log = beside(&self.readers.settings().path, "-wal");
        self.readers
            .read(move |connection| {
                let pages = |what| pragma(connection, what);
                let page_bytes = pages("page_size")?;
                Ok(Size {
                    file_bytes: pages("page_count")? * page_bytes,
                    free_bytes: pages("freelist_count")? * page_bytes,
                    // Absent after a checkpoint by the last who had it open.
                    log_bytes: std::fs::metadata(log).map_or(0, |log| log.len()),
                })
            })
            .await
    }

    /// Gives free space back to the disk, a step of it; returns whether there is more. Pruning does so, too, and keeps a
    /// little for what is accepted next.
    pub async fn vacuum(&self) -> Result<bool, StoreError> {
        self.writer.write(|desk| vacuum(desk)).await
    }
}

fn pragma(connection: &Connection, what: &str) -> Result<u64, Fault> {
    Ok(connection.pragma_query_value(None, what, |row| row.get::<_, i64>(0))?.unsigned_abs())
}
