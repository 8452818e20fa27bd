//! The forms on disk. Each carries a version; a newer one is refused, never guessed at.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use sandbell_domain::{Approval, Digest, PluginInfo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StateError;

/// The version that this program writes.
pub(super) const VERSION: u32 = 1;

/// `plugins/NAME/plugin.json`: which component goes by this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginV1 {
    pub(crate) version: u32,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) installed_at: Timestamp,
    /// The file that it was installed from, for people.
    pub(crate) source: String,
}

/// `components/HEX.json`: what a component said of itself when it was inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InfoV1 {
    pub(crate) version: u32,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) world: String,
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) info: PluginInfo,
}

/// `plugins/NAME/approval.json`: the operator's yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalV1 {
    pub(super) version: u32,
    pub(super) approval: Approval,
}

/// Read before the rest, so that a newer form is told from a broken one.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

/// Reads a stored form; `None` if there is no such file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StateError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::io("read", path, error)),
    };
    let broken =
        |error: serde_json::Error| StateError::Broken { path: path.to_owned(), reason: error.to_string() };
    let AnyVersion { version } = serde_json::from_slice(&text).map_err(broken)?;
    if version != VERSION {
        return Err(StateError::Newer { path: path.to_owned(), version });
    }
    serde_json::from_slice(&text).map(Some).map_err(broken)
}

/// A stored form as bytes, with a line feed at the end for those who look.
pub(super) fn to_bytes<T: Serialize>(form: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(form).expect("texts and numbers always serialise");
    bytes.push(b'\n');
    bytes
}
