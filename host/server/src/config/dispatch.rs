//! `[dispatch]`

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::key::{Key, Kind, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dispatch {
    pub(crate) attempts_max: NonZeroU32,
    pub(crate) tenant_attempts_max: NonZeroU32,
    pub(crate) reserved_first: u32,
    #[serde(with = "duration")]
    pub(crate) attempt: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_per_minute_max: Option<NonZeroU32>,
    pub(crate) circuit_failures: NonZeroU32,
    #[serde(with = "duration")]
    pub(crate) circuit_wait_first: Duration,
    #[serde(with = "duration")]
    pub(crate) circuit_wait_max: Duration,
    #[serde(with = "duration")]
    pub(crate) stop: Duration,
}

const fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("the defaults are not 0")
}

impl Default for Dispatch {
    fn default() -> Self {
        Self {
            attempts_max: count(256),
            tenant_attempts_max: count(64),
            reserved_first: 32,
            attempt: Duration::from_secs(30),
            tenant_per_minute_max: None,
            circuit_failures: count(5),
            circuit_wait_first: Duration::from_secs(10),
            circuit_wait_max: Duration::from_mins(5),
            stop: Duration::from_secs(35),
        }
    }
}

impl Dispatch {
    /// Twice the limit of an attempt: a slow attempt keeps its lease and a dead process loses it.
    pub(crate) fn hold(&self) -> Duration {
        self.attempt * 2
    }

    pub(crate) fn has_same_permits(&self, other: &Self) -> bool {
        let permits =
            |this: &Self| (this.attempts_max, this.tenant_attempts_max, this.reserved_first, this.attempt);
        permits(self) == permits(other)
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "attempts_max",
        kind: Kind::Number,
        value: Value::Default("256"),
        help: "Attempts that run at the same time on this host.",
    },
    Key {
        name: "tenant_attempts_max",
        kind: Kind::Number,
        value: Value::Default("64"),
        help: "Of them, those of one tenant: one whose receivers hang leaves the rest to the others.",
    },
    Key {
        name: "reserved_first",
        kind: Kind::Number,
        value: Value::Default("32"),
        help: "Of them, those that only first tries may use: a dead receiver's retries delay nothing that is fresh.",
    },
    Key {
        name: "attempt",
        kind: Kind::Duration,
        value: Value::Default("\"30s\""),
        help: "The longest attempt. After twice as long, a process that died loses what it had been trying.",
    },
    Key {
        name: "tenant_per_minute_max",
        kind: Kind::Number,
        value: Value::Example("600"),
        help: "Attempts of one tenant that may begin in a minute, over all of its channels.",
    },
    Key {
        name: "circuit_failures",
        kind: Kind::Number,
        value: Value::Default("5"),
        help: "Failures in a row after which a destination is left alone for a while.",
    },
    Key {
        name: "circuit_wait_first",
        kind: Kind::Duration,
        value: Value::Default("\"10s\""),
        help: "For how long at first; it doubles each time that the one try after it fails, too.",
    },
    Key {
        name: "circuit_wait_max",
        kind: Kind::Duration,
        value: Value::Default("\"5m\""),
        help: "Where doubling ends.",
    },
    Key {
        name: "stop",
        kind: Kind::Duration,
        value: Value::Default("\"35s\""),
        help: "How long stopping waits for attempts that are running; a second signal ends it at once.",
    },
];
