//! The brokers from outside: real sockets on loopback, servers that say what a test tells them to.

mod http;
mod peer;
mod smtp;
