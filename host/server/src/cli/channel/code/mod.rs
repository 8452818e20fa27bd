//! Channels as files: one TOML file is one channel.
//!
//! ```toml
//! # channels/ops-room.toml is the channel `ops-room`
//! plugin = "rocketchat"
//! enabled = true                                  # the default
//!
//! [settings]                                      # options of the plugin
//! url = "https://chat.example.com"
//! user_id = "icinga"
//!
//! [secrets]                                       # files that hold them; one final newline is removed; others stay
//! token_file = "/etc/sandbell/secrets/ops-token"  # relative to this file, or absolute
//!
//! [policy]                                        # how deliveries are tried; what is absent has its default
//! retry = { attempts_max = 10, age_max = "6h" }
//! ```

mod caret; // where in a file it is wrong
mod file; // what files declare
mod plan;
mod reader; // a file -> what it declares, or all that is wrong with it // what is declared, what is -> what to do

pub(super) use caret::{FileError, Source};
pub(super) use file::{Declared, read_all};
pub(super) use plan::{Action, Change, Options, plan};
