//! AMQP 0-9-1 on the wire: the few methods that publishing needs (the specification's §4.2, "AMQP Wire-Level Format").
//!
//! Invariant: nothing is allocated by a length that the broker sent before the length was checked, and tables of the
//! broker are stepped over, not read: they nest as deep as it likes, and a reader that follows aborts the process.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::publish::is_closed;

/// The largest frame that we agree to, its frame included.
pub(super) const FRAME_BYTES_MAX: usize = 128 * 1024;
/// Every broker takes frames of this size (§4.2.3).
pub(super) const FRAME_BYTES_MIN: usize = 4096;
/// Type, channel and size before the payload, and the end mark behind it.
pub(super) const FRAME_OVERHEAD: usize = 8;

pub(super) const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";

const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
const CONTENT_BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
const END: u8 = 0xce;

/// What a broker says, as far as it concerns a publisher.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Start {
        mechanisms: Vec<String>,
    },
    Tune {
        channels_max: u16,
        frame_bytes_max: u32,
    },
    OpenOk,
    ChannelOpenOk,
    SelectOk,
    /// It closes the connection, or our channel.
    Close {
        code: u16,
        text: String,
    },
    CloseOk,
    Blocked {
        reason: String,
    },
    Returned {
        code: u16,
        text: String,
    },
    Ack,
    Nack,
    /// Part of a returned message, a heartbeat, an end of a block.
    Nothing,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    Closed,
    Broken(io::ErrorKind),
    /// It speaks another version, or something else altogether.
    Garbage,
    Long,
}

/// Reads one frame and what it says.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Said, ReadError> {
    let mut head = [0; 7];
    fill(stream, &mut head).await?;
    let [kind, _, _, size @ ..] = head;
    if !matches!(kind, METHOD | CONTENT_HEADER | CONTENT_BODY | HEARTBEAT) {
        return Err(ReadError::Garbage);
    }
    let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if size > FRAME_BYTES_MAX - FRAME_OVERHEAD {
        return Err(ReadError::Long);
    }
    let mut payload = vec![0; size + 1];
    fill(stream, &mut payload).await?;
    if payload.pop() != Some(END) {
        return Err(ReadError::Garbage);
    }
    if kind == METHOD { Said::parse(&payload).ok_or(ReadError::Garbage) } else { Ok(Said::Nothing) }
}

async fn fill<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut [u8]) -> Result<(), ReadError> {
    match stream.read_exact(buffer).await {
        Ok(_) => Ok(()),
        Err(error) if is_closed(&error) => Err(ReadError::Closed),
        Err(error) => Err(ReadError::Broken(error.kind())),
    }
}

impl Said {
    /// `None` for a method that no broker sends to a publisher, and for one that is cut off.
    fn parse(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        Some(match (fields.short()?, fields.short()?) {
            (10, 10) => {
                let (_major, _minor) = (fields.octet()?, fields.octet()?);
                let _properties = fields.long_string()?;
                let mechanisms = String::from_utf8_lossy(fields.long_string()?);
                Self::Start { mechanisms: mechanisms.split(' ').map(str::to_owned).collect() }
            }
            (10, 30) => Self::Tune { channels_max: fields.short()?, frame_bytes_max: fields.long()? },
            (10, 41) => Self::OpenOk,
            (10, 50) | (20, 40) => Self::Close { code: fields.short()?, text: fields.short_string()? },
            (10, 51) => Self::CloseOk,
            (10, 60) => Self::Blocked { reason: fields.short_string()? },
            (10, 61) => Self::Nothing,
            (20, 11) => Self::ChannelOpenOk,
            (85, 11) => Self::SelectOk,
            (60, 50) => Self::Returned { code: fields.short()?, text: fields.short_string()? },
            (60, 80) => Self::Ack,
            (60, 120) => Self::Nack,
            _ => return None,
        })
    }
}

/// Fields of a method, read from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn short_string(&mut self) -> Option<String> {
        let length = usize::from(self.octet()?);
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// A long string, or a table as it is.
    fn long_string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.long()?).ok()?;
        self.take(length)
    }
}

/// Frames to be sent.
#[derive(Default)]
pub(super) struct Out(pub(super) Vec<u8>);

impl Out {
    /// A method and its arguments.
    pub(super) fn method(&mut self, channel: u16, id: (u16, u16), arguments: impl FnOnce(&mut Vec<u8>)) {
        self.frame(METHOD, channel, |payload| {
            payload.extend(id.0.to_be_bytes());
            payload.extend(id.1.to_be_bytes());
            arguments(payload);
        });
    }

