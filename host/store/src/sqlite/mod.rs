//! The store in one `SQLite` file: one thread writes, several read.

mod accept;
mod catalog;
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
mod store;
mod waiting;
mod writer;

#[cfg(test)]
mod tests;

pub use open::Settings;
pub use store::SqliteStore;
