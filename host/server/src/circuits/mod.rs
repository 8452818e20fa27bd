//! Which destinations are left alone for a while, because they have been failing.

mod circuit; // what one destination has shown: pure
mod registry; // those of every channel

pub(crate) use circuit::{Phase, Rules, Signal};
pub(crate) use registry::{Admission, Circuits, Noted, Shown};
