//! What a plugin can do in the world: HTTP and mail, within grants.
//!
//! Invariant: `dial.rs` is the only code that opens a connection for a guest, to the address that it checked.
//! Invariant: `template.rs` is the only code that turns secrets into bytes.
//! Invariant: nothing here knows wasmtime, a delivery's history or a retry; a call is a value in and a value out.

pub mod value;
mod brokers;

pub use brokers::{Brokers, ChannelEgress, Egress, EgressError, EgressSettings, Record};
