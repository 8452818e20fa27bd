//! What the catalog says of tenants and channels, kept in memory until somebody changes it.
//!
//! Whoever changes the catalog says so by [`Roster::forget`]; one process serves a state directory, so nobody else does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbell_domain::{ChannelId, Name, Tenant, TenantId};
use sandbell_store::{Catalog as _, ChannelRecord, StoreError};

use crate::kept::Kept;
use crate::store::Store;

/// Tenants whose channels are in memory; the rest is read when it is asked for.
const TENANTS_KEPT_MAX: usize = 2_000;

pub(crate) struct Roster {
    store: Store,
    tenants: Mutex<Option<Arc<[Tenant]>>>,
    channels: Mutex<Kept<TenantId, Arc<Channels>>>,
    /// Counts what was forgotten, so that what was read before is not kept after.
    forgotten: AtomicU64,
}

/// The channels of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    by_name: Vec<Arc<ChannelRecord>>,
    by_id: HashMap<ChannelId, Arc<ChannelRecord>>,
}

impl Channels {
    fn new(records: Vec<ChannelRecord>) -> Self {
        let by_name: Vec<_> = records.into_iter().map(Arc::new).collect();
        let by_id = by_name.iter().map(|channel| (channel.id, Arc::clone(channel))).collect();
        Self { by_name, by_id }
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<ChannelRecord>> {
        self.by_name.iter()
    }

    pub(crate) fn named(&self, name: &Name) -> Option<&Arc<ChannelRecord>> {
        self.by_name.iter().find(|channel| channel.name == *name)
    }

    pub(crate) fn of_id(&self, id: ChannelId) -> Option<&Arc<ChannelRecord>> {
        self.by_id.get(&id)
    }
}

impl Roster {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            tenants: Mutex::default(),
            channels: Mutex::new(Kept::new(TENANTS_KEPT_MAX)),
            forgotten: AtomicU64::new(0),
        }
    }

    /// All tenants, by name.
    pub(crate) async fn tenants(&self) -> Result<Arc<[Tenant]>, StoreError> {
        if let Some(tenants) = lock(&self.tenants).clone() {
            return Ok(tenants);
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let tenants: Arc<[Tenant]> = self.store.tenants().await?.into();
        let mut kept = lock(&self.tenants);
        if self.forgotten.load(Ordering::Acquire) == before {
            *kept = Some(Arc::clone(&tenants));
        }
        Ok(tenants)
    }

    pub(crate) async fn tenant(&self, name: &Name) -> Result<Option<Tenant>, StoreError> {
        Ok(self.tenants().await?.iter().find(|tenant| tenant.name == *name).cloned())
    }

    /// The name of a tenant, for logs and metrics.
    pub(crate) async fn tenant_of_id(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        Ok(self.tenants().await?.iter().find(|tenant| tenant.id == id).cloned())
    }

    pub(crate) async fn channels(&self, tenant: TenantId) -> Result<Arc<Channels>, StoreError> {
        if let Some(channels) = lock(&self.channels).get(&tenant) {
            return Ok(Arc::clone(channels));
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let channels = Arc::new(Channels::new(self.store.channels(tenant).await?));
        let mut kept = lock(&self.channels);
        if self.forgotten.load(Ordering::Acquire) == before {
            kept.insert(tenant, Arc::clone(&channels));
        }
        Ok(channels)
    }

    pub(crate) async fn channel(
        &self,
        tenant: TenantId,
        channel: ChannelId,
    ) -> Result<Option<Arc<ChannelRecord>>, StoreError> {
        Ok(self.channels(tenant).await?.of_id(channel).cloned())
    }

    /// To be called after each change of the tenant's channels.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        lock(&self.channels).remove(&tenant);
    }

    /// To be called after each change of a tenant.
    pub(crate) fn forget_tenants(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        *lock(&self.tenants) = None;
    }

    /// Nothing of what was in memory is trusted any more.
    pub(crate) fn forget_all(&self) {
        self.forget_tenants();
        lock(&self.channels).clear();
    }
}

/// What is behind the lock is replaced as a whole, so a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
