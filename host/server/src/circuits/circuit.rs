//! One destination of one channel: closed, open for a while, half-open with one probe. Decides and does nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When a circuit opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Doubles with each probe that fails.
    pub(crate) wait_first: Duration,
    pub(crate) wait_max: Duration,
    /// After so long a probe is taken for lost: as long as a lease is held.
    pub(crate) probe: Duration,
}

/// What an attempt showed of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It answered; what it said of this delivery does not matter.
    Good,
    /// It did not, or asked to be left alone.
    Bad { retry_after: Option<Duration> },
    /// The attempt says nothing of it.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    /// Nothing is tried before this moment.
    Open {
        until: Timestamp,
    },
    /// One try is under way, and decides; after this moment another may be.
    HalfOpen {
        until: Timestamp,
    },
}

/// Starts closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Circuit {
    phase: Phase,
    failures_in_row: u32,
    /// How often it has opened since it was last closed.
    openings: u32,
}

/// Whether a try may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum May {
    Try,
    /// This one, and no other until it ends, or until it is taken for lost.
    Probe(Timestamp),
    NotBefore(Timestamp),
}

impl Circuit {
    pub(crate) const fn new() -> Self {
        Self { phase: Phase::Closed, failures_in_row: 0, openings: 0 }
    }

    pub(crate) const fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) const fn failures_in_row(&self) -> u32 {
        self.failures_in_row
    }

    /// Whether a try may begin now; a probe that is allowed has begun.
    pub(crate) fn admit(&mut self, now: Timestamp, rules: &Rules) -> May {
        match self.phase {
            Phase::Closed => May::Try,
            Phase::Open { until } | Phase::HalfOpen { until } if now < until => May::NotBefore(until),
            Phase::Open { .. } | Phase::HalfOpen { .. } => {
                let until = after(now, rules.probe);
                self.phase = Phase::HalfOpen { until };
                May::Probe(until)
            }
        }
    }

    /// What an attempt showed. While it is open, attempts that began before do not open it further.
    pub(crate) fn note(&mut self, signal: Signal, now: Timestamp, rules: &Rules) {
        match (signal, self.phase) {
            (Signal::Nothing, Phase::HalfOpen { .. }) => self.phase = Phase::Open { until: now },
            (Signal::Nothing, Phase::Closed | Phase::Open { .. }) => {}
            (Signal::Good, _) => *self = Self::new(),
            (Signal::Bad { retry_after }, phase) => {
                self.failures_in_row = self.failures_in_row.saturating_add(1);
                let opens = match phase {
                    Phase::Closed => self.failures_in_row >= rules.failures,
                    Phase::HalfOpen { .. } => true,
                    Phase::Open { .. } => false,
                };
                if opens {
                    let factor = 2_u32.checked_pow(self.openings).unwrap_or(u32::MAX);
                    let wait = rules.wait_first.saturating_mul(factor).min(rules.wait_max);
                    let wait = wait.max(retry_after.unwrap_or(Duration::ZERO));
                    self.openings = self.openings.saturating_add(1);
                    self.phase = Phase::Open { until: after(now, wait) };
                }
            }
        }
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).expect("a signed duration always saturates")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        failures: 3,
        wait_first: Duration::from_secs(10),
        wait_max: Duration::from_secs(30),
        probe: Duration::from_mins(1),
    };

    const BAD: Signal = Signal::Bad { retry_after: None };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Plays `note`s and `admit`s at their seconds, and tells what the last one left.
    fn play(steps: &[(i64, Option<Signal>)]) -> (Option<May>, Phase) {
        let mut circuit = Circuit::new();
        let mut may = None;
        for (second, signal) in steps {
            match signal {
                Some(signal) => circuit.note(*signal, at(*second), &RULES),
                None => may = Some(circuit.admit(at(*second), &RULES)),
            }
        }
        (may, circuit.phase())
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let check = |signals: &[Signal], want: Phase| {
            let steps: Vec<_> = signals.iter().map(|signal| (0, Some(*signal))).collect();
            assert_eq!(play(&steps).1, want, "{signals:?}");
        };
        let open = |second| Phase::Open { until: at(second) };
        check(&[BAD, BAD], Phase::Closed);
        check(&[BAD, BAD, BAD], open(10));
        check(&[BAD, BAD, Signal::Good, BAD, BAD], Phase::Closed);
        check(&[BAD, BAD, Signal::Nothing, BAD], open(10));
        check(&[BAD, BAD, Signal::Bad { retry_after: Some(Duration::from_mins(2)) }], open(120));
        check(&[BAD, BAD, BAD, BAD, BAD, BAD], open(10));
    }

    #[test]
    fn one_probe_decides() {
        let opened = [(0, Some(BAD)), (0, Some(BAD)), (0, Some(BAD))];
        let check = |more: &[(i64, Option<Signal>)], want: (Option<May>, Phase)| {
            assert_eq!(play(&[&opened, more].concat()), want, "{more:?}");
        };
        let (open, half) =
            (|second| Phase::Open { until: at(second) }, |second| Phase::HalfOpen { until: at(second) });
        check(&[(9, None)], (Some(May::NotBefore(at(10))), open(10)));
        check(&[(10, None)], (Some(May::Probe(at(70))), half(70)));
        check(&[(10, None), (11, None)], (Some(May::NotBefore(at(70))), half(70)));
        check(&[(10, None), (12, Some(Signal::Good)), (12, None)], (Some(May::Try), Phase::Closed));
        check(&[(10, None), (12, Some(BAD))], (Some(May::Probe(at(70))), open(32)));
        check(&[(10, None), (12, Some(Signal::Nothing)), (12, None)], (Some(May::Probe(at(72))), half(72)));
        check(&[(10, None), (70, None)], (Some(May::Probe(at(130))), half(130)));
    }

    #[test]
    fn waits_double_up_to_their_end_and_start_anew_after_success() {
        let mut circuit = Circuit::new();
        let mut waits = Vec::new();
        let mut now = at(0);
        for _ in 0..3 {
            circuit.note(BAD, now, &RULES);
        }
        for _ in 0..4 {
            let Phase::Open { until } = circuit.phase() else { panic!("{circuit:?}") };
            waits.push(until.duration_since(now).as_secs());
            now = until;
            assert!(matches!(circuit.admit(now, &RULES), May::Probe(_)));
            circuit.note(BAD, now, &RULES);
        }
        assert_eq!(waits, [10, 20, 30, 30]);
        circuit.note(Signal::Good, now, &RULES);
        assert_eq!(circuit, Circuit::new());
    }
}
