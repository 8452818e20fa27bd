//! The lines that one attempt may write: through `log.write`, stdout and stderr, capped together.

use sandbell_domain::{LogLevel, LogLine, escape};

/// Longest line of stdout or stderr; what has no line feed is cut here.
const LINE_BYTES_MAX: usize = 4096;

/// Fields of one line.
const FIELDS_MAX: usize = 32;

/// Raw lines of a guest. They are masked and escaped once, when the attempt ends.
#[derive(Debug)]
pub(crate) struct Log {
    lines: Vec<LogLine>,
    bytes: usize,
    lines_max: usize,
    bytes_max: usize,
    dropped: u64,
    level: LogLevel,
    pending: [Vec<u8>; 2],
}

/// The two streams of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    const fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }

    const fn level(self) -> LogLevel {
        match self {
            Self::Stdout => LogLevel::Info,
            Self::Stderr => LogLevel::Warn,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl Log {
    pub(crate) fn new(level: LogLevel, lines_max: usize, bytes_max: usize) -> Self {
        Self {
            lines: Vec::new(),
            bytes: 0,
            lines_max,
            bytes_max,
            dropped: 0,
            level,
            pending: [Vec::new(), Vec::new()],
        }
    }

    pub(crate) fn is_enabled(&self, level: LogLevel) -> bool {
        level >= self.level
    }

    /// Keeps a line, or counts it as dropped if it exceeds lines or bytes.
    pub(crate) fn push(&mut self, level: LogLevel, message: String, mut fields: Vec<(String, String)>) {
        if !self.is_enabled(level) {
            return;
        }
        fields.truncate(FIELDS_MAX);
        let bytes =
            message.len() + fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if self.lines.len() >= self.lines_max || self.bytes.saturating_add(bytes) > self.bytes_max {
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.lines.push(LogLine { level, message, fields });
    }

    /// Takes bytes of stdout or stderr; a line feed ends a line.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_whole) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let pending = &mut self.pending[stream.index()];
            let room = LINE_BYTES_MAX - pending.len();
            pending.extend_from_slice(&text[..text.len().min(room)]);
            if is_whole {
                self.end_line(stream);
            }
        }
    }

    fn end_line(&mut self, stream: Stream) {
        let bytes = std::mem::take(&mut self.pending[stream.index()]);
        let text = String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned();
        self.push(stream.level(), text, vec![("stream".to_owned(), stream.name().to_owned())]);
    }

    /// Every line, masked by `scrub` and escaped, with a last one that says how many were dropped.
    pub(crate) fn finish(&mut self, scrub: impl Fn(&str) -> String) -> Vec<LogLine> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if !self.pending[stream.index()].is_empty() {
                self.end_line(stream);
            }
        }
        let clean = |text: &str| escape::line(&scrub(text));
        let mut lines: Vec<_> = std::mem::take(&mut self.lines)
            .into_iter()
            .map(|LogLine { level, message, fields }| LogLine {
                level,
                message: clean(&message),
                fields: fields.iter().map(|(name, value)| (clean(name), clean(value))).collect(),
            })
            .collect();
        if self.dropped > 0 {
            let message = format!(
                "{} more lines were dropped: at most {} lines and {} bytes are kept",
                self.dropped, self.lines_max, self.bytes_max
            );
            lines.push(LogLine { level: LogLevel::Warn, message, fields: Vec::new() });
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        Log::new(LogLevel::Info, 3, 100)
    }

    fn finish(log: &mut Log) -> String {
        let lines = log.finish(|text| text.replace("hunter2", "<secret>"));
        let shown: Vec<_> = lines
            .iter()
            .map(|line| format!("{} {} {:?}", line.level.as_str(), line.message, line.fields))
            .collect();
        shown.join("\n")
    }

    #[test]
    fn streams_become_lines() {
        let mut log = log();
        log.write(Stream::Stdout, b"one\r\ntw");
        log.write(Stream::Stderr, b"\x1b[31mred hunter2");
        log.write(Stream::Stdout, b"o\n");
        insta::assert_snapshot!(finish(&mut log), @r#"
        info one [("stream", "stdout")]
        info two [("stream", "stdout")]
        warn \u{1b}[31mred <secret> [("stream", "stderr")]
        "#);
    }

    #[test]
    fn a_flood_is_counted_and_dropped() {
        let mut log = log();
        log.push(LogLevel::Debug, "below the level".to_owned(), Vec::new());
        log.push(LogLevel::Info, "x".repeat(101), Vec::new());
        for _ in 0..1000 {
            log.push(LogLevel::Error, "line".to_owned(), Vec::new());
        }
        insta::assert_snapshot!(finish(&mut log), @r"
        error line []
        error line []
        error line []
        warn 998 more lines were dropped: at most 3 lines and 100 bytes are kept []
        ");
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut log = Log::new(LogLevel::Info, 3, 1 << 20);
        for _ in 0..100 {
            log.write(Stream::Stdout, &[b'x'; 1000]);
        }
        let lines = log.finish(str::to_owned);
        assert_eq!(lines[0].message.len(), LINE_BYTES_MAX);
    }
}
