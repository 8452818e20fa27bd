//! Whether the dispatcher's loop still turns, and whether the store takes what it is given.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The loop turns at least every few seconds; after so long without a beat it hangs.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A failure is shown for so long, even if the next write needed less room and worked.
const FAILURE_SHOWN: Duration = Duration::from_secs(10);

pub(crate) struct Pulse {
    last: Mutex<Last>,
}

struct Last {
    at: Instant,
    failure: Option<(Instant, String)>,
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
        let mut last = self.last();
        if last.failure.as_ref().is_some_and(|(at, _)| at.elapsed() >= FAILURE_SHOWN) {
            last.failure = None;
        }
    }

    pub(crate) fn failed(&self, error: &dyn std::error::Error) {
        self.last().failure = Some((Instant::now(), error.to_string()));
    }

    pub(crate) fn last_failure(&self) -> Option<String> {
        self.last().failure.as_ref().map(|(_, failure)| failure.clone())
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.last().at.elapsed() < SILENCE_MAX
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
