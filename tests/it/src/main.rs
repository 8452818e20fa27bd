//! Sandbell from outside: the program, real sockets, real components, hostile guests.

mod host;

mod hostile; // what each attack gets
mod icinga; // the door, in both dialects
