//! A serving host from outside: what it promises, and what becomes of it when something dies.

mod site; // a host that serves one channel, and its receiver

mod delivering; // retries, dead letters, circuits, rates
mod dying; // kill -9, full disks, clocks that jump
mod linked; // channels of Icinga whose work the host does
mod starting; // what a host refuses to start with
mod steering; // signals, reloads, systemd, health

pub(crate) use site::notification;
