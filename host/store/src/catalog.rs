//! The catalog: who there is and what they configured. The contract, in words; `conformance/` tests it for every engine.
//!
//! Every read and write of a tenant's things names the tenant first, and finds nothing of another's. What returns `Ok` is
//! durable. Every change that a person makes is recorded in the audit log in the same transaction, with who and when; a
//! call that changes nothing is not recorded. What is done to a tenant and to the host's tokens is in the host's log.
//! Plugins and their approvals are the host's and lie in its state directory, not here.

use std::future::Future;
use std::num::NonZeroUsize;

use jiff::Timestamp;
use sandbell_domain::{ChannelId, ChannelPolicy, Name, NotificationId, Tenant, TenantId, Token, TokenId};

use crate::{Cursor, StoreError};

/// Keeps tenants, tokens, channels with their secrets, idempotency keys and the audit log.
///
/// Every future may be dropped at any await. A write whose future was dropped is done or not done, never half.
pub trait Catalog: Send + Sync + 'static {
    /// Makes a tenant, or finds the one of that name.
    fn create_tenant(
        &self,
        tenant: Tenant,
        by: Actor,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send;

    fn tenant(&self, name: Name) -> impl Future<Output = Result<Option<Tenant>, StoreError>> + Send;

    /// All of them, by name.
    fn tenants(&self) -> impl Future<Output = Result<Vec<Tenant>, StoreError>> + Send;

    /// Suspends a tenant, whose deliveries then wait, or takes it up again. Returns whether there is such a tenant.
    fn suspend_tenant(
        &self,
        tenant: TenantId,
        is_suspended: bool,
        by: Actor,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps a token under its hash. A name may be taken again after its token was revoked. Refused with
    /// [`StoreError::UnknownTenant`] for a tenant that was never made.
    fn create_token(
        &self,
        token: Token,
        by: Actor,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send;

    /// The token of this hash, revoked and expired ones included, and its tenant.
    fn token_of_hash(
        &self,
        hash: [u8; 32],
    ) -> impl Future<Output = Result<Option<(Token, Option<Tenant>)>, StoreError>> + Send;

    /// Those of a tenant, or of the host; newest first.
    fn tokens(&self, tenant: Option<TenantId>)
    -> impl Future<Output = Result<Vec<Token>, StoreError>> + Send;

    /// Returns whether there is such a token; revoking twice keeps the first moment.
    fn revoke_token(
        &self,
        tenant: Option<TenantId>,
        token: TokenId,
        by: Actor,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes a channel or a new revision of it; the previous revision is kept. An id has one name for ever.
    ///
    /// Pace and order of the outbox follow `policy` in the same transaction, and what it gives follows `enabled`. Refused
    /// with [`StoreError::UnknownTenant`] for a tenant that was never made.
    fn save_channel(
        &self,
        draft: ChannelDraft,
        expect: Expect,
        by: Actor,
        now: Timestamp,
    ) -> impl Future<Output = Result<Saved, StoreError>> + Send;

    fn channel(
        &self,
        tenant: TenantId,
        name: Name,
    ) -> impl Future<Output = Result<Option<ChannelRecord>, StoreError>> + Send;

    fn channel_of_id(
        &self,
        tenant: TenantId,
        channel: ChannelId,
    ) -> impl Future<Output = Result<Option<ChannelRecord>, StoreError>> + Send;

    /// All channels of a tenant, by name.
    fn channels(
        &self,
        tenant: TenantId,
    ) -> impl Future<Output = Result<Vec<ChannelRecord>, StoreError>> + Send;

    /// Earlier revisions, newest first; at most [`REVISIONS_MAX`] are kept.
    fn revisions(
        &self,
        tenant: TenantId,
        channel: ChannelId,
    ) -> impl Future<Output = Result<Vec<ChannelRecord>, StoreError>> + Send;

    /// Enables, or disables with a reason; the current revision says so, and who did it. Deliveries of a disabled channel
    /// wait. Returns whether there is such a channel. Enabling also forgets the failures in a row.
    fn enable_channel(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        enabled: Enabled,
        by: Actor,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Deletes a channel with its revisions and secrets; refused while a delivery of it waits or is leased. Settled ones
    /// stay. One that is accepted for it afterwards is leased as any other, for its holder to say that there is no channel.
    fn delete_channel(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        by: Actor,
        now: Timestamp,
    ) -> impl Future<Output = Result<Deleted, StoreError>> + Send;

    /// How many channels a plugin has, over all tenants: it is not removed while it has some.
    fn uses_of_plugin(&self, plugin: String) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Takes an idempotency key for a request with this fingerprint, or says what it was taken for. Keys are kept for
    /// [`KEY_HOURS`].
    fn claim_key(
        &self,
        tenant: TenantId,
        key: String,
        claim: KeyClaim,
    ) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    /// Records what was done that no other call records, e.g. an approval.
    fn audit(&self, entry: AuditEntry) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The audit log of a tenant, or of the host; newest first. Nothing changes an entry.
    fn audit_log(
        &self,
        tenant: Option<TenantId>,
        after: Option<Cursor>,
        count_max: NonZeroUsize,
    ) -> impl Future<Output = Result<AuditPage, StoreError>> + Send;

    /// A text of the host that is sealed with each of its keys, to tell whether a key opens this file.
    fn key_check(&self) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    fn set_key_check(&self, sealed: String) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sealed secrets, current ones and those of revisions, in a fixed order from `after` on: for a change of keys.
    fn sealed(
        &self,
        after: u64,
        count_max: NonZeroUsize,
    ) -> impl Future<Output = Result<Vec<SealedPlace>, StoreError>> + Send;

    /// Replaces a sealed text by another of the same secret, if it is still `from`. Returns whether it was.
    fn reseal(
        &self,
        place: u64,
        from: String,
        to: String,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Revisions of one channel that are kept beside the current one.
pub const REVISIONS_MAX: usize = 10;

/// How long an idempotency key is kept (`reference/delivery.md`).
pub const KEY_HOURS: u64 = 24;

/// Who did it, as the audit log shows it, e.g. `token ops (tok_…)` or `uid 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    Done,
    /// The name is taken; nothing was changed.
    Before,
}

/// A tenant's channel as it is kept: what the plugin is set to, with secrets sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelRecord {
    pub id: ChannelId,
    pub tenant: TenantId,
    pub name: Name,
    /// What the plugin is called on this host.
    pub plugin: String,
    /// What was typed for each option that is no secret, as a JSON object.
    pub settings: serde_json::Map<String, serde_json::Value>,
    pub secrets: Vec<SealedSecret>,
    pub policy: ChannelPolicy,
    pub enabled: Enabled,
    /// 1 when it was made; each save adds one.
    pub revision: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub updated_by: Actor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enabled {
    Yes,
    /// Why, for people.
    No {
        reason: String,
    },
}

/// A secret as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// The option that it is for.
    pub option: String,
    /// Made by `seal.rs`; opens only in its place.
    pub sealed: String,
    pub set_at: Timestamp,
}

/// What is saved; the id is that of the channel if there is one of that name.
#[derive(Clone, Debug)]
pub struct ChannelDraft {
    /// For a new channel. Kept for ever: secrets are sealed for it and deliveries name it.
    pub id: ChannelId,
    pub tenant: TenantId,
    pub name: Name,
    pub plugin: String,
    pub settings: serde_json::Map<String, serde_json::Value>,
    pub secrets: Vec<SealedSecret>,
    pub policy: ChannelPolicy,
    pub enabled: Enabled,
}

/// What a save believes that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Nothing,
    Revision(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    Done(Box<ChannelRecord>),
    /// Somebody else saved in between, or it is there (not there) already; this is the current revision.
    Other(Option<u32>),
    /// [`CHANNELS_MAX`] is reached.
    TooMany,
}

/// Channels of one tenant.
pub const CHANNELS_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    Done,
    Unknown,
    /// Deliveries that are not settled; cancel them or wait.
    InUse {
        deliveries: u64,
    },
}

/// What a request wants its key for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyClaim {
    /// SHA-256 of the request's body.
    pub fingerprint: [u8; 32],
    pub notification: NotificationId,
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    New,
    /// The same request came before, at this moment, and became this notification; it may not have been accepted yet.
    Same {
        notification: NotificationId,
        at: Timestamp,
    },
    /// Another request has this key.
    Other,
}

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Absent: it concerns the host.
    pub tenant: Option<TenantId>,
    pub at: Timestamp,
    pub by: Actor,
    /// A stable word, e.g. `channel.save`.
    pub action: String,
    /// What it was done to, e.g. the name of a channel.
    pub object: String,
    /// For people; no secrets.
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub next: Option<Cursor>,
}

/// A sealed secret and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPlace {
    pub place: u64,
    pub tenant: TenantId,
    pub channel: ChannelId,
    pub option: String,
    pub sealed: String,
}
