//! `[retention]`

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::key::{Key, Kind, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    #[serde(with = "duration")]
    pub(crate) delivered: Duration,
    #[serde(with = "duration")]
    pub(crate) dead: Duration,
    #[serde(with = "duration")]
    pub(crate) every: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { delivered: 7 * day, dead: 90 * day, every: Duration::from_mins(1) }
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "delivered",
        kind: Kind::Duration,
        value: Value::Default("\"7d\""),
        help: "After it, a delivery that arrived is forgotten with its attempts.",
    },
    Key {
        name: "dead",
        kind: Kind::Duration,
        value: Value::Default("\"90d\""),
        help: "After it, a dead letter is forgotten. What still waits is never forgotten.",
    },
    Key {
        name: "every",
        kind: Kind::Duration,
        value: Value::Default("\"1m\""),
        help: "How often this is looked after, in small steps.",
    },
];
