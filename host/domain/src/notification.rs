//! What happened, to what, and who is told.
//!
//! These are the neutral words: every door translates into them and no foreign word comes further.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{NotificationId, TenantId};

/// One event, to one contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub id: NotificationId,
    pub tenant: TenantId,
    pub contact: Contact,
    pub object: Object,
    /// Absent for notifications outside any incident.
    pub incident: Option<Incident>,
    pub event: Event,
    pub links: Vec<Link>,
    /// Extra data of the sender, in its order; keys may repeat.
    pub extra: Vec<(String, String)>,
    pub source: Source,
}

/// Who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub full_name: String,
    pub addresses: Vec<Address>,
}

/// One way to reach a contact; `kind` is a plugin's word, e.g. `email`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub kind: String,
    pub address: String,
}

/// What it is about, e.g. a host or a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub name: String,
    /// May be empty.
    pub url: String,
    pub tags: Vec<(String, String)>,
}

/// The open case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: i64,
    /// May be empty.
    pub url: String,
    pub severity: Option<Severity>,
}

/// What just happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// RFC 3339 as the source wrote it, with its offset.
    pub time: String,
    pub kind: String,
    pub severity: Option<Severity>,
    pub title: Option<String>,
    pub username: String,
    pub message: String,
}

impl Event {
    /// The moment of the event, if the source's text is RFC 3339.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.time.parse().ok()
    }
}

/// A button that a reader may press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub label: String,
    pub url: String,
}

/// Which system it came from, and the notification in that system's own words (JSON).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub system: String,
    pub payload: String,
}

/// Syslog severities plus `ok`, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Ok,
    Debug,
    Info,
    Notice,
    Warning,
    Err,
    Crit,
    Alert,
    Emerg,
}
