//! `[limits]`

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::key::{Key, Kind, Value};

/// What a caller of the API may use up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Intake {
    pub(crate) body_bytes_max: usize,
    pub(crate) connections_max: usize,
    #[serde(with = "duration")]
    pub(crate) request: Duration,
    #[serde(with = "duration")]
    pub(crate) wait_max: Duration,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            connections_max: 16_384,
            request: Duration::from_secs(30),
            wait_max: Duration::from_mins(1),
        }
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "body_bytes_max",
        kind: Kind::Number,
        value: Value::Default("1_048_576"),
        help: "The largest body of a request; components to install may have 16 MiB.",
    },
    Key {
        name: "connections_max",
        kind: Kind::Number,
        value: Value::Default("16_384"),
        help: "Connections at the same time, for each listener; the next one waits.",
    },
    Key {
        name: "request",
        kind: Kind::Duration,
        value: Value::Default("\"30s\""),
        help: "How long a caller may take to send a request.",
    },
    Key {
        name: "wait_max",
        kind: Kind::Duration,
        value: Value::Default("\"1m\""),
        help: "The longest `?wait=`.",
    },
];
