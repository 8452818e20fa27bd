//! From the outbox to the world and back: lease, run, judge, settle.

mod permits; // how much runs at once, and whose
mod rate; // how much may begin in a minute
mod signal; // what an attempt shows of its destination

mod attempt; // one delivery, from its lease to its settlement
mod dispatcher; // the loop

pub(crate) use dispatcher::Dispatcher;
