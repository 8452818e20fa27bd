//! What a plugin can do in the world: HTTP, mail and messages, within grants.
//!
//! Invariant: `dial.rs` is the only code that opens a connection for a guest, to the address that it checked.
//! Invariant: `template.rs` is the only code that turns secrets into bytes; `scrub.rs` takes them out again.
//! Invariant: nothing here knows wasmtime, a delivery's history or a retry; a call is a value in and a value out.

mod address;
mod amqp;
mod attempt; // limits and the record
mod brokers; // the public face: process, channel, attempt
mod dial;
mod http;
mod mime;
mod mqtt;
mod power;
mod publish; // what AMQP and MQTT have in common
mod scrub;
mod smtp;
mod template;
mod tls;
pub mod value;

#[cfg(test)]
mod tests;

pub use attempt::Record;
pub use brokers::{Brokers, ChannelEgress, Egress, EgressError, EgressSettings};
