//! Whether the dispatcher's loop still turns, and whether its last turn worked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The loop turns at least every few seconds; after so long without a beat it hangs.
const SILENCE_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Pulse {
    last: Mutex<Last>,
}

struct Last {
    at: Instant,
    failure: Option<String>,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { last: Mutex::new(Last { at: Instant::now(), failure: None }) }
    }

    pub(crate) fn beat(&self) {
        self.last().at = Instant::now();
    }

    /// What the store answered when something was to be leased, which writes.
    pub(crate) fn worked(&self) {
        self.last().failure = None;
    }

    pub(crate) fn failed(&self, error: &dyn std::error::Error) {
        self.last().failure = Some(error.to_string());
    }

    pub(crate) fn last_failure(&self) -> Option<String> {
        self.last().failure.clone()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.last().at.elapsed() < SILENCE_MAX
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
