//! The one place that asks what time it is.

use jiff::Timestamp;

/// Handed to whoever needs the time, so that tests can own it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    System,
    #[cfg(test)]
    Fixed(Timestamp),
}

impl Clock {
    pub(crate) fn now(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Self::System => Timestamp::now(),
            #[cfg(test)]
            Self::Fixed(now) => now,
        }
    }
}
