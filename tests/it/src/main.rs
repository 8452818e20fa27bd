//! Sandbell from outside: the program, real sockets, real components, hostile guests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod host;
mod served;

mod crash; // kill -9 and full disks, under load
mod hostile; // what each attack gets
mod icinga; // the door, in both dialects
mod mail; // a real mail server
mod operate; // what an operator types and sees
mod packaging; // what is packed beside the program
mod publish; // real brokers of messages
mod rest; // the API
mod send; // one delivery by hand
mod serve; // a host that serves
