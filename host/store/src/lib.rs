//! Keeps what was accepted until it is settled, and for a while after; and who there is, and what they configured.
//!
//! Whoever brings notifications and whoever delivers them never meet: the [`Outbox`] is the only thing between them.
//! What people make is in the [`Catalog`]. Nothing here runs a plugin, and nothing asks for the time.

pub mod catalog;
pub mod error;
pub mod outbox;
pub mod seal;
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
pub use seal::{Key, KeyId, Keys, SealError, SealPlace};
pub use sqlite::{Depth, Settings, Size, SqliteStore, backup_file, check_file, fold_file, restore_file};
pub use status::{
    AttemptRecord, ChannelState, Cursor, Filter, Followed, Page, State, StateKind, Status, Totals, Tried,
};
