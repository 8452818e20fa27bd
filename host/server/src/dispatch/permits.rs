//! How many attempts run at once: on this host, of one tenant, and how many only first tries may have.
//!
//! What a channel may have at once is the outbox's to keep: it gives no more leases than that.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbell_domain::TenantId;
use sandbell_store::Tries;
use tokio::sync::Notify;

/// Shared by the loop that takes permits and the attempts that give them back.
#[derive(Clone)]
pub(super) struct Permits {
    used: Arc<Mutex<Used>>,
    freed: Arc<Notify>,
    max: Max,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Max {
    /// Of the host, those that are reserved included.
    pub(super) attempts: usize,
    pub(super) tenant: usize,
    /// Only first tries may use these.
    pub(super) reserved_first: usize,
}

#[derive(Default)]
struct Used {
    any: usize,
    reserved: usize,
    tenants: HashMap<TenantId, usize>,
}

/// What can be leased now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) count_max: NonZeroUsize,
    pub(super) tries: Tries,
}

/// The right to run one attempt.
pub(super) struct Permit {
    permits: Permits,
    tenant: TenantId,
    is_reserved: bool,
}

impl Permits {
    pub(super) fn new(max: Max) -> Self {
        Self { used: Arc::default(), freed: Arc::default(), max }
    }

    /// `None` while everything runs that may.
    pub(super) fn room(&self) -> Option<Room> {
        let used = self.lock();
        let any = (self.max.attempts - self.max.reserved_first).saturating_sub(used.any);
        if let Some(count_max) = NonZeroUsize::new(any) {
            return Some(Room { count_max, tries: Tries::Any });
        }
        let reserved = self.max.reserved_first.saturating_sub(used.reserved);
        NonZeroUsize::new(reserved).map(|count_max| Room { count_max, tries: Tries::First })
    }

    /// What each tenant that runs something may still get.
    pub(super) fn rooms(&self) -> Vec<(TenantId, usize)> {
        let used = self.lock();
        used.tenants.iter().map(|(tenant, count)| (*tenant, self.max.tenant.saturating_sub(*count))).collect()
    }

    /// For a lease that [`Self::room`] had room for.
    pub(super) fn take(&self, tenant: TenantId, tries: Tries) -> Permit {
        let is_reserved = tries == Tries::First;
        let mut used = self.lock();
        *(if is_reserved { &mut used.reserved } else { &mut used.any }) += 1;
        *used.tenants.entry(tenant).or_default() += 1;
        Permit { permits: self.clone(), tenant, is_reserved }
    }

    /// Resolves when a permit was given back since the last call.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = self.permits.lock();
        *(if self.is_reserved { &mut used.reserved } else { &mut used.any }) -= 1;
        if let Some(count) = used.tenants.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                used.tenants.remove(&self.tenant);
            }
        }
        drop(used);
        self.permits.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(count_max: usize, tries: Tries) -> Room {
        Room { count_max: NonZeroUsize::new(count_max).unwrap(), tries }
    }

    #[test]
    fn reserved_permits_are_for_first_tries_once_the_others_are_gone() {
        let permits = Permits::new(Max { attempts: 3, tenant: 2, reserved_first: 1 });
        let (a, b) = (TenantId::of(&[b"a"]), TenantId::of(&[b"b"]));
        assert_eq!(permits.room(), Some(room(2, Tries::Any)));
        let one = permits.take(a, Tries::Any);
        let two = permits.take(a, Tries::Any);
        assert_eq!(permits.room(), Some(room(1, Tries::First)));
        assert_eq!(permits.rooms(), [(a, 0)]);
        let three = permits.take(b, Tries::First);
        assert_eq!(permits.room(), None);
        drop(one);
        assert_eq!(permits.room(), Some(room(1, Tries::Any)));
        drop(two);
        assert_eq!(permits.rooms(), [(b, 1)]);
        drop(three);
        assert_eq!((permits.rooms().len(), permits.room()), (0, Some(room(2, Tries::Any))));
    }
}
