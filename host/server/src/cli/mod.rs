//! The command line: one file per verb.

mod args; // what can be typed
mod exit; // how it ends
mod output; // text for people, JSON for programs
mod problem; // what went wrong, why, and what to do

mod attempt; // an attempt as the daemon tells it
mod pair; // KEY=VALUE
mod relative; // 12 s ago
mod remote; // the daemon that a verb talks to
mod secret_text; // secrets on their way in

mod audit;
mod channel;
mod config;
mod data;
mod delivery;
mod doctor;
mod generate;
mod icinga_link;
mod inspect;
mod notify;
mod plugin;
mod secret;
mod send;
mod serve;
mod status;
mod tenant;
mod token;

mod run; // which verb it is

pub(crate) use run::run;
