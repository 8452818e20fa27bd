//! Go's `text/template` for channels: parse once, render over plain values.
//!
//! Users of Icinga Notifications and Diun have templates in Go's language, and expect from a channel what Go made of
//! them: the same output, the same error texts. This crate gives that without a Go runtime, in code small enough for a
//! component: it does no I/O, reads no clock, and knows no regular expressions unless the feature `regex` is on.
//!
//! ```
//! use sandbell_go_template::{Field, Functions, StructType, Template, Time, Value};
//!
//! static INCIDENT: StructType = StructType::new("plugin.Incident", &[
//!     Field::new("Id", "id"),
//!     Field::new("Url", "url").omit_empty(),
//! ]);
//! static REQUEST: StructType = StructType::new("plugin.Request", &[
//!     Field::new("Incident", "incident"),
//!     Field::new("Time", "time"),
//!     Field::new("Tags", "tags"),
//! ]);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let time = Time::parse_rfc3339("2026-11-22T04:49:53.5Z").ok_or("not RFC 3339")?;
//! let tags: Value = [("host".to_owned(), "db & web".to_owned())].into_iter().collect();
//! let incident = INCIDENT.value(vec![Value::Int(1437), "".into()]).behind_pointer();
//! let request: Value = REQUEST.value(vec![incident.into(), time.into(), tags]).into();
//!
//! let functions = Functions::new().with_json().with_text_helpers();
//! let body = Template::parse_with("body", "{{json .}}", functions.clone())?;
//! assert_eq!(
//!     body.render(&request)?,
//!     r#"{"incident":{"id":1437},"time":"2026-11-22T04:49:53.5Z","tags":{"host":"db \u0026 web"}}"#,
//! );
//!
//! let text = "{{with .Incident}}#{{printf \"%06d\" .Id}}{{end}} at {{.Time.Format \"15:04\"}}: {{upper .Tags.host}}";
//! let line = Template::parse_with("line", text, functions)?;
//! assert_eq!(line.render(&request)?, "#001437 at 04:49: DB & WEB");
//!
//! let url = Template::parse("url", "https://hooks.example.com/x?host={{urlquery .Tags.host}}")?;
//! assert_eq!(url.leading_literal(), "https://hooks.example.com/x?host=");
//! assert_eq!(url.render(&request)?, "https://hooks.example.com/x?host=db+%26+web");
//!
//! let wrong = Template::parse("t", "{{.Incident.Nope}}")?;
//! assert_eq!(
//!     wrong.render(&request).unwrap_err().to_string(),
//!     r#"template: t:1:11: executing "t" at <.Incident.Nope>: can't evaluate field Nope in type *plugin.Incident"#,
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # What is as in Go
//!
//! All actions of Go 1.27, `else with`, `break` and `continue` included; all built-in functions; pipelines, variables,
//! trimming, comments, literals; the verbs, flags and error forms of `printf`; what values look like when printed;
//! Go's notion of truth; the escaping of `html`, `js` and `urlquery`; `encoding/json` as the function `json`; error
//! texts with their places. `tests/faithful` compares some five hundred templates with what Go gives.
//!
//! # What is not
//!
//! * Complex numbers, hexadecimal floats, and `%b`, `%x` and `%p` of what is not an integer or a text.
//! * Methods, except those of [`Time`] and a `String` method that gives a fixed text. There are no function values,
//!   so `call` always fails, and no channels or iterators to range over.
//! * Maps with keys that are not strings, and bytes that are not UTF-8: half a character becomes U+FFFD.
//! * `missingkey` and other delimiters than `{{` and `}}`.
//! * A pointer inside another value prints as what it points to; Go prints an address.
//! * Ranging over a [`Named`] number gives plain numbers.
//! * `slice` takes an index that came out of a `map[string]interface {}`; Go refuses it. A few error texts about nil and
//!   about such values name another type than Go does.
//! * There are [`Limits`], and a template may be no longer than [`TEXT_BYTES_MAX`].

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function of Go takes a few kinds of value and refuses all others by the name of their type"
)]

// What a caller meets.
mod error;
mod functions;
mod limits;
mod template;
mod time;
mod value;
// From text to nodes.
mod lexer;
mod node;
mod parser;
mod pipeline;
// From nodes to text.
mod civil;
mod eval;
mod exec;
mod format;
mod layout;
mod output;
mod quote;
// The functions.
mod builtins;
mod escape;
mod helpers;
mod json;

pub use error::{ExecError, ExecErrorKind, ParseError};
pub use functions::{Call, CallError, Functions, Params};
pub use json::to_json;
pub use limits::{BYTES_PER_STEP, DEPTH_MAX, Limits, OUTPUT_BYTES_MAX, STEPS_MAX, TEXT_BYTES_MAX};
pub use template::Template;
pub use time::Time;
pub use value::{Field, List, Map, Named, Struct, StructType, Value};
