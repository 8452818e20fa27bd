//! What this process was told: by its environment, by `sandbell.toml`, and by flags.

mod environment; // where things are
mod settings; // sandbell.toml as a whole

// the sections, in the file's order
mod dispatch;
mod keys;
mod limits;
mod listen;
mod log;
mod retention;
mod store;

mod duration; // `30s`
mod key; // what a setting is called, what it takes, and why
mod load; // file, environment and flags become settings
mod schema; // the default file and its JSON schema
mod spelling; // did you mean

pub(crate) use dispatch::Dispatch;
pub(crate) use duration::{BadDuration, parse as parse_duration, text as duration_text};
pub(crate) use environment::{Config, PROGRAM, variable};
pub(crate) use keys::KeyFile;
pub(crate) use limits::Intake;
pub(crate) use listen::{Address, Listen};
pub(crate) use load::{LoadError, Overrides, load};
pub(crate) use log::{Log, LogFormat};
pub(crate) use retention::Retention;
pub(crate) use schema::{default_text, json_schema};
pub(crate) use settings::Settings;
pub(crate) use spelling::nearest;
pub(crate) use store::Database;