    /// The header of a message's content: class `basic`, its size, its properties.
    pub(super) fn content_header(
        &mut self,
        channel: u16,
        size: usize,
        properties: impl FnOnce(&mut Vec<u8>),
    ) {
        self.frame(CONTENT_HEADER, channel, |payload| {
            payload.extend([0, 60, 0, 0]);
            payload.extend((size as u64).to_be_bytes());
            properties(payload);
        });
    }

    pub(super) fn content_body(&mut self, channel: u16, body: &[u8], frame_bytes_max: usize) {
        for piece in body.chunks(frame_bytes_max - FRAME_OVERHEAD) {
            self.frame(CONTENT_BODY, channel, |payload| payload.extend(piece));
        }
    }

    fn frame(&mut self, kind: u8, channel: u16, payload: impl FnOnce(&mut Vec<u8>)) {
        let out = &mut self.0;
        out.push(kind);
        out.extend(channel.to_be_bytes());
        length_before(out, payload);
        out.push(END);
    }
}

/// Four bytes of length, and what `write` writes.
fn length_before(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0; 4]);
    write(out);
    // Everything that is sent is far below 4 GiB.
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

/// At most 255 bytes, as was checked when the message came in.
pub(super) fn short_string(out: &mut Vec<u8>, text: &str) {
    let bytes = &text.as_bytes()[..text.len().min(255)];
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend(bytes);
}

pub(super) fn long_string(out: &mut Vec<u8>, bytes: &[u8]) {
    length_before(out, |out| out.extend(bytes));
}

pub(super) fn table(out: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    length_before(out, fields);
}

pub(super) fn text_field(out: &mut Vec<u8>, name: &str, text: &str) {
    short_string(out, name);
    out.push(b'S');
    long_string(out, text.as_bytes());
}

pub(super) fn true_field(out: &mut Vec<u8>, name: &str) {
    short_string(out, name);
    out.extend([b't', 1]);
}

pub(super) fn table_field(out: &mut Vec<u8>, name: &str, fields: impl FnOnce(&mut Vec<u8>)) {
    short_string(out, name);
    out.push(b'F');
    table(out, fields);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(mut bytes: &[u8]) -> String {
        format!("{:?}", read(&mut bytes).await)
    }

    fn method(id: (u16, u16), arguments: &[u8]) -> Vec<u8> {
        let mut out = Out::default();
        out.method(1, id, |payload| payload.extend(arguments));
        out.0
    }

    #[tokio::test]
    async fn what_a_broker_says_is_read() {
        assert_eq!(
            said(&method((10, 10), b"\0\x09\0\0\0\x03any\0\0\0\x0ePLAIN AMQPLAIN\0\0\0\x05en_US")).await,
            r#"Ok(Start { mechanisms: ["PLAIN", "AMQPLAIN"] })"#
        );
        assert_eq!(
            said(&method((60, 50), b"\x01\x38\x08NO_ROUTE\0\0")).await,
            r#"Ok(Returned { code: 312, text: "NO_ROUTE" })"#
        );
        assert_eq!(said(&method((60, 80), &[0; 9])).await, "Ok(Ack)");
        assert_eq!(said(b"\x08\0\0\0\0\0\0\xce").await, "Ok(Nothing)");
    }

    #[tokio::test]
    async fn what_no_broker_says_ends_the_session() {
        let garbage = "Err(Garbage)";
        for bytes in [
            HEADER.to_vec(),
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            b"\x08\0\0\0\0\0\0\xcf".to_vec(),
            method((10, 99), b""),
            method((10, 50), b"\x01"),
            method((10, 10), b"\0\x09\xff\xff\xff\xffany"),
            method((60, 60), b""),
        ] {
            assert_eq!(said(&bytes).await, garbage, "{bytes:?}");
        }
        assert_eq!(said(b"\x01\0\0\xff\xff\xff\xff").await, "Err(Long)");
        assert_eq!(said(b"\x01\0\0\0\0\0\x10only half").await, "Err(Closed)");
        assert_eq!(said(b"").await, "Err(Closed)");
    }

    #[test]
    fn a_large_body_goes_in_frames_that_fit() {
        let mut out = Out::default();
        out.content_body(1, &[7; 10_000], FRAME_BYTES_MIN);
        assert_eq!(out.0.len(), 10_000 + 3 * FRAME_OVERHEAD);
        assert_eq!(out.0[..7], [3, 0, 1, 0, 0, 15, 248]);
    }
}
