//! Icinga Notifications: this program as a channel executable of the daemon, in both of its dialects.
//!
//! Started through a link in the daemon's channels directory it answers `GetInfo`, `SetConfig` and
//! `SendNotification` on its standard streams, by itself or, linked with `--connect`, by a serving host. What has to be matched is written in `reference/icinga.md`.
//!
//! Invariant: nothing but protocol objects is ever written to stdout.
//! Invariant: a fault of a plugin or of a request is a reply; only the end of the stream ends the process.

mod caller; // a linked channel calls its serving host
mod connect; // which serving host that is
mod connected; // the three methods by a serving host
mod form; // what goes between the two
mod go; // how Go writes and quotes
mod host; // the three methods in this process
mod hosted; // the serving host's side
mod info; // GetInfo's result
mod journal; // log lines, each dialect's way
mod link; // which plugin is meant
mod params; // lenient reading of foreign JSON
mod process; // streams, signals, the end
mod reader; // bytes -> requests
mod serve; // the loop: requests in, replies out
mod sink; // lines out, one writer each
mod translate; // SendNotification's params -> Notification
mod wire; // requests and replies in both dialects

pub(crate) use connect::{Connect, ConnectTo, keep_connect};
pub(crate) use hosted::router;
pub(crate) use link::{BadLinkName, Link, LinkError, LinkName, make_link};
pub(crate) use params::BadParams;
pub(crate) use process::{run, run_connected};
pub(crate) use translate::{Addressing, translate};
