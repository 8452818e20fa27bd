//! Copies, checks and room.

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use insta::assert_snapshot;
use rusqlite::Connection;
use sandbell_domain::{ChannelId, ChannelPolicy, Tenant, TenantId};

use super::{Rig, close, delivery, now, pages, settle_all};
use crate::sqlite::migrate::{STEPS, migrate};
use crate::{
    Actor, Catalog, ChannelDraft, Depth, Enabled, Expect, LeaseRequest, Leased, Outbox, Retention, Saved,
    SealedSecret, SqliteStore, StoreError, Tries, backup_file, check_file, fold_file, restore_file,
};

fn ada() -> Actor {
    Actor("uid 0".to_owned())
}

pub(super) fn draft(name: &str, payload: &str) -> ChannelDraft {
    ChannelDraft {
        id: ChannelId::of(&[name.as_bytes()]),
        tenant: TenantId::local(),
        name: name.parse().unwrap(),
        plugin: "slack".to_owned(),
        settings: serde_json::Map::from_iter([("text".to_owned(), payload.into())]),
        secrets: vec![SealedSecret {
            option: "token".to_owned(),
            sealed: "v1:a:x".to_owned(),
            set_at: now(),
        }],
        policy: ChannelPolicy::default(),
        enabled: Enabled::Yes,
    }
}

pub(super) async fn make_local(store: &SqliteStore) {
    let local = Tenant::new(Tenant::LOCAL.parse().unwrap(), now());
    store.create_tenant(local, ada()).await.unwrap();
}

/// Some of everything.
async fn fill(store: &SqliteStore) {
    make_local(store).await;
    for revision in 0..3 {
        let expect = if revision == 0 { Expect::Nothing } else { Expect::Revision(revision) };
        let saved = store.save_channel(draft("chat", "x"), expect, ada(), now()).await.unwrap();
        assert!(matches!(saved, Saved::Done(_)));
    }
    for number in 0..20 {
        store.accept(vec![delivery(number, "")], now()).await.unwrap();
    }
    settle_all(store).await;
    store.accept(vec![delivery(20, "")], now()).await.unwrap();
}

fn findings(rig: &Rig, depth: Depth) -> Result<Vec<String>, String> {
    check_file(&rig.path(), depth).map_err(|error| rig.said(&error))
}

#[tokio::test]
async fn a_copy_is_of_one_moment_and_whole() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    fill(&store).await;
    let to = rig.folder.path().join("copy.db");
    let (bytes, ()) = tokio::join!(store.backup(to.clone()), async {
        for number in 100..400 {
            store.accept(vec![delivery(number, "while it is copied")], now()).await.unwrap();
        }
    });
    assert_eq!(bytes, Ok(fs::metadata(&to).unwrap().len()));
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(rig.folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with("copy.db.")), "{left:?}");
    // What was written after the copy began may be missing; what was written before is there.
    assert_eq!(check_file(&to, Depth::Whole), Ok(Vec::new()));
    let copy = SqliteStore::open(crate::Settings::new(&to)).unwrap();
    assert_eq!(copy.channels(TenantId::local()).await, store.channels(TenantId::local()).await);
    for number in 0..=20 {
        let status = copy.status(TenantId::local(), delivery(number, "").id).await.unwrap();
        assert_eq!(status, store.status(TenantId::local(), delivery(number, "").id).await.unwrap());
        assert!(status.is_some());
    }
}

#[tokio::test]
async fn a_copy_replaces_nothing() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    let to = rig.folder.path().join("copy.db");
    let said = async |to: &std::path::Path| {
        rig.said(&store.backup(to.to_owned()).await.unwrap_err()).replace(" (os error 2)", "")
    };
    fs::write(&to, "mine").unwrap();
    assert_snapshot!(said(&to).await, @"no copy was made at `/var/lib/sandbell/copy.db`: there is something already; name a file that is not there, in a folder with room for it");
    assert_eq!(fs::read(&to).unwrap(), b"mine");
    fs::remove_file(&to).unwrap();
    std::os::unix::fs::symlink("nowhere", &to).unwrap();
    assert!(said(&to).await.contains("there is something already"));
    assert_snapshot!(said(&rig.folder.path().join("no/copy.db")).await, @"no copy was made at `/var/lib/sandbell/no/copy.db`: `/var/lib/sandbell/no/copy.db.part`: No such file or directory; name a file that is not there, in a folder with room for it");
    // Another copy that is being made, or was cut off.
    fs::write(rig.folder.path().join("other.db.part"), "").unwrap();
    assert!(said(&rig.folder.path().join("other.db")).await.contains("exists"));
    assert!(rig.folder.path().join("other.db.part").exists());
    // And itself is a file that is there.
    assert!(said(&rig.path()).await.contains("there is something already"));
}

