//! Keeps what was accepted until it is settled, and for a while after.
//!
//! Whoever brings notifications and whoever delivers them never meet: the [`Outbox`] is the only thing between them.
//! Nothing here knows what a plugin is, and nothing asks for the time.

pub mod catalog;
pub mod error;
pub mod outbox;
pub mod sqlite;
pub mod status;

#[cfg(test)]
mod conformance;

pub use catalog::{
    Actor, AuditEntry, AuditPage, Catalog, ChannelDraft, ChannelRecord, Claimed, Created, Deleted, Enabled,
    Expect, KeyClaim, Saved, SealedPlace, SealedSecret,
};
pub use error::StoreError;
pub use outbox::{
    Accepted, Cancelled, Claim, LeaseRequest, Leased, Leases, Outbox, Pace, Pruned, Redrive, Retention,
    Settled, Tries,
};
pub use sqlite::{Settings, SqliteOutbox};
pub use status::{AttemptRecord, Cursor, Filter, Page, State, StateKind, Status};
