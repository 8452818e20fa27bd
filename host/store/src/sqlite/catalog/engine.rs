//! The engine behind the catalog.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use sandbell_domain::{ChannelId, Name, Tenant, TenantId, Token, TokenId};

use super::{audit, channel, key, record, seal, tenant, token};
use crate::sqlite::store::SqliteStore;
use crate::{
    Actor, AuditEntry, AuditPage, Catalog, ChannelDraft, ChannelRecord, Claimed, Created, Cursor, Deleted,
    Enabled, Expect, KeyClaim, Saved, SealedPlace, StoreError,
};

impl Catalog for SqliteStore {
    async fn create_tenant(&self, tenant: Tenant, by: Actor) -> Result<Created, StoreError> {
        self.writer.write(move |desk| tenant::create(desk, &tenant, &by)).await
    }

    async fn tenant(&self, name: Name) -> Result<Option<Tenant>, StoreError> {
        self.readers.read(move |connection| tenant::of_name(connection, &name)).await
    }

    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.readers.read(tenant::all).await
    }

    async fn suspend_tenant(
        &self,
        tenant: TenantId,
        is_suspended: bool,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |desk| tenant::suspend(desk, tenant, is_suspended, &by, now)).await
    }

    async fn create_token(&self, token: Token, by: Actor) -> Result<Created, StoreError> {
        self.writer.write(move |desk| token::create(desk, &token, &by)).await?
    }

    async fn token_of_hash(&self, hash: [u8; 32]) -> Result<Option<(Token, Option<Tenant>)>, StoreError> {
        self.readers.read(move |connection| token::of_hash(connection, hash)).await
    }

    async fn tokens(&self, tenant: Option<TenantId>) -> Result<Vec<Token>, StoreError> {
        self.readers.read(move |connection| token::all(connection, tenant)).await
    }

    async fn revoke_token(
        &self,
        tenant: Option<TenantId>,
        token: TokenId,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |desk| token::revoke(desk, tenant, token, &by, now)).await
    }

    async fn save_channel(
        &self,
        draft: ChannelDraft,
        expect: Expect,
        by: Actor,
        now: Timestamp,
    ) -> Result<Saved, StoreError> {
        let prepared = channel::prepare(draft);
        self.writer.write(move |desk| channel::save(desk, &prepared, expect, &by, now)).await?
    }

    async fn channel(&self, tenant: TenantId, name: Name) -> Result<Option<ChannelRecord>, StoreError> {
        self.readers.read(move |connection| record::of_name(connection, tenant, &name)).await
    }

    async fn channel_of_id(
        &self,
        tenant: TenantId,
        channel: ChannelId,
    ) -> Result<Option<ChannelRecord>, StoreError> {
        self.readers.read(move |connection| record::of_id(connection, tenant, channel)).await
    }

    async fn channels(&self, tenant: TenantId) -> Result<Vec<ChannelRecord>, StoreError> {
        self.readers.read(move |connection| record::all(connection, tenant)).await
    }

    async fn revisions(
        &self,
        tenant: TenantId,
        channel: ChannelId,
    ) -> Result<Vec<ChannelRecord>, StoreError> {
        self.readers.read(move |connection| record::earlier(connection, tenant, channel)).await
    }

    async fn enable_channel(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        enabled: Enabled,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |desk| channel::enable(desk, tenant, channel, &enabled, &by, now)).await
    }

    async fn delete_channel(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        by: Actor,
        now: Timestamp,
    ) -> Result<Deleted, StoreError> {
        self.writer.write(move |desk| channel::delete(desk, tenant, channel, &by, now)).await
    }

    async fn uses_of_plugin(&self, plugin: String) -> Result<u64, StoreError> {
        self.readers.read(move |connection| record::uses_of_plugin(connection, &plugin)).await
    }

    async fn claim_key(&self, tenant: TenantId, key: String, claim: KeyClaim) -> Result<Claimed, StoreError> {
        self.writer.write(move |desk| key::claim(desk, tenant, &key, &claim)).await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer.write(move |desk| audit::add(desk, &entry)).await
    }

    async fn audit_log(
        &self,
        tenant: Option<TenantId>,
        after: Option<Cursor>,
        count_max: NonZeroUsize,
    ) -> Result<AuditPage, StoreError> {
        self.readers.read(move |connection| audit::page(connection, tenant, after, count_max)).await
    }

    async fn key_check(&self) -> Result<Option<String>, StoreError> {
        self.readers.read(seal::key_check).await
    }

    async fn set_key_check(&self, sealed: String) -> Result<(), StoreError> {
        self.writer.write(move |desk| seal::set_key_check(desk, &sealed)).await
    }

    async fn sealed(&self, after: u64, count_max: NonZeroUsize) -> Result<Vec<SealedPlace>, StoreError> {
        self.readers.read(move |connection| seal::from_place(connection, after, count_max)).await
    }

    async fn reseal(&self, place: u64, from: String, to: String) -> Result<bool, StoreError> {
        self.writer.write(move |desk| seal::reseal(desk, place, &from, &to)).await
    }
}
