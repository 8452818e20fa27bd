//! The one thread that writes: whatever waits for it becomes one transaction, and one sync of the disk.
//!
//! A caller is answered after the commit. A command that fails takes the transaction with it; if it may be at
//! fault alone, all of them are then run one by one: a bad one has no neighbours that suffer.

use std::thread;

use rusqlite::Connection;
use sandbell_domain::DeliveryId;
use tokio::sync::{mpsc, oneshot};

use super::desk::Desk;
use super::fault::Fault;
use super::open::{Settings, open_writer};
use crate::StoreError;

/// Commands that wait for the writer; who comes later waits for a place.
const WAITING_MAX: usize = 4096;

/// What others are told of a transaction, after its commit.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) settled: Vec<DeliveryId>,
    /// Something may be leasable that was not.
    pub(super) is_ready: bool,
}

/// A handle on the thread, which ends when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    commands: mpsc::Sender<Box<dyn Command>>,
}

impl Writer {
    /// Opens the file and starts the thread; `tell` is called on it after each commit.
    pub(super) fn start(
        settings: Settings,
        tell: impl Fn(News) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let connection = open_writer(&settings)?;
        let (commands, waiting) = mpsc::channel(WAITING_MAX);
        let path = settings.path.clone();
        let desk = Thread { connection, settings, tell, broken: None };
        thread::Builder::new()
            .name("outbox-writer".to_owned())
            .spawn(move || desk.run(waiting))
            .map_err(|error| StoreError::CannotOpen { path, found: error.to_string() })?;
        Ok(Self { commands })
    }

    /// Runs `work` in the next transaction. It may be run twice, the first time for nothing.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Desk<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Work { body: work, output: None, reply });
        self.commands.send(command).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// One caller's work and the way back to it, whatever it gives.
trait Command: Send {
    fn run(&mut self, desk: &mut Desk<'_>) -> Result<(), Fault>;
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

struct Work<T, F> {
    body: F,
    output: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Command for Work<T, F>
where
    T: Send,
    F: Fn(&mut Desk<'_>) -> Result<T, Fault> + Send,
{
    fn run(&mut self, desk: &mut Desk<'_>) -> Result<(), Fault> {
        self.output = Some((self.body)(desk)?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let Self { body: _, output, reply } = *self;
        let answer = end.and_then(|()| output.ok_or(StoreError::Closed));
        // Nobody listens if the caller's future was dropped; its write stands.
        drop(reply.send(answer));
    }
}

struct Thread<Tell> {
    connection: Connection,
    settings: Settings,
    tell: Tell,
    /// After a failed sync nobody knows what the disk has: nothing is promised any more.
    broken: Option<StoreError>,
}

impl<Tell: Fn(News)> Thread<Tell> {
    fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Command>>) {
        let batch_max = self.settings.batch_max.max(1);
        let mut batch = Vec::with_capacity(batch_max);
        while waiting.blocking_recv_many(&mut batch, batch_max) > 0 {
            self.serve(&mut batch);
        }
        // The last handle is gone: fold the log into the file, so that a copy of the file alone is whole.
        drop(self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
    }

    fn serve(&mut self, batch: &mut Vec<Box<dyn Command>>) {
        if self.broken.is_none() {
            let end = self.commit(batch);
            if batch.len() == 1 || !end.as_ref().is_err_and(may_be_of_one) {
                for command in batch.drain(..) {
                    command.answer(end.clone());
                }
                return;
            }
        }
        for mut command in batch.drain(..) {
            let end = match &self.broken {
                Some(error) => Err(error.clone()),
                None => self.commit(std::slice::from_mut(&mut command)),
            };
            command.answer(end);
        }
    }

    /// One transaction; on an error it never was.
    fn commit(&mut self, commands: &mut [Box<dyn Command>]) -> Result<(), StoreError> {
        match self.attempt(commands) {
            Ok(news) => {
                (self.tell)(news);
                Ok(())
            }
            Err(fault) => {
                if !self.connection.is_autocommit() {
                    // Some errors have rolled back already; a second time says so, and that is all.
                    drop(self.connection.execute_batch("ROLLBACK"));
                }
                let is_disk_failure = fault.is_disk_failure();
                let error = self.settings.explain(fault);
                if is_disk_failure {
                    self.broken = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    fn attempt(&self, commands: &mut [Box<dyn Command>]) -> Result<News, Fault> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let mut desk = Desk::open(&self.connection)?;
        for command in commands {
            command.run(&mut desk)?;
        }
        let news = desk.close()?;
        self.connection.prepare_cached("COMMIT")?.execute(())?;
        Ok(news)
    }
}

/// Whether an error may be of one command only, so that the others are worth a transaction of their own.
fn may_be_of_one(error: &StoreError) -> bool {
    match error {
        StoreError::OtherContent(_)
        | StoreError::UnknownTenant(_)
        | StoreError::Full(_)
        | StoreError::Unexpected { .. }
        | StoreError::Damaged { .. } => true,
        StoreError::Locked(_)
        | StoreError::ReadOnly(_)
        | StoreError::CannotOpen { .. }
        | StoreError::Newer { .. }
        | StoreError::OtherSchema { .. }
        | StoreError::DiskFailed { .. }
        | StoreError::NoBackup { .. }
        | StoreError::Closed => false,
    }
}
