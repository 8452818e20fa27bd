//! `[log]`

use serde::{Deserialize, Serialize};

use super::key::{Key, Kind, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, with priorities under systemd, JSON otherwise.
    #[default]
    Auto,
    Pretty,
    Journald,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Auto }
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "filter",
        kind: Kind::Text,
        value: Value::Default("\"info\""),
        help: "What is written, e.g. \"info,sandbell_broker=debug\". Followed at a reload.",
    },
    Key {
        name: "format",
        kind: Kind::Choice(&["auto", "pretty", "journald", "json"]),
        value: Value::Default("\"auto\""),
        help: "auto: pretty on a terminal, journald under systemd, else JSON.",
    },
];
