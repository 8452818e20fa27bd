//! The sandbox from outside, with components made of WebAssembly text. Its compiler is the benchmark's program.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod attempts;
mod cached;
mod guest;
mod hostile;
mod inspections;
mod rig;
