//! `[keys]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::key::{Key, Kind, Value};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeyFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
}

pub(super) const KEYS: &[Key] = &[Key {
    name: "file",
    kind: Kind::Path,
    value: Value::Example("\"/etc/sandbell/sandbell.key\""),
    help: "A file that only its owner can read, with one key per line; the first seals, all open. Without it: systemd's \
           credential `sandbell.key`, then $SANDBELL_KEY, then `sandbell.key` in the state directory, which a new \
           host makes.",
}];
