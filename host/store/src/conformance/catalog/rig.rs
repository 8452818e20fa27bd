//! What the promises of the catalog are tried out with.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use sandbell_domain::{ChannelId, ChannelPolicy, Name, Scope, Tenant, TenantId, Token, TokenId};
use serde_json::json;

use crate::conformance::rig::{at, count};
use crate::{
    Actor, AuditEntry, Catalog, ChannelDraft, ChannelRecord, Created, Enabled, Expect, Saved, SealedSecret,
};

pub(super) fn ada() -> Actor {
    Actor("uid 1000".to_owned())
}

pub(super) fn eve() -> Actor {
    Actor("token eve (tok_1)".to_owned())
}

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Makes the tenant of this name, which was not there.
pub(super) async fn make_tenant<C: Catalog>(catalog: &C, of: &str) -> TenantId {
    let tenant = Tenant::new(name(of), at(0));
    let id = tenant.id;
    assert_eq!(catalog.create_tenant(tenant, ada()).await, Ok(Created::Done));
    id
}

pub(super) fn token(tenant: Option<TenantId>, of: &str, number: u8) -> Token {
    Token {
        id: TokenId::of(&[&[number]]),
        tenant,
        name: name(of),
        scopes: vec![Scope::Send, Scope::Read],
        hash: [number; 32],
        created_at: at(i64::from(number)),
        created_by: "uid 1000".to_owned(),
        expires_at: Some(at(1_000)),
        revoked_at: None,
    }
}

pub(super) fn secret(option: &str, sealed: &str) -> SealedSecret {
    SealedSecret { option: option.to_owned(), sealed: sealed.to_owned(), set_at: at(0) }
}

pub(super) fn draft(tenant: TenantId, of: &str) -> ChannelDraft {
    ChannelDraft {
        id: ChannelId::of(&[of.as_bytes()]),
        tenant,
        name: name(of),
        plugin: "slack".to_owned(),
        settings: json!({ "url": "https://example.com", "retries": 3 }).as_object().unwrap().clone(),
        secrets: vec![secret("token", "v1:a:sealed")],
        policy: ChannelPolicy::default(),
        enabled: Enabled::Yes,
    }
}

/// Saves, and must have been allowed to.
pub(super) async fn save<C: Catalog>(
    catalog: &C,
    draft: ChannelDraft,
    expect: Expect,
    now: Timestamp,
) -> ChannelRecord {
    match catalog.save_channel(draft, expect, ada(), now).await.unwrap() {
        Saved::Done(record) => *record,
        refused @ (Saved::Other(_) | Saved::TooMany) => panic!("{refused:?}"),
    }
}

/// Makes a tenant and a channel of it.
pub(super) async fn make_channel<C: Catalog>(catalog: &C, owner: &str, of: &str) -> ChannelRecord {
    let tenant = make_tenant(catalog, owner).await;
    save(catalog, draft(tenant, of), Expect::Nothing, at(0)).await
}

/// The whole audit log, newest first, read in pages of `page`.
pub(super) async fn log<C: Catalog>(catalog: &C, tenant: Option<TenantId>, page: usize) -> Vec<AuditEntry> {
    let count_max: NonZeroUsize = count(page);
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let page = catalog.audit_log(tenant, after, count_max).await.unwrap();
        assert!(page.entries.len() <= count_max.get());
        entries.extend(page.entries);
        if page.next.is_none() {
            return entries;
        }
        after = page.next;
    }
}

/// The audit log in words, oldest first: who did what to what.
pub(super) async fn deeds<C: Catalog>(catalog: &C, tenant: Option<TenantId>) -> Vec<String> {
    let entries = log(catalog, tenant, 100).await;
    entries.iter().rev().map(|entry| format!("{} {} by {}", entry.action, entry.object, entry.by.0)).collect()
}
