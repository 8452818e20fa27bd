//! What becomes of a delivery after a try.
//!
//! The answer depends on nothing but what is handed in, so that every case is a line of a table.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Failure, FailureKind, Outcome};

/// How long and how often a delivery is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest wait before the second try; it doubles with every further one.
    pub wait_first: Duration,
    /// Where doubling ends.
    pub wait_max: Duration,
    /// Counted from the acceptance of the delivery, or from its last redrive. No try begins later.
    pub age_max: Duration,
    pub attempts_max: NonZeroU32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            wait_first: Duration::from_secs(5),
            wait_max: Duration::from_hours(1),
            age_max: Duration::from_hours(24),
            attempts_max: NonZeroU32::MIN.saturating_add(19),
        }
    }
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// It waits, and may be tried again from then on.
    RetryAt(Timestamp),
    /// It is a dead letter: not tried again until someone redrives it.
    Dead(DeadReason),
}

/// Why a delivery is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadReason {
    /// The plugin said that trying again cannot help.
    Permanent,
    /// The channel's configuration must change first.
    Misconfigured,
    /// The channel used a power that nobody granted.
    Denied,
    /// It was tried as often as the policy allows.
    Exhausted,
    /// The next try would begin after the policy's longest age.
    TooOld,
    /// Somebody asked for it.
    Cancelled,
}

impl DeadReason {
    pub const ALL: [Self; 6] =
        [Self::Permanent, Self::Misconfigured, Self::Denied, Self::Exhausted, Self::TooOld, Self::Cancelled];

    /// One stable word, for storage, filters and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Misconfigured => "misconfigured",
            Self::Denied => "denied",
            Self::Exhausted => "exhausted",
            Self::TooOld => "too-old",
            Self::Cancelled => "cancelled",
        }
    }

    /// The reason that [`Self::as_str`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Decides after attempt `attempt_number` of a delivery that was accepted, or redriven, at `since`.
///
/// The wait is a random part of the doubled one (full jitter: `jitter` is at least 0 and less than 1), so that a
/// receiver that comes back is not met by everybody at once. A longer `retry_after` of the receiver wins. A wait that
/// would end after the policy's age is not begun. A clock that went back makes no delivery older than it is.
pub fn judge(
    outcome: &Outcome,
    attempt_number: NonZeroU32,
    policy: &RetryPolicy,
    since: Timestamp,
    now: Timestamp,
    jitter: f64,
) -> Verdict {
    let failure = match outcome {
        Outcome::Delivered { .. } => return Verdict::Delivered,
        Outcome::Failed(failure) => failure,
    };
    match failure.kind {
        FailureKind::Permanent => return Verdict::Dead(DeadReason::Permanent),
        FailureKind::Misconfigured => return Verdict::Dead(DeadReason::Misconfigured),
        FailureKind::Denied => return Verdict::Dead(DeadReason::Denied),
        FailureKind::Transient | FailureKind::Trapped | FailureKind::TimedOut => {}
    }
    if attempt_number >= policy.attempts_max {
        return Verdict::Dead(DeadReason::Exhausted);
    }
    let wait = wait_after(failure, attempt_number, policy, jitter);
    let age = Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO);
    if wait > policy.age_max.saturating_sub(age) {
        return Verdict::Dead(DeadReason::TooOld);
    }
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    Verdict::RetryAt(now.saturating_add(wait).expect("a signed duration always saturates"))
}