#[tokio::test]
async fn a_copy_takes_the_place_of_what_was_there() {
    let (rig, old) = (Rig::new(), Rig::new());
    let store = rig.open().unwrap();
    fill(&store).await;
    let copy = rig.folder.path().join("copy.db");
    assert!(backup_file(&rig.path(), &copy).is_ok());
    let other = old.open().unwrap();
    other.accept(vec![delivery(77, "")], now()).await.unwrap();
    assert_eq!(restore_file(&copy, &old.path()), Err(StoreError::Locked(old.path())));
    close(other, &old);
    // As a crash leaves it: with a log that must not be read into what takes the place.
    fs::copy(rig.folder.path().join("outbox.db-wal"), old.folder.path().join("outbox.db-wal")).unwrap();
    let bytes = restore_file(&copy, &old.path()).unwrap();
    assert_eq!(bytes, fs::metadata(old.path()).unwrap().len());
    assert_eq!(fs::metadata(old.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(old.folder.path()).unwrap().count(), 1);
    let restored = old.open().unwrap();
    assert_eq!(restored.check(Depth::Whole).await, Ok(Vec::new()));
    assert_eq!(restored.status(TenantId::local(), delivery(77, "").id).await, Ok(None));
    assert!(restored.status(TenantId::local(), delivery(20, "").id).await.unwrap().is_some());
    // Where nothing is, and where something is that is no store.
    assert!(restore_file(&copy, &rig.folder.path().join("new.db")).is_ok());
    let broken = rig.folder.path().join("broken.db");
    fs::write(&broken, "no database").unwrap();
    let error = restore_file(&broken, &copy).unwrap_err();
    assert_snapshot!(rig.said(&error), @"`/var/lib/sandbell/broken.db` is damaged (file is not a database); restore a backup, or move the file away to start with an empty one");
    assert!(restore_file(&copy, &broken).is_ok());
    assert_eq!(check_file(&broken, Depth::Whole), Ok(Vec::new()));
}

#[tokio::test]
async fn a_damaged_file_is_not_copied() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    for number in 0..64 {
        store.accept(vec![delivery(number, &"x".repeat(4_000))], now()).await.unwrap();
    }
    close(store, &rig);
    let mut bytes = fs::read(rig.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 60_000].fill(0xa5);
    fs::write(rig.path(), &bytes).unwrap();
    let store = rig.open().unwrap();
    let to = rig.folder.path().join("copy.db");
    assert!(rig.said(&store.backup(to.clone()).await.unwrap_err()).contains("is damaged"));
    assert!(!to.exists() && !rig.folder.path().join("copy.db.part").exists());
    assert!(!store.check(Depth::Quick).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_whole_file_has_no_findings_and_is_left_as_it_was() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    fill(&store).await;
    for depth in [Depth::Quick, Depth::Whole] {
        assert_eq!(store.check(depth).await, Ok(Vec::new()));
        assert_eq!(findings(&rig, depth), Ok(Vec::new()));
    }
    close(store, &rig);
    let before = fs::read(rig.path()).unwrap();
    fs::set_permissions(rig.path(), fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(findings(&rig, Depth::Whole), Ok(Vec::new()));
    assert_eq!(fs::read_dir(rig.folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read(rig.path()).unwrap(), before);
}

#[tokio::test]
async fn what_a_crash_left_in_the_log_is_looked_at() {
    let (rig, crashed) = (Rig::new(), Rig::new());
    let store = rig.open().unwrap();
    fill(&store).await;
    // A copy of both files while the store has them open is what a crash leaves.
    fs::copy(rig.path(), crashed.path()).unwrap();
    fs::copy(rig.folder.path().join("outbox.db-wal"), crashed.folder.path().join("outbox.db-wal")).unwrap();
    assert_eq!(findings(&crashed, Depth::Whole), Ok(Vec::new()));
    let opened = crashed.open().unwrap();
    assert!(opened.status(TenantId::local(), delivery(20, "").id).await.unwrap().is_some());
}

#[tokio::test]
async fn what_does_not_hold_is_told() {
    let broken = async |sql: &str| {
        let rig = Rig::new();
        let store = rig.open().unwrap();
        fill(&store).await;
        close(store, &rig);
        Connection::open(rig.path()).unwrap().execute_batch(sql).unwrap();
        findings(&rig, Depth::Whole).unwrap().join("; ")
    };
    assert_snapshot!(broken("DELETE FROM notification WHERE seq < 4").await, @"deliveries without a notification: 3");
    assert_snapshot!(broken("DELETE FROM delivery WHERE seq < 3").await, @"notifications without a delivery: 2; attempts without a delivery: 2");
    assert_snapshot!(broken("UPDATE outbox_channel SET tenant = 77").await, @"deliveries without a channel of their tenant: 21; channels that the outbox does not know: 1");
    assert_snapshot!(broken("UPDATE delivery SET state = 1 WHERE state = 0").await, @"deliveries in a state that cannot be: 1");
    assert_snapshot!(broken("UPDATE delivery SET state = 9 WHERE seq = 1").await, @"deliveries in a state that cannot be: 1");
    assert_snapshot!(broken("UPDATE delivery SET claim = 9999 WHERE state = 0").await, @"leases with a claim that will be given again: 1");
    assert_snapshot!(broken("UPDATE outbox_channel SET first = 0, wake_at = NULL").await, @"channels with deliveries that nobody will look for: 1");
    assert_snapshot!(broken("UPDATE outbox_tenant SET first = 0").await, @"channels that are ready in a tenant that is not: 1");
    assert_snapshot!(broken("UPDATE clock SET attempts = 1").await, @"attempts with a number that will be given again: 19");
    assert_snapshot!(broken("DELETE FROM tenant").await, @"channels that the outbox does not know: 1");
    assert_snapshot!(broken("UPDATE outbox_channel SET is_disabled = 1").await, @"channels that the outbox does not follow: 1");
    assert_snapshot!(broken("DELETE FROM channel_revision WHERE revision = 3").await, @"channels that the outbox does not follow: 1; secrets without a revision: 1");
    assert_snapshot!(broken("DELETE FROM channel").await, @"revisions without a channel: 3");
    assert_snapshot!(broken("UPDATE attempt SET record = '{' WHERE seq = 1").await, @"attempts that cannot be read: 1");
    assert_snapshot!(broken("UPDATE channel_revision SET policy = '' WHERE revision = 1").await, @"revisions that cannot be read: 1");
}

#[tokio::test]
async fn a_file_that_is_no_store_of_ours_is_not_looked_at() {
    let rig = Rig::new();
    assert_snapshot!(findings(&rig, Depth::Quick).unwrap_err(), @"`/var/lib/sandbell/outbox.db` cannot be opened (No such file or directory (os error 2)); its folder must exist and be writable for this user");
    fs::write(rig.path(), "this is no database ".repeat(300)).unwrap();
    assert_snapshot!(findings(&rig, Depth::Quick).unwrap_err(), @"`/var/lib/sandbell/outbox.db` is damaged (file is not a database); restore a backup, or move the file away to start with an empty one");
    fs::remove_file(rig.path()).unwrap();
    let store = rig.open().unwrap();
    fill(&store).await;
    close(store, &rig);
    let whole = fs::read(rig.path()).unwrap();
    fs::write(rig.path(), &whole[..whole.len() / 3]).unwrap();
    let found = findings(&rig, Depth::Quick);
    assert!(found.as_ref().is_ok_and(|found| !found.is_empty()) || found.is_err(), "{found:?}");
    fs::write(rig.path(), &whole).unwrap();
    let other = Connection::open(rig.path()).unwrap();
    other.execute("UPDATE schema_step SET sha256 = 'other' WHERE step = 2", ()).unwrap();
    assert_snapshot!(findings(&rig, Depth::Quick).unwrap_err(), @"step 2 of the schema of `/var/lib/sandbell/outbox.db` is not the one of this program; install the version that wrote the file");
    other.pragma_update(None, "user_version", 999).unwrap();
    assert_snapshot!(findings(&rig, Depth::Quick).unwrap_err(), @"`/var/lib/sandbell/outbox.db` was written by a newer version (schema 999, this program knows 2); install that version again");
}

#[tokio::test]
async fn a_file_of_the_first_step_is_brought_to_the_second() {
    let rig = Rig::new();
    let mut old = Connection::open(rig.path()).unwrap();
    migrate(&mut old, &rig.path(), &STEPS[..1]).unwrap();
    old.execute_batch(
        "INSERT INTO outbox_tenant (id) VALUES (x'00112233445566778899aabbccddeeff');
         INSERT INTO outbox_channel (tenant, id, leases_max, is_ordered) VALUES (1, zeroblob(16), 16, 0);
         INSERT INTO notification (id, tenant, accepted_at, body) VALUES (zeroblob(16), 1, 0, '{}');
         INSERT INTO delivery (id, tenant, channel, notification, contact, state, due_at, since, settled_at)
         VALUES (zeroblob(16), 1, 1, 1, '{}', 2, 0, 0, 0);
         INSERT INTO attempt (seq, delivery, claim, redrive, number, leased_at, settled_at, record)
         VALUES (41, 1, 1, 0, 1, 0, 0, '{}');",
    )
    .unwrap();
    drop(old);
    assert_eq!(findings(&rig, Depth::Quick), Ok(Vec::new()));
    let store = rig.open().unwrap();
    assert_eq!(store.check(Depth::Whole).await, Ok(Vec::new()));
    // Attempts are numbered on from what is there.
    let end = store.follow(TenantId::local(), None, NonZeroUsize::MIN).await.unwrap().next;
    assert_eq!(end.get(), 41);
    fill(&store).await;
    let after = store.follow(TenantId::local(), Some(end), NonZeroUsize::MIN).await.unwrap();
    assert_eq!(after.tries[0].cursor.get(), 42);
}

#[tokio::test]
async fn room_is_told_and_given_back() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    let message = "x".repeat(20_000);
    store.accept((0..200).map(|number| delivery(number, &message)).collect(), now()).await.unwrap();
    settle_all(&store).await;
    let full = store.size().await.unwrap();
    assert!(full.file_bytes > 4_000_000 && full.log_bytes > 4_000_000 && full.free_bytes == 0, "{full:?}");
    let nothing = Retention { delivered: Duration::ZERO, dead: Duration::ZERO, ..Retention::default() };
    let much_later = jiff::Timestamp::from_second(1_900_000_000).unwrap();
    while store.prune(nothing, much_later).await.unwrap().has_more {}
    // Pruning keeps some of it for what comes next.
    let pruned = store.size().await.unwrap();
    assert!(pruned.free_bytes > 500_000 && pruned.file_bytes < 2_000_000, "{pruned:?}");
    while store.vacuum().await.unwrap() {}
    let small = store.size().await.unwrap();
    assert!(small.free_bytes == 0 && small.file_bytes < 500_000, "{small:?}");
    assert_eq!(small.file_bytes, u64::try_from(pages(&rig)).unwrap() * 4096);
    assert_eq!(store.check(Depth::Whole).await, Ok(Vec::new()));
}

async fn lease_all(store: &SqliteStore) -> Vec<Leased> {
    let ten = NonZeroUsize::new(10).unwrap();
    let request = LeaseRequest {
        now: now(),
        hold: Duration::from_mins(1),
        count_max: ten,
        tries: Tries::Any,
        tenant_max: ten,
        rooms: vec![],
    };
    store.lease(request).await.unwrap().leases
}

#[tokio::test]
async fn who_starts_alone_takes_every_lease_back() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    make_local(&store).await;
    for number in 0..3 {
        store.accept(vec![delivery(number, "")], now()).await.unwrap();
    }
    let first = lease_all(&store).await;
    assert_eq!((first.len(), lease_all(&store).await.len()), (3, 0));
    assert_eq!(store.take_back_leases(now()).await.unwrap(), 3);
    let again = lease_all(&store).await;
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|lease| lease.lapses == 1));
    close(store, &rig);
    assert_eq!(findings(&rig, Depth::Whole), Ok(vec![]));
}

#[tokio::test]
async fn the_file_is_private_and_whole_by_itself_once_it_is_folded() {
    let rig = Rig::new();
    fs::write(rig.path(), b"").unwrap();
    fs::set_permissions(rig.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        findings(&rig, Depth::Quick),
        Ok(vec![
            "there is no store in it: what was written may be in a `-wal` beside another copy".to_owned()
        ])
    );
    let store = rig.open().unwrap();
    fill(&store).await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let log = rig.path().with_extension("db-wal");
    assert_eq!((mode(&rig.path()), mode(&log)), (0o600, 0o600));
    fold_file(&rig.path()).unwrap();
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    let alone = rig.folder.path().join("alone.db");
    fs::copy(rig.path(), &alone).unwrap();
    assert_eq!(check_file(&alone, Depth::Whole), Ok(vec![]));
}
