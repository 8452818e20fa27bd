//! Bytes to requests: a streaming JSON reader that needs no lines (`reference/icinga.md` §1.1).

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::wire::{self, Dialect, Message, Request};

/// Largest JSON value of the stream, in bytes. The daemon knows no limit; a request of this size is no notification.
pub(super) const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Requests that were read and not yet taken; after that the daemon waits.
const READ_AHEAD_MAX: usize = 16;

/// What was read.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Request),
    /// The daemon closed the stream after a whole value.
    End,
    /// The stream cannot be understood any further.
    Broken {
        dialect: Dialect,
        reason: String,
    },
}

/// Reads on a thread of its own, since a read from a pipe cannot be interrupted.
///
/// The thread ends with the stream, or with the process.
pub(super) fn spawn(stdin: impl Read + Send + 'static) -> mpsc::Receiver<Incoming> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD_MAX);
    let read = move || {
        read_all(stdin, |incoming| sender.blocking_send(incoming).is_ok());
    };
    // Without a reader there is nothing to serve: dropping the sender ends the loop as the end of the stream does.
    let _ = thread::Builder::new().name("icinga-stdin".to_owned()).spawn(read);
    receiver
}

/// Hands every request to `take` until that says no; the last one is `End` or `Broken`.
fn read_all(stdin: impl Read, mut take: impl FnMut(Incoming) -> bool) {
    let budget = Arc::new(AtomicUsize::new(0));
    let stream = Lossy::new(stdin, budget.clone());
    let mut dialect = None;
    for value in serde_json::Deserializer::from_reader(stream).into_iter::<Box<RawValue>>() {
        budget.store(0, Ordering::Relaxed);
        let incoming = match value {
            Ok(value) => match wire::decode(value.get(), dialect) {
                Ok((spoken, message)) => {
                    dialect = Some(spoken);
                    match message {
                        Message::Request(request) => Incoming::Request(request),
                        Message::Stray => continue,
                    }
                }
                Err((dialect, error)) => Incoming::Broken { dialect, reason: error.to_string() },
            },
            Err(error) => {
                let reason = if error.is_eof() { "unexpected EOF".to_owned() } else { error.to_string() };
                Incoming::Broken { dialect: dialect.unwrap_or(Dialect::Legacy), reason }
            }
        };
        let is_last = matches!(incoming, Incoming::Broken { .. });
        if !take(incoming) || is_last {
            return;
        }
    }
    take(Incoming::End);
}

/// Passes bytes on as UTF-8, each wrong byte as U+FFFD, as Go's decoder reads them; and not too many for one value.
struct Lossy<R> {
    inner: R,
    /// Bytes since the last value ended; the consumer sets it back.
    budget: Arc<AtomicUsize>,
    /// The beginning of a character whose end was not read yet.
    carry: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
}

impl<R: Read> Lossy<R> {
    fn new(inner: R, budget: Arc<AtomicUsize>) -> Self {
        Self { inner, budget, carry: Vec::new(), ready: Vec::new(), at: 0 }
    }

    /// Reads until something can be passed on or the stream ends.
    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8192];
        while self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            let length = match self.inner.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut bytes = std::mem::take(&mut self.carry);
            bytes.extend(&buffer[..length]);
            if length == 0 {
                bytes.iter().for_each(|_| push_replacement(&mut self.ready));
                return Ok(());
            }
            self.carry = mend(&bytes, &mut self.ready);
        }
        Ok(())
    }
}

impl<R: Read> Read for Lossy<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let length = out.len().min(self.ready.len() - self.at);
        out[..length].copy_from_slice(&self.ready[self.at..self.at + length]);
        self.at += length;
        if self.budget.fetch_add(length, Ordering::Relaxed) + length > VALUE_BYTES_MAX {
            return Err(io::Error::other(format!("a request has more than {VALUE_BYTES_MAX} bytes")));
        }
        Ok(length)
    }
}