fn wait_after(failure: &Failure, attempt_number: NonZeroU32, policy: &RetryPolicy, jitter: f64) -> Duration {
    let doublings = attempt_number.get() - 1;
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    let longest = policy.wait_first.saturating_mul(factor).min(policy.wait_max);
    let wait = longest.mul_f64(jitter.clamp(0.0, 1.0));
    wait.max(failure.retry_after.unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Receipt;

    const HOUR: u64 = 60 * 60;

    fn failed(kind: FailureKind) -> Outcome {
        failed_after(kind, None)
    }

    fn failed_after(kind: FailureKind, retry_after: Option<u64>) -> Outcome {
        let retry_after = retry_after.map(Duration::from_secs);
        Outcome::Failed(Failure { kind, code: "http-503".to_owned(), detail: String::new(), retry_after })
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + i64::try_from(seconds).unwrap()).unwrap()
    }

    /// Judged at `age` seconds after acceptance.
    fn judged(outcome: &Outcome, number: u32, age: u64, jitter: f64) -> Verdict {
        let number = NonZeroU32::new(number).unwrap();
        judge(outcome, number, &RetryPolicy::default(), at(0), at(age), jitter)
    }

    #[test]
    fn the_kind_of_failure_decides_first() {
        let check = |outcome: Outcome, want| assert_eq!(judged(&outcome, 1, 0, 1.0), want, "{outcome:?}");
        check(Outcome::Delivered { receipt: Receipt::default() }, Verdict::Delivered);
        check(failed(FailureKind::Permanent), Verdict::Dead(DeadReason::Permanent));
        check(failed(FailureKind::Misconfigured), Verdict::Dead(DeadReason::Misconfigured));
        check(failed(FailureKind::Denied), Verdict::Dead(DeadReason::Denied));
        check(failed(FailureKind::Transient), Verdict::RetryAt(at(5)));
        check(failed(FailureKind::Trapped), Verdict::RetryAt(at(5)));
        check(failed(FailureKind::TimedOut), Verdict::RetryAt(at(5)));
        // A receiver that names a time does not bring back what cannot be brought back.
        check(failed_after(FailureKind::Permanent, Some(1)), Verdict::Dead(DeadReason::Permanent));
    }

    #[test]
    fn waits_double_up_to_an_hour_and_jitter_takes_a_part() {
        let check = |number, jitter, wait| {
            assert_eq!(
                judged(&failed(FailureKind::Transient), number, 0, jitter),
                Verdict::RetryAt(at(wait))
            );
        };
        check(1, 1.0, 5);
        check(2, 1.0, 10);
        check(3, 1.0, 20);
        check(10, 1.0, 2_560);
        check(11, 1.0, 3_600);
        check(19, 1.0, 3_600);
        check(3, 0.5, 10);
        check(3, 0.0, 0);
        check(3, -1.0, 0);
        check(3, 7.0, 20);
    }

    #[test]
    fn a_longer_retry_after_wins() {
        let check = |retry_after, want| {
            let outcome = failed_after(FailureKind::Transient, Some(retry_after));
            assert_eq!(judged(&outcome, 1, 0, 1.0), want, "{retry_after}");
        };
        check(0, Verdict::RetryAt(at(5)));
        check(4, Verdict::RetryAt(at(5)));
        check(90, Verdict::RetryAt(at(90)));
        check(24 * HOUR, Verdict::RetryAt(at(24 * HOUR)));
        check(24 * HOUR + 1, Verdict::Dead(DeadReason::TooOld));
        check(u64::MAX, Verdict::Dead(DeadReason::TooOld));
    }

    #[test]
    fn whichever_comes_first_ends_it() {
        let check = |number, age, want| {
            let verdict = judged(&failed(FailureKind::Transient), number, age, 1.0);
            assert_eq!(verdict, want, "attempt {number} at {age} s");
        };
        check(19, 0, Verdict::RetryAt(at(HOUR)));
        check(20, 0, Verdict::Dead(DeadReason::Exhausted));
        check(u32::MAX, 0, Verdict::Dead(DeadReason::Exhausted));
        check(12, 23 * HOUR, Verdict::RetryAt(at(24 * HOUR)));
        check(12, 23 * HOUR + 1, Verdict::Dead(DeadReason::TooOld));
        check(1, 30 * HOUR, Verdict::Dead(DeadReason::TooOld));
    }

    #[test]
    fn a_clock_that_went_back_makes_nothing_older() {
        let (before, now) = (at(0), at(1_000_000));
        let verdict = judge(
            &failed(FailureKind::Transient),
            NonZeroU32::MIN,
            &RetryPolicy::default(),
            now,
            before,
            1.0,
        );
        assert_eq!(verdict, Verdict::RetryAt(at(5)));
    }

    #[test]
    fn every_reason_reads_back() {
        for reason in DeadReason::ALL {
            assert_eq!(DeadReason::from_word(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!(DeadReason::from_word("dead"), None);
    }
}
