//! The catalog in the same file as the outbox, and written by the same thread.
//!
//! A change and its entry in the audit log are one command of the writer, and so one transaction.

mod audit;
mod change;
mod channel;
mod engine;
mod form;
mod key;
mod record;
mod seal;
mod tenant;
mod token;
