//! The REST door: `/api/v1`, the document that describes it, and a page that shows the document.
//!
//! Invariant: each route and its description come from one registration, so neither is without the other.
//! Invariant: every error is an `application/problem+json` with a stable code.

mod accept; // what a caller is ready to read
mod auth; // who calls, for whom, and what they may do
mod door; // what handlers share
mod extract; // bodies, parameters, parts of the path
mod limits; // what callers may use up
mod page; // long lists
mod problem;
mod router; // the routes, in layers, and the document // what went wrong

pub(crate) mod form; // what goes over the wire

// one file for each noun
mod approvals;
mod audit;
mod channels;
mod deliveries;
mod docs;
mod notifications;
mod plugins;
mod secrets;
mod status;
mod tail;
mod tenants;
mod tokens;
mod trials;

mod edits; // a channel's form, and why it is not saved
mod standing; // how a channel's deliveries stand

pub(crate) use router::{document, router};

use door::Shared;
