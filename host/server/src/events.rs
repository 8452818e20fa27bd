//! What has just happened to deliveries, for those who watch; who watches too slowly misses something and is told so.

use jiff::Timestamp;
use sandbell_domain::{ChannelId, DeliveryId, NotificationId, Outcome, TenantId, Verdict};
use tokio::sync::broadcast;

/// Events that a slow watcher may be behind.
const BEHIND_MAX: usize = 1_024;

/// One try is over, and this is what became of the delivery.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) tenant: TenantId,
    pub(crate) channel: ChannelId,
    pub(crate) notification: NotificationId,
    pub(crate) delivery: DeliveryId,
    pub(crate) attempt_number: u32,
    pub(crate) outcome: Outcome,
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Events {
    sender: broadcast::Sender<Tried>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(BEHIND_MAX) }
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<Tried> {
        self.sender.subscribe()
    }

    /// Costs nothing while nobody watches.
    pub(crate) fn tell(&self, tried: impl FnOnce() -> Tried) {
        if self.sender.receiver_count() > 0 {
            // The last watcher may have gone in between.
            let _ = self.sender.send(tried());
        }
    }
}
