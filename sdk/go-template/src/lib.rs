//! Go's `text/template` for channels: parse once, render over plain values.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function of Go takes a few kinds of value and refuses all others by the name of their type"
)]

mod builtins;
mod error;
mod escape;
mod eval;
mod exec;
mod format;
mod functions;
mod helpers;
mod json;
mod layout;
mod lexer;
mod limits;
mod node;
mod output;
mod parser;
mod pipeline;
mod quote;
mod template;
mod time;
mod value;

pub use error::{ExecError, ExecErrorKind, ParseError};
pub use functions::{Call, CallError, Functions, Params};
pub use json::to_json;
pub use limits::{BYTES_PER_STEP, DEPTH_MAX, Limits, OUTPUT_BYTES_MAX, STEPS_MAX};
pub use template::Template;
pub use time::Time;
pub use value::{Field, List, Map, Named, Struct, StructType, Value};
