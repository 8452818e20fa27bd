//! The REST door: `/api/v1`, the document that describes it, and a page that shows the document.
//!
//! Invariant: each route and its description come from one registration, so neither is without the other.
//! Invariant: every error is an `application/problem+json` with a stable code.

mod accept; // what a caller is ready to read
mod auth; // who calls, for whom, and what they may do
mod door; // what handlers share
mod extract; // bodies, parameters, parts of the path
mod known; // tokens that were looked up
mod limits; // what callers may use up
mod page; // long lists
mod problem; // what went wrong
mod router; // the routes, in layers, and the document
mod strict; // JSON, read as it is described

pub(crate) mod form; // what goes over the wire

// one file for each noun
mod approvals;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod audit;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod channels;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod deliveries;
mod docs;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod notifications;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod plugins;
mod secrets;
mod status;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod tail;
mod tenants;
#[expect(unused_qualifications, reason = "utoipa writes them for `params`")]
mod tokens;
mod trials;

// between a noun and the parts of the host
mod accepting; // from a request to what is on the disk
mod edits; // a channel's form, and why it is not saved
mod standing; // how a channel's deliveries stand

pub(crate) use router::{document, router};

use door::Shared;
