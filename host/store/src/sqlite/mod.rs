//! The outbox in one `SQLite` file: one thread writes, several read.

mod accept;
mod channel;
mod desk;
mod fault;
mod filter;
mod form;
mod lease;
mod migrate;
mod open;
mod outbox;
mod prune;
mod read;
mod redrive;
mod settle;
mod waiting;
mod writer;

#[cfg(test)]
mod tests;

pub use open::Settings;
pub use outbox::SqliteOutbox;
