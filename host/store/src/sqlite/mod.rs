//! The store in one `SQLite` file: one thread writes, several read.

mod accept;
mod backup;
mod catalog;
mod channel;
mod check;
mod desk;
mod fault;
mod filter;
mod follow;
mod form;
mod lease;
mod migrate;
mod open;
mod outbox;
mod overview;
mod prune;
mod read;
mod redrive;
mod settle;
mod store;
mod tally;
mod waiting;
mod writer;

#[cfg(test)]
mod tests;

pub use backup::{backup_file, restore_file};
pub use check::{Depth, check_file};
pub use open::{Settings, fold_file};
pub use store::{Size, SqliteStore};
