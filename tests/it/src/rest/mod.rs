//! The REST door from outside: over its socket and over TCP, with real plugins.

mod client; // HTTP/1.1, as plainly as can be

mod contract; // the document is kept to
mod delivering; // from a notification to what became of it
mod guide; // docs/api.md does what it says
mod refusing; // what bad input gets
mod setting_up; // plugins, approvals, channels, secrets
mod tenants; // whose things these are, and who may do what
mod watching; // the live tail
