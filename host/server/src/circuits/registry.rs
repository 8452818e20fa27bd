//! The circuits of every channel.
//!
//! A channel waits only while every destination that it is known to have is left alone: which one a delivery is for
//! shows when it is tried.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sandbell_domain::ChannelId;

use super::circuit::{Circuit, May, Phase, Rules, Signal};
use crate::kept::Kept;

/// Channels that are remembered; what is forgotten starts anew.
const CHANNELS_MAX: usize = 16_384;

/// Destinations of one channel; one beyond them has no circuit.
const DESTINATIONS_MAX: usize = 8;

pub(crate) struct Circuits {
    channels: Mutex<Kept<ChannelId, Channel>>,
}

#[derive(Default)]
struct Channel {
    destinations: Vec<(String, Circuit)>,
}

/// Whether an attempt of a channel may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Go,
    /// It begins, and no other of this channel before it ends, or before this moment.
    Probe(Timestamp),
    /// Everything is left alone until then.
    NotBefore(Timestamp),
    /// A probe is under way.
    Probing,
}

/// What an attempt changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// The channel is to be left alone until then; it was not before.
    pub(crate) hold: Option<Timestamp>,
    /// The channel need not be left alone any more.
    pub(crate) is_released: bool,
}

/// One circuit, for those who look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) destination: String,
    pub(crate) phase: Phase,
    pub(crate) failures_in_row: u32,
}

impl Channel {
    /// Until when everything is left alone, if it is.
    fn held_until(&self) -> Option<Timestamp> {
        let mut earliest: Option<Timestamp> = None;
        for (_, circuit) in &self.destinations {
            let until = match circuit.phase() {
                Phase::Closed => return None,
                Phase::Open { until } | Phase::HalfOpen { until } => until,
            };
            earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
        }
        earliest
    }

    /// The circuit of this destination; without one, that of a channel which has a single destination.
    fn circuit(&mut self, destination: Option<&str>) -> Option<&mut Circuit> {
        let Some(destination) = destination else {
            return match self.destinations.as_mut_slice() {
                [(_, circuit)] => Some(circuit),
                _ => None,
            };
        };
        let known = self.destinations.iter().position(|(known, _)| known == destination);
        let index = known.or_else(|| {
            let has_room = self.destinations.len() < DESTINATIONS_MAX;
            has_room.then(|| self.destinations.push((destination.to_owned(), Circuit::new())))?;
            Some(self.destinations.len() - 1)
        })?;
        Some(&mut self.destinations[index].1)
    }
}

impl Circuits {
    pub(crate) fn new() -> Self {
        Self { channels: Mutex::new(Kept::new(CHANNELS_MAX)) }
    }

    /// Whether an attempt may begin now; one that may is a probe if the channel was left alone before.
    pub(crate) fn admit(&self, channel: ChannelId, now: Timestamp, rules: &Rules) -> Admission {
        let mut channels = self.lock();
        let Some(channel) = channels.get(&channel) else { return Admission::Go };
        if channel.held_until().is_none() {
            return Admission::Go;
        }
        for (_, circuit) in &mut channel.destinations {
            match circuit.admit(now, rules) {
                May::Try => return Admission::Go,
                May::Probe(until) => return Admission::Probe(until),
                May::NotBefore(_) => {}
            }
        }
        let is_probing = |phase| matches!(phase, Phase::HalfOpen { .. });
        if channel.destinations.iter().any(|(_, circuit)| is_probing(circuit.phase())) {
            return Admission::Probing;
        }
        channel.held_until().map_or(Admission::Go, Admission::NotBefore)
    }

