//! Log lines, each dialect's way (`reference/icinga.md` §1.9): `channel::Log` in J, short single lines of stderr in L.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use sandbell_domain::{LogLevel, escape};
use tokio::sync::mpsc;

use super::wire::{self, Dialect};

/// Longest line on stderr, in bytes: a daemon of dialect L stops reading for good at 64 KiB.
const LINE_BYTES_MAX: usize = 2048;

/// Takes log lines from anywhere and never waits: what does not fit is dropped.
#[derive(Clone)]
pub(super) struct Journal {
    /// Unset until the first request: until then nobody would understand more than stderr.
    dialect: Arc<OnceLock<Dialect>>,
    /// Weak, so that both streams can end while a journal lives.
    stdout: mpsc::WeakSender<Vec<u8>>,
    stderr: mpsc::WeakSender<Vec<u8>>,
}

impl Journal {
    pub(super) fn new(stdout: &mpsc::Sender<Vec<u8>>, stderr: &mpsc::Sender<Vec<u8>>) -> Self {
        Self { dialect: Arc::default(), stdout: stdout.downgrade(), stderr: stderr.downgrade() }
    }

    pub(super) fn speak(&self, dialect: Dialect) {
        let _ = self.dialect.set(dialect);
    }

    pub(super) fn warn(&self, message: &str) {
        self.write(LogLevel::Warn, &escape::line(message), &[]);
    }

    /// `message` and `fields` are escaped already and hold no secret.
    pub(super) fn write(&self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        let message = if message.is_empty() { "(no message)" } else { message };
        match self.dialect.get() {
            Some(Dialect::JsonRpc) => {
                if let Some(stdout) = self.stdout.upgrade() {
                    let _ = stdout.try_send(wire::log(rpc_level(level), message, fields));
                }
            }
            Some(Dialect::Legacy) | None => {
                if let Some(stderr) = self.stderr.upgrade() {
                    let _ = stderr.try_send(line(level, message, fields));
                }
            }
        }
    }
}

/// The levels that the daemon knows.
const fn rpc_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace | LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

fn line(level: LogLevel, message: &str, fields: &[(String, String)]) -> Vec<u8> {
    let mut line = format!("{}: {message}", level.as_str());
    for (key, value) in fields {
        let _ = write!(line, " {key}={value:?}");
    }
    let mut line = escape::cut(&line.replace(['\n', '\r'], " "), LINE_BYTES_MAX).into_bytes();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Option<Vec<u8>>) -> String {
        String::from_utf8(bytes.unwrap()).unwrap()
    }

    #[test]
    fn each_dialect_gets_its_log() {
        let (stdout, mut replies) = mpsc::channel(1);
        let (stderr, mut lines) = mpsc::channel(1);
        let journal = Journal::new(&stdout, &stderr);
        let fields = [("http.status".to_owned(), "429".to_owned())];
        journal.write(LogLevel::Info, "slow <down>", &fields);
        assert_eq!(text(lines.blocking_recv()), "info: slow <down> http.status=\"429\"\n");

        journal.speak(Dialect::JsonRpc);
        journal.write(LogLevel::Trace, "slow <down>", &fields);
        journal.write(LogLevel::Error, "dropped, since nobody reads", &[]);
        assert_eq!(
            text(replies.blocking_recv()),
            "{\"jsonrpc\":\"2.0\",\"method\":\"channel::Log\",\"params\":{\"level\":\"debug\",\
             \"message\":\"slow \\u003cdown\\u003e\",\"fields\":[\"http.status\",\"429\"]}}\n"
        );
        drop(stdout);
        assert!(replies.blocking_recv().is_none());
        journal.warn("nobody is there");
    }

    #[test]
    fn a_line_of_stderr_is_one_line_and_short() {
        let line = line(LogLevel::Warn, &format!("a\nb{}", "c".repeat(100_000)), &[]);
        assert!(line.len() < LINE_BYTES_MAX + 40);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
