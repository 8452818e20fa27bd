//! How the deliveries of a channel stand, and what was learnt of its destinations.

use sandbell_store::{ChannelRecord, ChannelState, Outbox as _};

use super::Shared;
use super::form::{ChannelStanding, CircuitForm, CircuitState};
use super::problem::Problem;
use crate::circuits::{Phase, Shown};

pub(super) async fn standing(node: &Shared, channel: &ChannelRecord) -> Result<ChannelStanding, Problem> {
    let state = node.store.channel_state(channel.tenant, channel.id, node.clock.now()).await?;
    let circuits = node.circuits.of(channel.id).into_iter().filter_map(circuit).collect();
    // The outbox knows nothing of a channel that never had a delivery.
    Ok(match state {
        None => ChannelStanding {
            waiting: 0,
            leased: 0,
            dead: 0,
            oldest_since: None,
            held_until: None,
            failures_in_row: 0,
            last_delivered_at: None,
            delivered_in_day: 0,
            failed_in_day: 0,
            circuits,
        },
        Some(ChannelState {
            channel: _,
            waiting,
            leased,
            dead,
            oldest_since,
            held_until,
            failures_in_row,
            last_delivered_at,
            delivered_in_day,
            failed_in_day,
        }) => ChannelStanding {
            waiting,
            leased,
            dead,
            oldest_since,
            held_until,
            failures_in_row,
            last_delivered_at,
            delivered_in_day,
            failed_in_day,
            circuits,
        },
    })
}

/// A closed circuit is a destination like any other.
fn circuit(shown: Shown) -> Option<CircuitForm> {
    let Shown { destination, phase, failures_in_row } = shown;
    let (state, until) = match phase {
        Phase::Closed => return None,
        Phase::Open { until } => (CircuitState::Open, until),
        Phase::HalfOpen { until } => (CircuitState::HalfOpen, until),
    };
    Some(CircuitForm { destination, state, until, failures_in_row })
}
