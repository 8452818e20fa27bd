//! Log lines with fields; the host adds whose they are, hides secrets and limits rate and size.
//!
//! ```
//! use sandbell_sdk::prelude::*;
//! # sandbell_sdk::testing::FakeHost::new();
//! # fn f(status: u16) {
//! log::info!("posted");
//! log::warn!(status = status, attempt = 2; "the answer was {status}");
//! # }
//! ```

use std::fmt;

use crate::backend;

pub use crate::bindings::sandbell::channel::log::Level;
pub use crate::{__debug as debug, __error as error, __info as info, __trace as trace, __warn as warn};

/// Whether anybody reads lines of this level.
pub fn enabled(level: Level) -> bool {
    backend::log_enabled(level)
}

/// Writes one line; the macros build it only if it is read.
pub fn write(level: Level, message: fmt::Arguments<'_>, fields: &[(&str, &dyn fmt::Display)]) {
    let fields: Vec<_> = fields.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())).collect();
    backend::log_write(level, &message.to_string(), &fields);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($key:ident = $value:expr),+ ; $($message:tt)+) => {
        if $crate::log::enabled($crate::log::Level::$level) {
            let fields: &[(&str, &dyn ::std::fmt::Display)] = &[$((::std::stringify!($key), &$value)),+];
            $crate::log::write($crate::log::Level::$level, ::std::format_args!($($message)+), fields);
        }
    };
    ($level:ident, $($message:tt)+) => {
        if $crate::log::enabled($crate::log::Level::$level) {
            $crate::log::write($crate::log::Level::$level, ::std::format_args!($($message)+), &[]);
        }
    };
}

/// Writes a line of level `trace`: `key = value, …; "format", …`, or the format alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __trace {
    ($($line:tt)+) => { $crate::__log!(Trace, $($line)+) };
}

/// Writes a line of level `debug`: `key = value, …; "format", …`, or the format alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($line:tt)+) => { $crate::__log!(Debug, $($line)+) };
}

/// Writes a line of level `info`: `key = value, …; "format", …`, or the format alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($line:tt)+) => { $crate::__log!(Info, $($line)+) };
}

/// Writes a line of level `warn`: `key = value, …; "format", …`, or the format alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($line:tt)+) => { $crate::__log!(Warn, $($line)+) };
}

/// Writes a line of level `error`: `key = value, …; "format", …`, or the format alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($line:tt)+) => { $crate::__log!(Error, $($line)+) };
}
