//! Where this program's own log goes: to stderr for people, through the door for a daemon.

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use sandbell_domain::LogLevel;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
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

/// How a serving host writes its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people on a terminal.
    Pretty,
    /// A line with its priority, as journald reads it from stderr.
    Journald,
    /// One JSON object a line.
    Json,
}

/// Changes what is logged while the process runs.
pub(crate) struct Filter(reload::Handle<Targets, Registry>);

/// A filter that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[log] filter: `{}` is none; write e.g. `info` or `info,sandbell_broker=debug`", sandbell_domain::escape::line(.0))]
pub(crate) struct BadFilter(String);

/// The form that fits where stderr goes.
pub(crate) fn form_of_stderr(has_journal: bool) -> Form {
    if std::io::stderr().is_terminal() {
        Form::Pretty
    } else if has_journal {
        Form::Journald
    } else {
        Form::Json
    }
}

/// Writes the log of a serving host to stderr.
pub(crate) fn of_host(form: Form, filter: &str) -> Result<Filter, BadFilter> {
    let (filter, handle) = reload::Layer::new(read_filter(filter)?);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let _ = match form {
        Form::Pretty => registry.with(lines.with_ansi(true)).try_init(),
        Form::Journald => registry.with(lines.with_ansi(false).event_format(WithPriority)).try_init(),
        Form::Json => registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init(),
    };
    Ok(Filter(handle))
}

impl Filter {
    pub(crate) fn set(&self, filter: &str) -> Result<(), BadFilter> {
        let filter = read_filter(filter)?;
        // The subscriber lives as long as the process.
        let _ = self.0.reload(filter);
        Ok(())
    }
}

/// Whether a filter can be read, before anything is changed.
pub(crate) fn check_filter(filter: &str) -> Result<(), BadFilter> {
    read_filter(filter).map(|_| ())
}

fn read_filter(filter: &str) -> Result<Targets, BadFilter> {
    filter.parse().map_err(|_| BadFilter(filter.chars().take(200).collect()))
}

/// `<4>message key=value`, with syslog's numbers (sd-daemon(3)).
struct WithPriority;

impl<S, N> FormatEvent<S, N> for WithPriority
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
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
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
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
