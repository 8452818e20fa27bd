//! `sandbell plugin …`: what is installed and what it may do.

mod approve;
mod install;
mod list;
mod remove;
mod show;

pub(super) use approve::run as approve;
pub(super) use install::run as install;
pub(super) use list::run as list;
pub(super) use remove::run as remove;
pub(super) use show::run as show;
