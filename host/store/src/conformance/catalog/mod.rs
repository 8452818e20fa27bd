//! The words of `catalog.rs`, tried out; an engine is both outbox and catalog of one store.

pub(crate) mod auditing;
pub(crate) mod channels;
pub(crate) mod keys;
mod rig;
pub(crate) mod stopping;
pub(crate) mod tenants;
pub(crate) mod tokens;
