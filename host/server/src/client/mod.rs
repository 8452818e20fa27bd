//! Talks to a daemon: over its Unix socket, or over TCP with a token.

mod answer; // what comes back
mod connection; // how it is sent
mod place; // where a daemon is
mod request; // what is asked
mod trust; // whom TLS believes

pub(crate) use answer::{ClientError, Refusal};
pub(crate) use connection::{Client, Settings};
pub(crate) use place::Place;
pub(crate) use request::Request;
