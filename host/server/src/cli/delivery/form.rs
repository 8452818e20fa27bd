//! What the daemon says of a delivery.

use jiff::Timestamp;
use sandbell_domain::{DeliveryId, Name};
use serde::Deserialize;

use super::super::relative::when;

/// A delivery as `GET /deliveries/{id}` gives it.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct DeliveryForm {
    pub(in crate::cli) id: DeliveryId,
    #[serde(default)]
    pub(in crate::cli) notification: String,
    /// Absent if the channel is deleted.
    #[serde(default)]
    pub(in crate::cli) channel: Option<Name>,
    pub(in crate::cli) state: String,
    #[serde(default)]
    pub(in crate::cli) due_at: Option<Timestamp>,
    #[serde(default)]
    pub(in crate::cli) lease_expires_at: Option<Timestamp>,
    #[serde(default)]
    pub(in crate::cli) settled_at: Option<Timestamp>,
    #[serde(default)]
    pub(in crate::cli) reason: Option<String>,
    pub(in crate::cli) accepted_at: Timestamp,
    #[serde(default)]
    pub(in crate::cli) attempts: u32,
    #[serde(default)]
    pub(in crate::cli) redrives: u32,
    #[serde(default)]
    pub(in crate::cli) lapses: u32,
    #[serde(default)]
    pub(in crate::cli) failure: Option<FailureForm>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct FailureForm {
    pub(in crate::cli) kind: String,
    pub(in crate::cli) code: String,
    #[serde(default)]
    pub(in crate::cli) detail: String,
}

/// What became of a delivery after an attempt.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct VerdictForm {
    pub(super) state: String,
    #[serde(default)]
    pub(super) retry_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl DeliveryForm {
    pub(in crate::cli) fn channel(&self) -> &str {
        self.channel.as_ref().map_or("(deleted)", Name::as_str)
    }

    /// How it stands and since when, or until when.
    pub(in crate::cli) fn standing(&self, now: Timestamp) -> String {
        let Self { state, due_at, settled_at, lease_expires_at, .. } = self;
        match state.as_str() {
            "waiting" => match due_at {
                Some(due) if *due > now => format!("waiting, due {}", when(Some(*due), now)),
                Some(_) | None => "waiting, due now".to_owned(),
            },
            "leased" => format!("being tried, until {} at most", when(*lease_expires_at, now)),
            "dead" => match &self.reason {
                Some(reason) => format!("dead: {reason}, {}", when(*settled_at, now)),
                None => format!("dead, {}", when(*settled_at, now)),
            },
            other => format!("{other} {}", when(*settled_at, now)),
        }
    }

    pub(in crate::cli) fn is_dead(&self) -> bool {
        self.state == "dead"
    }

    pub(in crate::cli) fn is_delivered(&self) -> bool {
        self.state == "delivered"
    }
}

impl FailureForm {
    pub(in crate::cli) fn sentence(&self) -> String {
        let Self { kind, code, detail } = self;
        if detail.is_empty() { format!("{kind}, {code}") } else { format!("{detail} ({kind}, {code})") }
    }
}
