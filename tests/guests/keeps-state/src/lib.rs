//! Remembers deliveries, to tell one about the other.

use std::sync::atomic::{AtomicU32, Ordering};

use guest_kit::{Attack, Notification, Receipt, SendError, attack, report};

static SEEN: AtomicU32 = AtomicU32::new(0);

struct KeepsState;

impl Attack for KeepsState {
    const NAME: &'static str = "keeps-state";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        report(format!("deliveries before this one: {}", SEEN.fetch_add(1, Ordering::Relaxed)))
    }
}

attack!(KeepsState);
