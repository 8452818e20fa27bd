//! How a delivery stands, and what was tried.

use std::num::NonZeroU32;

use jiff::Timestamp;
use sandbell_domain::{
    Attempt, ChannelId, DeadReason, DeliveryId, Failure, NotificationId, TenantId, Verdict,
};
use serde::{Deserialize, Serialize};

/// How one delivery stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub delivery: DeliveryId,
    pub tenant: TenantId,
    pub channel: ChannelId,
    pub notification: NotificationId,
    pub state: State,
    pub accepted_at: Timestamp,
    /// Tries since the acceptance or the last redrive, a running one included.
    pub attempts: u32,
    /// How often someone redrove it.
    pub redrives: u32,
    /// How often the holder of its lease lost it without a word.
    pub lapses: u32,
    /// Of the last try that failed; it stays when the delivery is redriven.
    pub last_failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not leased; can be from `due_at` on.
    Waiting {
        due_at: Timestamp,
    },
    Leased {
        expires_at: Timestamp,
    },
    Delivered {
        at: Timestamp,
    },
    Dead {
        reason: DeadReason,
        at: Timestamp,
    },
}

impl State {
    pub const fn kind(&self) -> StateKind {
        match self {
            Self::Waiting { .. } => StateKind::Waiting,
            Self::Leased { .. } => StateKind::Leased,
            Self::Delivered { .. } => StateKind::Delivered,
            Self::Dead { .. } => StateKind::Dead,
        }
    }

    pub const fn is_settled(&self) -> bool {
        matches!(self.kind(), StateKind::Delivered | StateKind::Dead)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateKind {
    Waiting,
    Leased,
    Delivered,
    Dead,
}

/// Which deliveries; what is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub channel: Option<ChannelId>,
    pub state: Option<StateKind>,
    pub reason: Option<DeadReason>,
    /// The stable code of the last failure, e.g. `http-status:503`.
    pub failure_code: Option<String>,
    /// Settled at this moment or later.
    pub settled_from: Option<Timestamp>,
    /// Settled before this moment.
    pub settled_until: Option<Timestamp>,
}

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(i64);

impl Cursor {
    /// From what [`Self::get`] gave; any other number is a place in the list, too, and harmless.
    pub const fn new(place: i64) -> Self {
        Self(place)
    }

    pub const fn get(self) -> i64 {
        self.0
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub deliveries: Vec<Status>,
    /// Absent on the last page.
    pub next: Option<Cursor>,
}

/// One recorded try.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRecord {
    /// Zero before the first redrive.
    pub redrive: u32,
    /// Counted from the acceptance or the redrive.
    pub number: NonZeroU32,
    pub leased_at: Timestamp,
    pub settled_at: Timestamp,
    pub attempt: Attempt,
    pub verdict: Verdict,
}

/// One recorded try, and of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// What was tried after this one is found from here on.
    pub cursor: Cursor,
    pub delivery: DeliveryId,
    pub channel: ChannelId,
    pub notification: NotificationId,
    pub record: AttemptRecord,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    pub tries: Vec<Tried>,
    /// Where to go on.
    pub next: Cursor,
    /// Whether to go on at once.
    pub has_more: bool,
}

/// How a channel stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    pub channel: ChannelId,
    pub waiting: u64,
    pub leased: u64,
    pub dead: u64,
    /// When the oldest that waits was accepted or last redriven.
    pub oldest_since: Option<Timestamp>,
    /// Absent if it is not held.
    pub held_until: Option<Timestamp>,
    /// Failed tries since it last delivered or was enabled.
    pub failures_in_row: u32,
    pub last_delivered_at: Option<Timestamp>,
    /// Tries that delivered, in this hour and the 23 before it.
    pub delivered_in_day: u64,
    /// Tries that failed, in the same hours.
    pub failed_in_day: u64,
}

/// What all tenants have that is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    pub waiting: u64,
    pub leased: u64,
    pub dead: u64,
    /// When the oldest that waits was accepted or last redriven.
    pub oldest_since: Option<Timestamp>,
    /// The earliest moment at which something that waits was or is due, whether or not its channel may give it.
    pub oldest_due_at: Option<Timestamp>,
}
