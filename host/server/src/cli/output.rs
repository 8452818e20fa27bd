//! Text for people and JSON for programs, on streams that may be closed at any time.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{Table, presets};
use sandbell_domain::escape;
use serde_json::Value as Json;

use super::exit::Exit;
use super::problem::Problem;

/// Where a verb's result goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) is_json: bool,
}

impl Output {
    /// Writes the result in the form that was asked for.
    pub(crate) fn result(self, text: impl FnOnce() -> String, json: impl FnOnce() -> Json) {
        let mut text = if self.is_json { format!("{:#}", json()) } else { text() };
        if !text.ends_with('\n') && !text.is_empty() {
            text.push('\n');
        }
        let mut stdout = anstream::stdout().lock();
        remember(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
    }

    /// A line of a result that has no end, shown at once.
    pub(crate) fn result_line(line: &str) {
        let mut stdout = anstream::stdout().lock();
        remember(writeln!(stdout, "{}", escape::block(line)).and_then(|()| stdout.flush()));
    }

    /// Whether nobody can read any more of a result that has no end.
    pub(crate) fn is_over() -> bool {
        IS_CLOSED.load(Ordering::Relaxed) || LOST.get().is_some()
    }

    /// Bytes that are neither, e.g. a completion script.
    pub(crate) fn bytes(bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        remember(stdout.write_all(bytes).and_then(|()| stdout.flush()));
    }

    /// Why a result could not be written, e.g. to a full disk; a reader that went away is no reason.
    pub(crate) fn lost() -> Option<&'static str> {
        LOST.get().map(String::as_str)
    }

    /// A line beside the result, e.g. a warning.
    pub(crate) fn note(line: &str) {
        let _ = writeln!(anstream::stderr(), "{}", escape::block(line));
    }

    pub(crate) fn problem(self, problem: &Problem) {
        if self.is_json {
            self.result(String::new, || problem.to_json());
        } else {
            let text = problem.to_text();
            let style = anstyle::AnsiColor::Red.on_default().bold();
            let text = text.replacen("error:", &format!("{style}error:{style:#}"), 1);
            let _ = write!(anstream::stderr(), "{text}");
        }
    }
}

/// The first failure to write a result. Results are written at the very end, so whoever exits asks for it.
static LOST: OnceLock<String> = OnceLock::new();

/// Whether the reader of stdout went away.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

fn remember(written: io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => IS_CLOSED.store(true, Ordering::Relaxed),
        Err(error) => {
            let _ = LOST.set(error.to_string());
        }
    }
}

/// Asks on the terminal; `None` if there is nobody to ask.
pub(crate) fn ask(question: &str) -> Option<bool> {
    let mut stderr = io::stderr();
    if !io::stdin().is_terminal() || !stderr.is_terminal() {
        return None;
    }
    let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Goes on only after a yes; `otherwise` says how to do it where there is nobody to ask.
pub(crate) fn confirm(question: &str, otherwise: &str) -> Result<(), Problem> {
    match ask(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::new(Exit::NotAllowed, "declined", "nothing was done")),
        None => {
            Output::note(question);
            Err(Problem::new(Exit::NotAllowed, "no_terminal", "there is nobody to ask").hint(otherwise))
        }
    }
}

/// A table without lines. Every cell is made one printable line.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| escape::line(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// `117 KiB`, for people.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} B") } else { format!("{} KiB", bytes.div_ceil(1024)) }
}
