//! `[store]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::key::{Key, Kind, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Database {
    /// Relative to the state directory.
    pub(crate) path: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_bytes_max: Option<u64>,
}

impl Default for Database {
    fn default() -> Self {
        Self { path: PathBuf::from("sandbell.db"), file_bytes_max: None }
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "path",
        kind: Kind::Path,
        value: Value::Default("\"sandbell.db\""),
        help: "The database, relative to the state directory. It must not lie on a network's file system.",
    },
    Key {
        name: "file_bytes_max",
        kind: Kind::Number,
        value: Value::Example("10_737_418_240"),
        help: "The file grows no further; what would need more is refused as if the disk were full.",
    },
];
