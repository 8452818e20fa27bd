//! What can be done to a state directory while nobody serves it, and some of it while somebody does.

mod args; // what can be typed
mod local; // a state directory, opened by this process

mod backup;
mod check;
mod rotate;

pub(super) use args::{Backup, Database, Restore, RotateKey};
pub(super) use backup::{backup, restore};
pub(super) use check::run as database;
pub(super) use local::{Local, checked, runtime};
pub(super) use rotate::run as rotate_key;
