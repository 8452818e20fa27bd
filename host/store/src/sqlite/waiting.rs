//! Who waits in this process for a delivery to be settled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sandbell_domain::DeliveryId;
use tokio::sync::Notify;

/// Only a way to be told early: what a waiter is told it reads from the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    waiters: Arc<Mutex<HashMap<DeliveryId, Waiters>>>,
}

#[derive(Debug, Default)]
struct Waiters {
    count: usize,
    told: Arc<Notify>,
}

/// A place among those who wait; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Place {
    waiting: Waiting,
    delivery: DeliveryId,
    told: Arc<Notify>,
}

impl Waiting {
    pub(super) fn join(&self, delivery: DeliveryId) -> Place {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = waiters.entry(delivery).or_default();
        entry.count += 1;
        Place { waiting: self.clone(), delivery, told: Arc::clone(&entry.told) }
    }

    pub(super) fn tell(&self, settled: &[DeliveryId]) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if waiters.is_empty() {
            return;
        }
        for entry in settled.iter().filter_map(|delivery| waiters.get(delivery)) {
            entry.told.notify_waiters();
        }
    }
}

impl Place {
    /// Completes at the next telling after it was created.
    pub(super) fn told(&self) -> tokio::sync::futures::Notified<'_> {
        self.told.notified()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiters = self.waiting.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = waiters.get_mut(&self.delivery) {
            entry.count -= 1;
            if entry.count == 0 {
                waiters.remove(&self.delivery);
            }
        }
    }
}
