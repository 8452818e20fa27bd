//! What is installed here: components, what they said of themselves, and what an operator allowed them.

mod catalog; // what is installed, and whether it may run
mod change; // what an upgrade would want anew
mod files; // whole files or none
#[cfg(test)]
pub(crate) mod fixture; // a plugin for tests
mod name; // what a plugin may be called
mod prepare; // plugin, configuration and approval become a channel
mod stamp; // whether a plugin changed since one looked
mod state; // the directory, its owner and its lock
mod stored; // the forms on disk
mod tls; // the files that an approval names
mod user; // who owns, who approves

pub(crate) use catalog::{ApproveError, Installed, Listed, Standing};
pub(crate) use change::{Change, changes};
pub(crate) use name::{BadName, PluginName};
pub(crate) use prepare::{
    Approved, Configured, PrepareError, Prepared, TIMEOUT_OPTION, TIMEOUT_SECONDS, prepare,
};
pub(crate) use stamp::Stamp;
pub(crate) use state::{State, StateError};
pub(crate) use stored::{InfoV1, PluginV1};
pub(crate) use tls::{TlsError, tls_material};
pub(crate) use user::user_name;