/// Appends `bytes` as UTF-8; what is returned may be the beginning of a character.
fn mend(mut bytes: &[u8], out: &mut Vec<u8>) -> Vec<u8> {
    loop {
        let error = match std::str::from_utf8(bytes) {
            Ok(_) => {
                out.extend(bytes);
                return Vec::new();
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        out.extend(valid);
        let Some(wrong) = error.error_len() else { return rest.to_vec() };
        (0..wrong).for_each(|_| push_replacement(out));
        bytes = &rest[wrong..];
    }
}

fn push_replacement(out: &mut Vec<u8>) {
    out.extend("\u{fffd}".as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the bytes in pieces of `step`, as a pipe may.
    struct Pieces<'a> {
        bytes: &'a [u8],
        step: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = self.step.min(out.len()).min(self.bytes.len());
            out[..length].copy_from_slice(&self.bytes[..length]);
            self.bytes = &self.bytes[length..];
            Ok(length)
        }
    }

    fn read(bytes: &[u8], step: usize) -> Vec<String> {
        let mut lines = Vec::new();
        read_all(Pieces { bytes, step }, |incoming| {
            lines.push(match incoming {
                Incoming::Request(Request { dialect, id, method, params }) => {
                    let params = params.map_or("absent".to_owned(), |params| params.get().to_owned());
                    format!("{dialect:?} {id:?} {method} {params}")
                }
                Incoming::End => "end".to_owned(),
                Incoming::Broken { dialect, reason } => format!("{dialect:?} broken: {reason}"),
            });
            true
        });
        lines
    }

    fn check(bytes: &[u8], want: &[&str]) {
        for step in [1, 2, 3, 4096] {
            assert_eq!(read(bytes, step), want, "{} in pieces of {step}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_stream_of_values_needs_no_lines() {
        check(b"", &["end"]);
        check(b" \n\n ", &["end"]);
        check(
            b"{\"method\":\"GetInfo\",\"params\":null,\"id\":1}{ \"id\" : 2,\n\"method\":\"A\"}\n\n{\"id\":3}",
            &["Legacy Number(1) GetInfo null", "Legacy Number(2) A absent", "Legacy Number(3)  absent", "end"],
        );
        check(
            br#"{"id":0,"jsonrpc":"2.0","method":"GetInfo"}"#,
            &["JsonRpc Number(0) GetInfo absent", "end"],
        );
    }

    #[test]
    fn keys_match_in_any_case_and_params_keep_their_bytes() {
        check(
            br#"{"METHOD":"SetConfig","Params":{"n":1.50,"z":1,"a":2},"ID":1,"x":0}"#,
            &[r#"Legacy Number(1) SetConfig {"n":1.50,"z":1,"a":2}"#, "end"],
        );
    }

    #[test]
    fn the_first_request_tells_the_dialect() {
        check(
            br#"{"id":1,"jsonrpc":"2.0","method":"A"}{"id":2,"method":"B"}"#,
            &["JsonRpc Number(1) A absent", "JsonRpc Number(2) B absent", "end"],
        );
    }

    #[test]
    fn ids_are_what_each_dialect_takes() {
        let legacy = |id: &str| read(format!(r#"{{"method":"A","id":{id}}}"#).as_bytes(), 64).remove(0);
        assert_eq!(legacy("18446744073709551615"), "Legacy Number(18446744073709551615) A absent");
        assert_eq!(legacy("null"), "Legacy Number(0) A absent");
        for id in [r#""1""#, "-1", "1.5", "18446744073709551616", "true", "[]"] {
            let want = format!("Legacy broken: id: expected an unsigned integer, found {id}");
            assert_eq!(legacy(id), want);
        }
        let json_rpc = |id: &str| {
            read(format!(r#"{{"jsonrpc":"2.0","method":"A","id":{id}}}"#).as_bytes(), 64).remove(0)
        };
        assert_eq!(json_rpc("0"), "JsonRpc Number(0) A absent");
        assert_eq!(json_rpc(r#""a\"b""#), r#"JsonRpc Text("a\"b") A absent"#);
        assert_eq!(json_rpc("-1"), "JsonRpc Number(18446744073709551615) A absent");
        assert_eq!(json_rpc("null"), "JsonRpc Number(0) A absent");
        for id in ["1.5", "9223372036854775808", "true"] {
            assert!(json_rpc(id).starts_with("JsonRpc broken: id"), "{id}");
        }
    }

    #[test]
    fn what_is_no_request_ends_the_stream_and_says_why() {
        check(b"garbage\n", &["Legacy broken: expected value at line 1 column 1"]);
        check("\u{feff}{}".as_bytes(), &["Legacy broken: expected value at line 1 column 1"]);
        check(b"[]", &["Legacy broken: expected an object, found an array"]);
        check(b"7 ", &["Legacy broken: expected an object, found a number"]);
        check(br#"{"method":"A","id":1"#, &["Legacy broken: unexpected EOF"]);
        check(
            br#"{"method":"A","id":1} x"#,
            &["Legacy Number(1) A absent", "Legacy broken: expected value at line 1 column 23"],
        );
        check(br#"{"method":7,"id":1}"#, &["Legacy broken: method: expected a string, found a number"]);
        check(b"null\n", &["Legacy Number(0)  absent", "end"]);
        let first = br#"{"jsonrpc":"2.0","id":1,"method":"A"}"#;
        for (second, reason) in [
            ("null", "expected an object, found null"),
            ("[]", "expected an object, found an array"),
            ("{}", "neither a method nor a result nor an error"),
            ("{", "unexpected EOF"),
        ] {
            let bytes = [&first[..], second.as_bytes()].concat();
            check(&bytes, &["JsonRpc Number(1) A absent", &format!("JsonRpc broken: {reason}")]);
        }
    }

    #[test]
    fn answers_that_nobody_asked_for_are_passed_over() {
        check(
            br#"{"jsonrpc":"2.0","id":1,"result":null}{"id":1,"method":"A"}"#,
            &["JsonRpc Number(1) A absent", "end"],
        );
    }

    #[test]
    fn wrong_utf_8_is_replaced_as_go_does_it() {
        check(
            b"{\"method\":\"a\xff\xe6\xbcb\xe6\xbc\xa2\",\"id\":1}",
            &["Legacy Number(1) a\u{fffd}\u{fffd}\u{fffd}b漢 absent", "end"],
        );
        check(br#"{"method":"a\ud83d","id":1}"#, &["Legacy Number(1) a\u{fffd} absent", "end"]);
    }

    #[test]
    fn a_value_that_is_too_large_breaks_the_stream() {
        let mut bytes = br#"{"method":""#.to_vec();
        bytes.resize(VALUE_BYTES_MAX + 10, b'a');
        bytes.extend(br#"","id":1}"#);
        let lines = read(&bytes, 8192);
        assert_eq!(lines, ["Legacy broken: a request has more than 16777216 bytes"]);
        let small = br#"{"method":"A","id":1}"#.repeat(3);
        assert_eq!(read(&small, 8192).len(), 4);
    }

    #[test]
    fn a_request_is_handed_over_when_it_is_whole_and_not_later() {
        let (stdin, mut daemon) = io::pipe().unwrap();
        let mut requests = spawn(stdin);
        io::Write::write_all(&mut daemon, br#"{"method":"A","id":1}"#).unwrap();
        assert!(matches!(requests.blocking_recv(), Some(Incoming::Request(_))));
        io::Write::write_all(&mut daemon, br#"{"method""#).unwrap();
        drop(daemon);
        assert!(matches!(requests.blocking_recv(), Some(Incoming::Broken { .. })));
    }
}
