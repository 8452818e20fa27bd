//! Replies of a mail server, read within bounds.

use std::fmt;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::session::SessionError;

/// A line of a reply, and all lines of one (`reference/security.md` §1.4 X7; RFC 5321 §4.5.3.1.5 has 512).
const LINE_BYTES_MAX: usize = 1000;
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// What a message keeps of a reply's text.
const SHOWN_BYTES_MAX: usize = 512;

/// One reply: its code, and the lines' texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn is_positive(&self) -> bool {
        matches!(self.code, 200..=399)
    }

    /// An enhanced status code of the policy class, or a server that is too busy: come back later (RFC 3463 §3.8).
    pub(super) fn is_rate_limit(&self) -> bool {
        let text = self.lines.first().map_or("", String::as_str);
        self.code == 421 || (matches!(self.code, 400..=499) && text.starts_with("4.7."))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lines.join(" ");
        write!(f, "{} {}", self.code, sandbell_domain::escape::cut(text.trim(), SHOWN_BYTES_MAX))
    }
}

/// Reads one reply from `stream`; `ahead` holds what came beyond the last one.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    ahead: &mut Vec<u8>,
) -> Result<Reply, SessionError> {
    let mut reply = Reply { code: 0, lines: Vec::new() };
    let mut bytes = 0;
    loop {
        let line = read_line(stream, ahead).await?;
        bytes += line.len();
        if bytes > REPLY_BYTES_MAX {
            return Err(SessionError::Long);
        }
        let (code, is_last, text) = parse_line(&line).ok_or(SessionError::Garbage)?;
        if !reply.lines.is_empty() && reply.code != code {
            return Err(SessionError::Garbage);
        }
        reply.code = code;
        reply.lines.push(text);
        if is_last {
            return Ok(reply);
        }
    }
}

async fn read_line<S: AsyncRead + Unpin>(
    stream: &mut S,
    ahead: &mut Vec<u8>,
) -> Result<Vec<u8>, SessionError> {
    loop {
        if let Some(end) = ahead.iter().position(|byte| *byte == b'\n') {
            return Ok(ahead.drain(..=end).collect());
        }
        if ahead.len() > LINE_BYTES_MAX {
            return Err(SessionError::Long);
        }
        let mut chunk = [0; LINE_BYTES_MAX];
        match stream.read(&mut chunk).await {
            Ok(0) => return Err(SessionError::Closed),
            Ok(count) => ahead.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(SessionError::Closed),
            Err(error) => return Err(SessionError::Broken(error.kind())),
        }
    }
}

/// `250-text` or `250 text`, or a code alone.
fn parse_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (digits, rest) = line.split_at_checked(3)?;
    let code: u16 =
        std::str::from_utf8(digits).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    let (is_last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    Some((code, is_last, String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn reply(text: &str) -> String {
        let mut ahead = Vec::new();
        match read(&mut text.as_bytes(), &mut ahead).await {
            Ok(reply) => {
                format!("{reply} [{} lines] ahead {:?}", reply.lines.len(), String::from_utf8_lossy(&ahead))
            }
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn replies_are_read_to_their_last_line() {
        assert_eq!(reply("220 ready\r\n").await, "220 ready [1 lines] ahead \"\"");
        assert_eq!(reply("250-a\r\n250-b\r\n250 c\r\nx").await, "250 a b c [3 lines] ahead \"x\"");
        assert_eq!(reply("354\n").await, "354  [1 lines] ahead \"\"");
        let garbage = "what the server said is no SMTP";
        for bad in ["hello\r\n", "2x0 a\r\n", "099 a\r\n", "250-a\r\n251 b\r\n", "250_a\r\n", "\r\n"] {
            assert_eq!(reply(bad).await, garbage, "{bad}");
        }
        assert_eq!(reply("250 half").await, "the server closed the connection");
    }

    #[tokio::test]
    async fn endless_replies_end() {
        let long =
            "the server's reply has no end: a line of more than 1000 bytes or lines of more than 64 KiB";
        assert_eq!(reply(&"2".repeat(1_000_000)).await, long);
        assert_eq!(reply(&"250-on and on\r\n".repeat(100_000)).await, long);
    }
}
