//! The ways in. A door translates foreign words and knows no other door.

pub(crate) mod icinga;
pub(crate) mod ops;
pub(crate) mod rest;
