//! The contract on this engine, and what only a file can do wrong.

use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::Timestamp;
use rusqlite::Connection;
use sandbell_domain::{
    Attempt, ChannelId, Contact, Delivery, Event, Notification, NotificationId, Object, Outcome, Receipt,
    Source, TenantId, Usage, Verdict,
};
use tempfile::TempDir;

use super::{Settings, SqliteStore};
use crate::{LeaseRequest, Outbox, Pace, Retention, Settled, StoreError, Tries};

mod catalog;
mod follow;
mod upkeep;

mod promises {
    crate::conformance::conformance!(crate::sqlite::tests::handles);
}

mod promises_of_the_catalog {
    crate::conformance::catalog_conformance!(crate::sqlite::tests::handles);
}

/// Each handle has a writer and readers of its own, as each process would.
fn handles() -> (impl AsyncFn() -> SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox.db");
    (async move || SqliteStore::open(Settings::new(&path)).unwrap(), folder)
}

struct Rig {
    folder: TempDir,
}

impl Rig {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("outbox.db")
    }

    fn settings(&self) -> Settings {
        Settings { lock_wait: Duration::from_millis(50), ..Settings::new(self.path()) }
    }

    fn open(&self) -> Result<SqliteStore, String> {
        SqliteStore::open(self.settings()).map_err(|error| self.said(&error))
    }

    /// The sentence, without the folder that is another in every run.
    fn said(&self, error: &StoreError) -> String {
        error.to_string().replace(self.folder.path().to_str().unwrap(), "/var/lib/sandbell")
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn delivery(number: u32, message: &str) -> Delivery {
    let notification = Notification {
        id: NotificationId::of(&[&number.to_be_bytes()]),
        tenant: TenantId::local(),
        contact: Contact::default(),
        object: Object::default(),
        incident: None,
        event: Event {
            time: "2027-01-15T08:00:00Z".to_owned(),
            kind: "state".to_owned(),
            severity: None,
            title: None,
            username: String::new(),
            message: message.to_owned(),
        },
        links: Vec::new(),
        extra: Vec::new(),
        source: Source { system: "test".to_owned(), payload: String::new() },
    };
    Delivery::new(ChannelId::of(&[b"chat"]), Arc::new(notification))
}

#[tokio::test]
async fn a_locked_file_is_waited_for_and_then_said() {
    let rig = Rig::new();
    let outbox = rig.open().unwrap();
    let other = Connection::open(rig.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = outbox.accept(vec![delivery(1, "")], now()).await.unwrap_err();
    assert_snapshot!(rig.said(&error), @"`/var/lib/sandbell/outbox.db` is locked by another program; stop it, or close its transaction, and try again");
    assert!(error.is_passing());
    // Who waits together is refused together, and not one lock wait after the other.
    let started = std::time::Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..200 {
        let outbox = outbox.clone();
        callers.spawn(async move { outbox.accept(vec![delivery(number, "")], now()).await });
    }
    let answers = callers.join_all().await;
    assert!(answers.into_iter().all(|answer| matches!(answer, Err(StoreError::Locked(_)))));
    assert!(started.elapsed() < 100 * Duration::from_millis(50), "{:?}", started.elapsed());
    // Who only looks does not wait for who writes.
    assert_eq!(outbox.status(TenantId::local(), delivery(1, "").id).await, Ok(None));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(outbox.accept(vec![delivery(1, "")], now()).await.unwrap().new, 1);
}

#[tokio::test]
async fn a_full_disk_is_said_and_got_over() {
    let rig = Rig::new();
    let settings = Settings { file_bytes_max: Some(1024 * 1024), ..rig.settings() };
    let outbox = SqliteStore::open(settings).unwrap();
    let message = "x".repeat(20_000);
    let mut accepted = 0;
    let error = loop {
        match outbox.accept(vec![delivery(accepted, &message)], now()).await {
            Ok(one) => accepted += u32::try_from(one.new).unwrap(),
            Err(error) => break error,
        }
    };
    assert_snapshot!(rig.said(&error), @"there is no space left for `/var/lib/sandbell/outbox.db`; free some, or raise the limit; nothing more is kept until then");
    assert!(error.is_passing() && accepted > 10);
    drop(outbox);
    // More space, the same file: nothing that was answered with success is missing, and more fits.
    let outbox = rig.open().unwrap();
    for number in 0..accepted {
        assert!(outbox.status(TenantId::local(), delivery(number, &message).id).await.unwrap().is_some());
    }
    let refused = delivery(accepted, &message);
    assert_eq!(outbox.status(TenantId::local(), refused.id).await, Ok(None));
    assert_eq!(outbox.accept(vec![refused], now()).await.unwrap().new, 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_refused_with_a_sentence() {
    let rig = Rig::new();
    let missing = Settings::new(rig.folder.path().join("nowhere/outbox.db"));
    assert_snapshot!(rig.said(&SqliteStore::open(missing).err().unwrap()), @"`/var/lib/sandbell/nowhere/outbox.db` cannot be opened (unable to open database file: /var/lib/sandbell/nowhere/outbox.db); its folder must exist and be writable for this user");
    fs::write(rig.path(), "a letter, and not a database: ".repeat(200)).unwrap();
    assert_snapshot!(rig.open().err().unwrap(), @"`/var/lib/sandbell/outbox.db` is damaged (file is not a database); restore a backup, or move the file away to start with an empty one");

    let rig = Rig::new();
    let outbox = rig.open().unwrap();
    for number in 0..64 {
        outbox.accept(vec![delivery(number, &"x".repeat(4_000))], now()).await.unwrap();
    }
    close(outbox, &rig);
    let whole = fs::read(rig.path()).unwrap();
    fs::write(rig.path(), &whole[..whole.len() / 2]).unwrap();
    assert_snapshot!(rig.open().err().unwrap(), @"`/var/lib/sandbell/outbox.db` is damaged (database disk image is malformed); restore a backup, or move the file away to start with an empty one");
    // The other half still there, it opens again: nobody wrote into what was damaged.
    fs::write(rig.path(), &whole).unwrap();
    assert!(rig.open().is_ok());
}

#[tokio::test]
async fn a_newer_file_and_another_schema_are_refused() {
    let rig = Rig::new();
    close(rig.open().unwrap(), &rig);
    let other = Connection::open(rig.path()).unwrap();
    other.pragma_update(None, "user_version", 999).unwrap();
    assert_snapshot!(rig.open().err().unwrap(), @"`/var/lib/sandbell/outbox.db` was written by a newer version (schema 999, this program knows 2); install that version again");
    other.pragma_update(None, "user_version", 2).unwrap();
    other.execute("UPDATE schema_step SET sha256 = 'other' WHERE step = 1", ()).unwrap();
    assert_snapshot!(rig.open().err().unwrap(), @"step 1 of the schema of `/var/lib/sandbell/outbox.db` is not the one of this program; install the version that wrote the file");
}

#[tokio::test]
async fn a_write_waits_for_the_disk() {
    let rig = Rig::new();
    let outbox = rig.open().unwrap();
    outbox.accept(vec![delivery(1, "")], now()).await.unwrap();
    // What the writer was set up with, read from a file that another program opens.
    let other = Connection::open(rig.path()).unwrap();
    let mode: String = other.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    let vacuum: i64 = other.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).unwrap();
    assert_eq!((mode.as_str(), vacuum), ("wal", 2));
    let writer = super::open::open_writer(&rig.settings()).unwrap();
    let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    assert_eq!(synchronous, 2);
}

#[tokio::test]
async fn forgetting_gives_space_back_in_steps() {
    let rig = Rig::new();
    let outbox = rig.open().unwrap();
    let message = "x".repeat(20_000);
    let all: Vec<_> = (0..800).map(|number| delivery(number, &message)).collect();
    outbox.accept(all, now()).await.unwrap();
    settle_all(&outbox).await;
    let before = pages(&rig);
    let nothing = Retention {
        delivered: Duration::ZERO,
        dead: Duration::ZERO,
        step_max: NonZeroUsize::new(100).unwrap(),
    };
    let much_later = Timestamp::from_second(1_900_000_000).unwrap();
    let mut steps = 0;
    while outbox.prune(nothing, much_later).await.unwrap().has_more {
        steps += 1;
    }
    let after = pages(&rig);
    assert!(before > 3_000 && after < 400, "{before} pages, then {after}");
    assert!((8..20).contains(&steps), "{steps} steps");
}

#[tokio::test]
async fn who_waits_is_told_and_does_not_poll() {
    let rig = Rig::new();
    let outbox = rig.open().unwrap();
    let started = std::time::Instant::now();
    for number in 0..20 {
        let one = delivery(number, "");
        outbox.accept(vec![one.clone()], now()).await.unwrap();
        let (stands, ()) = tokio::join!(
            outbox.wait(one.tenant, one.id, Duration::from_mins(1)),
            // After the waiter has looked once and begun to wait.
            async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                settle_all(&outbox).await;
            },
        );
        assert!(stands.unwrap().unwrap().state.is_settled());
    }
    // Polling would take half a second each time.
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
}

#[tokio::test]
async fn calls_that_wait_share_a_transaction() {
    let rig = Rig::new();
    let outbox = rig.open().unwrap();
    let other = Connection::open(rig.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // All of them meet behind the lock: the first alone, the others while it waits.
    let accepting: Vec<_> = (0..100)
        .map(|number| {
            let outbox = outbox.clone();
            async move { outbox.accept(vec![delivery(number, "")], now()).await }
        })
        .collect();
    let mut tasks = tokio::task::JoinSet::new();
    for one in accepting {
        tasks.spawn(one);
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    other.execute_batch("COMMIT").unwrap();
    let answers = tasks.join_all().await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().new == 1));
    let log = fs::metadata(rig.folder.path().join("outbox.db-wal")).unwrap().len();
    // A transaction each would write a dozen pages each.
    assert!(log < 100 * 12 * 4096 / 2, "{log} bytes");
}

async fn settle_all(outbox: &SqliteStore) {
    let pace = Pace { leases_max: NonZeroU32::new(1_000).unwrap(), is_ordered: false };
    outbox.set_pace(TenantId::local(), ChannelId::of(&[b"chat"]), pace, now()).await.unwrap();
    let request = LeaseRequest {
        now: now(),
        hold: Duration::from_mins(1),
        count_max: NonZeroUsize::new(1_000).unwrap(),
        tries: Tries::Any,
        tenant_max: NonZeroUsize::MAX,
        rooms: Vec::new(),
    };
    for lease in outbox.lease(request).await.unwrap().leases {
        let attempt = Attempt {
            outcome: Outcome::Delivered { receipt: Receipt::default() },
            exchanges: Vec::new(),
            log: Vec::new(),
            usage: Usage::default(),
        };
        let settled = outbox.settle(&lease, attempt, Verdict::Delivered, now()).await;
        assert_eq!(settled, Ok(Settled::Done { failures_in_row: 0 }));
    }
}

fn pages(rig: &Rig) -> i64 {
    let other = Connection::open(rig.path()).unwrap();
    other.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
}

/// Waits until the writer has folded its log into the file, as it does when its last handle is gone.
fn close(outbox: SqliteStore, rig: &Rig) {
    drop(outbox);
    let log = rig.folder.path().join("outbox.db-wal");
    for _ in 0..1_000 {
        if !log.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the writer did not end");
}
