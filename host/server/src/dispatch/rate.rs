//! How many attempts may begin in a minute: spread over it, a tenth of them at once.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::kept::Kept;

/// Who is remembered; whoever is forgotten starts with a full measure.
const KEYS_MAX: usize = 16_384;

/// One limiter for each key that has a limit.
pub(super) struct Rates<K, C: Clock + Clone = DefaultClock> {
    clock: C,
    limiters: Mutex<Kept<K, (NonZeroU32, Limiter<C>)>>,
}

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<K: Eq + Hash + Copy, C: Clock + Clone> Rates<K, C> {
    pub(super) fn new(clock: C) -> Self {
        Self { clock, limiters: Mutex::new(Kept::new(KEYS_MAX)) }
    }

    /// Takes one of `per_minute_max`, or says how long until there is one.
    pub(super) fn take(&self, key: K, per_minute_max: NonZeroU32) -> Result<(), Duration> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = limiters.get(&key).is_some_and(|(max, _)| *max == per_minute_max);
        if !is_known {
            let burst = NonZeroU32::new(per_minute_max.get() / 10).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(per_minute_max).allow_burst(burst);
            limiters.insert(key, (per_minute_max, RateLimiter::direct_with_clock(quota, self.clock.clone())));
        }
        let (_, limiter) = limiters.get(&key).expect("it was inserted if it was not there");
        limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    /// How many of `asked` begin, one asked for each `every`.
    fn begun(per_minute: u32, asked: usize, every: Duration) -> usize {
        let clock = FakeRelativeClock::default();
        let rates = Rates::new(clock.clone());
        let mut begun = 0;
        for _ in 0..asked {
            begun += usize::from(rates.take(1, per_minute.try_into().unwrap()).is_ok());
            clock.advance(every);
        }
        begun
    }

    #[test]
    fn a_minute_holds_its_measure_and_a_tenth_of_it_at_once() {
        assert_eq!(begun(60, 100, Duration::ZERO), 6);
        assert_eq!(begun(60, 600, Duration::from_millis(100)), 65);
        assert_eq!(begun(5, 100, Duration::ZERO), 1);
        assert_eq!(begun(60, 60, Duration::from_secs(1)), 60);
    }

    #[test]
    fn who_waits_is_told_how_long() {
        let clock = FakeRelativeClock::default();
        let rates = Rates::new(clock.clone());
        let one = |key| rates.take(key, NonZeroU32::new(6).unwrap());
        assert_eq!((one(1), one(2)), (Ok(()), Ok(())));
        let wait = one(1).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
        clock.advance(wait);
        assert_eq!(one(1), Ok(()));
        assert_eq!(rates.take(1, NonZeroU32::new(600).unwrap()), Ok(()));
    }
}
