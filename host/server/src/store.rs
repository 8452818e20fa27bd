//! The engine of this host's store.

/// Outbox and catalog in one file of the state directory.
pub(crate) type Store = sandbell_store::SqliteStore;
