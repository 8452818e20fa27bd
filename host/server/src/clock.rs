//! The one place that asks what time it is.

use jiff::Timestamp;

use crate::dice;

/// Handed to whoever needs the time; what decides by it takes a [`Timestamp`] instead, so that tests can own it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock;

impl Clock {
    #[expect(clippy::disallowed_methods, clippy::unused_self, reason = "this is the clock")]
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::now()
    }

    /// At least 0 and less than 1: which part of a wait it is.
    #[expect(clippy::unused_self, reason = "whoever is handed the clock may spread its waits")]
    pub(crate) fn jitter(self) -> f64 {
        dice::fraction()
    }
}
