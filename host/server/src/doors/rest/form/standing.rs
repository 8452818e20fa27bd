//! How the deliveries of a channel stand.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::text;

/// How the deliveries of a channel stand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelStanding {
    pub(crate) waiting: u64,
    pub(crate) leased: u64,
    pub(crate) dead: u64,
    /// When the oldest that waits was accepted or last redriven.
    #[schema(schema_with = text::time_or_null)]
    pub(crate) oldest_since: Option<Timestamp>,
    /// Until when nothing of it is tried: its destination failed, or its rate is used up.
    #[schema(schema_with = text::time_or_null)]
    pub(crate) held_until: Option<Timestamp>,
    /// Failed tries since it last delivered or was enabled.
    pub(crate) failures_in_row: u32,
    #[schema(schema_with = text::time_or_null)]
    pub(crate) last_delivered_at: Option<Timestamp>,
    /// Tries that delivered, in this hour and the 23 before it.
    pub(crate) delivered_in_day: u64,
    /// Tries that failed, in the same hours.
    pub(crate) failed_in_day: u64,
    /// Destinations that are not tried for a while because they failed.
    pub(crate) circuits: Vec<CircuitForm>,
}

/// A destination that is not tried for a while.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Circuit)]
pub(crate) struct CircuitForm {
    #[schema(example = "https://hooks.example.com")]
    pub(crate) destination: String,
    pub(crate) state: CircuitState,
    /// When one delivery is tried to see whether it is back.
    #[schema(schema_with = text::time)]
    pub(crate) until: Timestamp,
    pub(crate) failures_in_row: u32,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CircuitState {
    Open,
    HalfOpen,
}
