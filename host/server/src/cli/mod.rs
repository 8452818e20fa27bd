//! The command line: one file per verb.

mod args; // what can be typed
mod exit; // how it ends
mod output;
mod problem; // what went wrong, why, and what to do // text for people, JSON for programs

mod config;
mod generate;
mod icinga_link;
mod inspect;
mod plugin;
mod send;
mod serve;

mod run; // which verb it is

pub(crate) use run::run;
