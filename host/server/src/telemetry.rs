//! Where this program's own log goes: to stderr for people, through the door for a daemon.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use sandbell_domain::LogLevel;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Writes the log to stderr: warnings, or more with each `-v`; `filter` wins if it is given and can be read.
pub(crate) fn to_stderr(verbosity: u8, filter: Option<&str>) {
    let level = match verbosity {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time();
    let _ = tracing_subscriber::registry().with(targets(filter, level)).with(lines).try_init();
}

/// Hands each event to `write`, which must neither block nor log.
pub(crate) fn to_door(
    filter: Option<&str>,
    write: impl Fn(LogLevel, String, Vec<(String, String)>) + Send + Sync + 'static,
) {
    let _ = tracing_subscriber::registry()
        .with(targets(filter, LevelFilter::WARN))
        .with(DoorLayer { write })
        .try_init();
}

fn targets(filter: Option<&str>, level: LevelFilter) -> Targets {
    filter.and_then(|filter| filter.parse().ok()).unwrap_or_else(|| Targets::new().with_default(level))
}

struct DoorLayer<W> {
    write: W,
}

impl<S: Subscriber, W: Fn(LogLevel, String, Vec<(String, String)>) + Send + Sync + 'static> Layer<S>
    for DoorLayer<W>
{
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let level = match *event.metadata().level() {
            Level::TRACE => LogLevel::Trace,
            Level::DEBUG => LogLevel::Debug,
            Level::INFO => LogLevel::Info,
            Level::WARN => LogLevel::Warn,
            Level::ERROR => LogLevel::Error,
        };
        (self.write)(level, parts.message, parts.fields);
    }
}

/// An event's message and its other fields, as text.
#[derive(Default)]
struct Parts {
    message: String,
    fields: Vec<(String, String)>,
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name().to_owned(), format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.fields.push((field.name().to_owned(), value.to_owned()));
        }
    }
}
