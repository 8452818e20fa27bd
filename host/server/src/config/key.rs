//! What every setting is called, what it takes and what it is for: the one list behind checks, defaults and schema.

use super::{dispatch, keys, limits, listen, log, retention, store};

/// One section of the file.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One key of a section.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As TOML; or, where nothing is set by default, an example.
    pub(crate) value: Value,
    pub(crate) help: &'static str,
}

pub(crate) enum Value {
    Default(&'static str),
    /// Unset unless somebody sets it.
    Example(&'static str),
}

/// What a key takes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Path,
    /// `127.0.0.1:8601`, or `off`.
    Address,
    /// `500ms`, `30s`, `5m`, `1h`, `7d`.
    Duration,
    Number,
    /// A list of texts; in the environment they are parted by commas.
    Names,
    Choice(&'static [&'static str]),
}

/// The sections in the order of the file.
pub(crate) const SECTIONS: &[Section] = &[
    Section { name: "listen", help: "Where this host is reached.", keys: listen::KEYS },
    Section { name: "store", help: "Where everything is kept.", keys: store::KEYS },
    Section { name: "keys", help: "What secrets are sealed with.", keys: keys::KEYS },
    Section { name: "dispatch", help: "How deliveries are tried.", keys: dispatch::KEYS },
    Section { name: "retention", help: "How long what is settled can be seen.", keys: retention::KEYS },
    Section { name: "limits", help: "What a caller of the API may use up.", keys: limits::KEYS },
    Section { name: "log", help: "What is written to stderr.", keys: log::KEYS },
];

/// The environment's name for a key, e.g. `SANDBELL_LISTEN_API`.
pub(crate) fn variable(section: &str, key: &str) -> String {
    format!("SANDBELL_{}_{}", section.to_ascii_uppercase(), key.to_ascii_uppercase())
}
