//! What only a file can do wrong to the catalog.

use insta::assert_snapshot;
use rusqlite::Connection;
use sandbell_domain::{Scope, Tenant, TenantId, Token, TokenId};

use super::upkeep::{draft, make_local};
use super::{Rig, now};
use crate::{
    Actor, AuditEntry, Catalog, ChannelRecord, Deleted, Depth, Enabled, Expect, Saved, Settings, SqliteStore,
    StoreError,
};

fn ada() -> Actor {
    Actor("uid 0".to_owned())
}

async fn save(store: &SqliteStore, name: &str, payload: &str) -> Result<Saved, StoreError> {
    store.save_channel(draft(name, payload), Expect::Nothing, ada(), now()).await
}

async fn records(store: &SqliteStore) -> Vec<ChannelRecord> {
    store.channels(TenantId::local()).await.unwrap()
}

#[tokio::test]
async fn a_change_without_its_entry_is_not_made() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    make_local(&store).await;
    let local = TenantId::local();
    let token = |name: &str| Token {
        id: TokenId::of(&[name.as_bytes()]),
        tenant: Some(local),
        name: name.parse().unwrap(),
        scopes: vec![Scope::Send],
        hash: [u8::try_from(name.len()).unwrap(); 32],
        created_at: now(),
        created_by: "uid 0".to_owned(),
        expires_at: None,
        revoked_at: None,
    };
    save(&store, "ops", "").await.unwrap();
    store.create_token(token("ci"), ada()).await.unwrap();
    let before = (store.tenants().await, store.tokens(Some(local)).await, records(&store).await);
    let other = Connection::open(rig.path()).unwrap();
    other
        .execute_batch("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    let id = draft("ops", "").id;
    let off = Enabled::No { reason: "x".to_owned() };
    let acme = Tenant::new("acme".parse().unwrap(), now());
    let next = store.save_channel(draft("ops", "next"), Expect::Revision(1), ada(), now());
    assert!(next.await.is_err());
    assert!(save(&store, "new", "").await.is_err());
    assert!(store.create_tenant(acme, ada()).await.is_err());
    assert!(store.suspend_tenant(local, true, ada(), now()).await.is_err());
    assert!(store.create_token(token("other"), ada()).await.is_err());
    assert!(store.revoke_token(Some(local), token("ci").id, ada(), now()).await.is_err());
    assert!(store.enable_channel(local, id, off, ada(), now()).await.is_err());
    assert!(store.delete_channel(local, id, ada(), now()).await.is_err());
    assert_eq!((store.tenants().await, store.tokens(Some(local)).await, records(&store).await), before);
    other.execute_batch("DROP TRIGGER broken").unwrap();
    assert_eq!(store.check(Depth::Whole).await, Ok(Vec::new()));
    assert_eq!(store.delete_channel(local, id, ada(), now()).await, Ok(Deleted::Done));
}

#[tokio::test]
async fn the_audit_log_cannot_be_changed_in_passing() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    make_local(&store).await;
    let other = Connection::open(rig.path()).unwrap();
    let refused = |sql: &str| other.execute_batch(sql).unwrap_err().to_string();
    assert_snapshot!(refused("UPDATE audit SET by = 'nobody'"), @"an entry of the audit log is not changed");
    assert_snapshot!(refused("DELETE FROM audit"), @"an entry of the audit log is not deleted");
    let log = store.audit_log(None, None, std::num::NonZeroUsize::MIN).await.unwrap();
    let entry = AuditEntry {
        tenant: None,
        at: now(),
        by: ada(),
        action: "tenant.create".to_owned(),
        object: "local".to_owned(),
        detail: String::new(),
    };
    assert_eq!(log.entries, [entry]);
}

#[tokio::test]
async fn a_locked_file_can_still_be_read() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    make_local(&store).await;
    save(&store, "ops", "").await.unwrap();
    let other = Connection::open(rig.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(save(&store, "new", "").await, Err(StoreError::Locked(_))));
    assert_eq!(records(&store).await.len(), 1);
    assert!(store.backup(rig.folder.path().join("copy.db")).await.is_ok());
    other.execute_batch("COMMIT").unwrap();
    assert!(matches!(save(&store, "new", "").await, Ok(Saved::Done(_))));
}

#[tokio::test]
async fn a_full_disk_leaves_no_half_of_a_channel() {
    let rig = Rig::new();
    let store = SqliteStore::open(Settings { file_bytes_max: Some(1024 * 1024), ..rig.settings() }).unwrap();
    make_local(&store).await;
    let payload = "x".repeat(20_000);
    let mut saved = 0;
    let error = loop {
        match save(&store, &format!("ops{saved}"), &payload).await {
            Ok(answer) => assert!(matches!(answer, Saved::Done(_))),
            Err(error) => break error,
        }
        saved += 1;
    };
    assert_eq!(error, StoreError::Full(rig.path()));
    assert!(saved > 10);
    assert_eq!(records(&store).await.len(), saved);
    let log = store.audit_log(Some(TenantId::local()), None, std::num::NonZeroUsize::MAX).await.unwrap();
    assert_eq!(log.entries.len(), saved);
    assert_eq!(store.check(Depth::Whole).await, Ok(Vec::new()));
    // Deleting makes room for others.
    for number in 0..3 {
        let id = draft(&format!("ops{number}"), "").id;
        let deleted = store.delete_channel(TenantId::local(), id, ada(), now()).await;
        assert_eq!(deleted, Ok(Deleted::Done));
    }
    assert!(matches!(save(&store, "new", &payload).await, Ok(Saved::Done(_))));
}