    /// What an attempt showed of a destination; absent: it got to none.
    pub(crate) fn note(
        &self,
        channel: ChannelId,
        destination: Option<&str>,
        signal: Signal,
        now: Timestamp,
        rules: &Rules,
    ) -> Noted {
        let mut channels = self.lock();
        if channels.get(&channel).is_none() {
            channels.insert(channel, Channel::default());
        }
        let channel = channels.get(&channel).expect("it was inserted if it was not there");
        let before = channel.held_until();
        if let Some(circuit) = channel.circuit(destination) {
            circuit.note(signal, now, rules);
        }
        let after = channel.held_until();
        Noted { hold: after.filter(|_| after != before), is_released: before.is_some() && after.is_none() }
    }

    /// What is known of a channel's destinations.
    pub(crate) fn of(&self, channel: ChannelId) -> Vec<Shown> {
        let mut channels = self.lock();
        let Some(Channel { destinations }) = channels.get(&channel) else { return Vec::new() };
        let shown = destinations.iter().map(|(destination, circuit)| Shown {
            destination: destination.clone(),
            phase: circuit.phase(),
            failures_in_row: circuit.failures_in_row(),
        });
        shown.collect()
    }

    /// The channel starts anew, e.g. because it was saved or enabled.
    pub(crate) fn forget(&self, channel: ChannelId) {
        self.lock().remove(&channel);
    }

    fn lock(&self) -> MutexGuard<'_, Kept<ChannelId, Channel>> {
        // Every change under the lock is a few assignments, so a panic elsewhere leaves nothing half done.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RULES: Rules = Rules {
        failures: 1,
        wait_first: Duration::from_secs(10),
        wait_max: Duration::from_secs(10),
        probe: Duration::from_mins(1),
    };
    const BAD: Signal = Signal::Bad { retry_after: None };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_channel_waits_only_while_all_of_its_destinations_do() {
        let (circuits, id) = (Circuits::new(), ChannelId::of(&[b"c"]));
        let note = |destination, signal| {
            let noted = circuits.note(id, Some(destination), signal, at(0), &RULES);
            (noted.hold, noted.is_released)
        };
        assert_eq!(circuits.admit(id, at(0), &RULES), Admission::Go);
        assert_eq!(note("a:443", BAD), (Some(at(10)), false));
        assert_eq!(circuits.admit(id, at(0), &RULES), Admission::NotBefore(at(10)));
        assert_eq!(note("b:443", Signal::Good), (None, true));
        assert_eq!(circuits.admit(id, at(0), &RULES), Admission::Go);
        assert_eq!(note("b:443", BAD), (Some(at(10)), false));
        assert_eq!(circuits.admit(id, at(5), &RULES), Admission::NotBefore(at(10)));
        assert_eq!(circuits.admit(id, at(10), &RULES), Admission::Probe(at(70)));
        assert_eq!(circuits.of(id).len(), 2);
        circuits.forget(id);
        assert_eq!(circuits.of(id), []);
    }

    #[test]
    fn the_probe_of_a_single_destination_is_the_only_try() {
        let (circuits, id) = (Circuits::new(), ChannelId::of(&[b"c"]));
        circuits.note(id, Some("a:443"), BAD, at(0), &RULES);
        assert_eq!(circuits.admit(id, at(10), &RULES), Admission::Probe(at(70)));
        assert_eq!(circuits.admit(id, at(10), &RULES), Admission::Probing);
        // It broke off before it got anywhere: the next one may try at once.
        let noted = circuits.note(id, None, Signal::Nothing, at(11), &RULES);
        assert_eq!(noted.hold, Some(at(11)));
        assert_eq!(circuits.admit(id, at(11), &RULES), Admission::Probe(at(71)));
        let noted = circuits.note(id, Some("a:443"), Signal::Good, at(12), &RULES);
        assert_eq!(noted, Noted { hold: None, is_released: true });
    }

    #[test]
    fn destinations_have_an_end() {
        let (circuits, id) = (Circuits::new(), ChannelId::of(&[b"c"]));
        for port in 0..20 {
            circuits.note(id, Some(&format!("a:{port}")), BAD, at(0), &RULES);
        }
        assert_eq!(circuits.of(id).len(), DESTINATIONS_MAX);
    }
}
