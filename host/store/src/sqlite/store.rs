//! The store in a file: what the contracts' implementations share.

use std::sync::Arc;

use tokio::sync::Notify;

use super::open::Settings;
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
}
