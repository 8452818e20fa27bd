//! MQTT 3.1.1 and 5 on the wire: the few packets that publishing needs (OASIS, "MQTT Version 5.0" §2 and §3).
//!
//! Invariant: nothing is allocated by a length that the broker sent before the length was checked.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::publish::is_closed;

/// The largest packet that a broker may send to a publisher: answers are short, but for a reason in words.
pub(super) const PACKET_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V311,
    V5,
}

/// What a broker says, as far as it concerns a publisher. A reason code of 128 and more is a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Connected {
        reason: Reason,
        limits: Limits,
    },
    /// PUBACK, PUBREC or PUBCOMP.
    Answer {
        of: Step,
        reason: Reason,
    },
    Pong,
    Disconnect {
        reason: Reason,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Acknowledged,
    Received,
    Completed,
}

/// A reason code of version 5, and what the broker says beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) code: u8,
    pub(super) text: String,
}

/// What the broker takes (§3.2.2.3); version 3.1.1 does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) qos_max: u8,
    pub(super) takes_retained: bool,
    pub(super) packet_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { qos_max: 2, takes_retained: true, packet_bytes_max: u32::MAX }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    Closed,
    Broken(io::ErrorKind),
    Garbage,
    Long,
}

/// Reads one packet and what it says.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S, version: Version) -> Result<Said, ReadError> {
    let kind = octet(stream).await?;
    let mut size = 0_usize;
    for place in 0.. {
        let byte = octet(stream).await?;
        size |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
        if place == 3 {
            return Err(ReadError::Garbage);
        }
    }
    // Only what a broker sends to a publisher; a packet of another kind is not waited for.
    if !matches!(kind, 0x20 | 0x40 | 0x50 | 0x70 | 0xd0 | 0xe0) {
        return Err(ReadError::Garbage);
    }
    if size > PACKET_BYTES_MAX {
        return Err(ReadError::Long);
    }
    let mut body = vec![0; size];
    stream.read_exact(&mut body).await.map_err(|error| broken(&error))?;
    Said::parse(kind, &body, version).ok_or(ReadError::Garbage)
}

async fn octet<S: AsyncRead + Unpin>(stream: &mut S) -> Result<u8, ReadError> {
    stream.read_u8().await.map_err(|error| broken(&error))
}

fn broken(error: &io::Error) -> ReadError {
    if is_closed(error) {
        return ReadError::Closed;
    }
    ReadError::Broken(error.kind())
}

impl Said {
    fn parse(kind: u8, body: &[u8], version: Version) -> Option<Self> {
        let mut fields = Fields(body);
        Some(match kind {
            0x20 => {
                let (_flags, code) = (fields.octet()?, fields.octet()?);
                let mut limits = Limits::default();
                let reason = match version {
                    Version::V311 => Reason { code: reason_of_311(code)?, text: String::new() },
                    Version::V5 => Reason { code, text: fields.properties(&mut limits)? },
                };
                Self::Connected { reason, limits }
            }
            0xd0 => Self::Pong,
            0xe0 => Self::Disconnect { reason: fields.reason()? },
            _ => {
                // The one message of the session has the number 1.
                if fields.short()? != 1 {
                    return None;
                }
                let of = match kind {
                    0x40 => Step::Acknowledged,
                    0x50 => Step::Received,
                    _ => Step::Completed,
                };
                Self::Answer { of, reason: fields.reason()? }
            }
        })
    }
}

/// The return codes of 3.1.1 (§3.2.2.3 there) in the words of 5.
const fn reason_of_311(code: u8) -> Option<u8> {
    Some(match code {
        0 => 0,
        1 => 0x84,
        2 => 0x85,
        3 => 0x88,
        4 => 0x86,
        5 => 0x87,
        _ => return None,
    })
}

/// Fields of a packet, read from the front.
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

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.short()?);
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn variable(&mut self) -> Option<usize> {
        let mut value = 0;
        for place in 0..4 {
            let byte = self.octet()?;
            value |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A reason code, which is success where nothing follows, and the text of its properties.
    fn reason(&mut self) -> Option<Reason> {
        if self.0.is_empty() {
            return Some(Reason::default());
        }
        let code = self.octet()?;
        let text = if self.0.is_empty() { String::new() } else { self.properties(&mut Limits::default())? };
        Some(Reason { code, text })
    }

    /// The properties that matter (§2.2.2.2); gives the reason in words. One of an unknown type ends the session.
    fn properties(&mut self, limits: &mut Limits) -> Option<String> {
        let length = self.variable()?;
        let mut fields = Fields(self.take(length)?);
        let mut text = String::new();
        while !fields.0.is_empty() {
            match fields.variable()? {
                0x1f => text = fields.text()?,
                0x24 => limits.qos_max = fields.octet()?,
                0x25 => limits.takes_retained = fields.octet()? != 0,
                0x27 => limits.packet_bytes_max = fields.long()?,
                0x28..=0x2a => drop(fields.octet()?),
                0x13 | 0x21 | 0x22 => drop(fields.short()?),
                0x11 => drop(fields.long()?),
                0x12 | 0x15 | 0x16 | 0x1a | 0x1c => drop(fields.text()?),
                0x26 => drop((fields.text()?, fields.text()?)),
                _ => return None,
            }
        }
        Some(text)
    }
}

/// A packet: its first byte, its length, its body.
pub(super) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    variable(&mut out, body.len());
    out.extend(body);
    out
}

/// Lengths are below 256 MiB by far.
fn variable(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        out.push(if value == 0 { byte } else { byte | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// At most 65,535 bytes, as was checked when the message came in.
pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(usize::from(u16::MAX))];
    out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(bytes);
}

/// The properties of a packet of version 5; earlier ones have none.
pub(super) fn properties(out: &mut Vec<u8>, version: Version, write: impl FnOnce(&mut Vec<u8>)) {
    if version == Version::V5 {
        let mut written = Vec::new();
        write(&mut written);
        variable(out, written.len());
        out.extend(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(mut bytes: &[u8], version: Version) -> String {
        format!("{:?}", read(&mut bytes, version).await)
    }

    #[tokio::test]
    async fn what_a_broker_says_is_read() {
        let all = "limits: Limits { qos_max: 2, takes_retained: true, packet_bytes_max: 4294967295 }";
        assert_eq!(
            said(b"\x20\x02\0\x05", Version::V311).await,
            format!("Ok(Connected {{ reason: Reason {{ code: 135, text: \"\" }}, {all} }})")
        );
        assert_eq!(
            said(b"\x20\x10\0\x87\x0d\x24\x01\x25\0\x1f\0\x02no\x22\0\x0a", Version::V5).await,
            "Err(Closed)"
        );
        assert_eq!(
            said(b"\x20\x0f\0\x87\x0c\x24\x01\x25\0\x1f\0\x02no\x22\0\x0a", Version::V5).await,
            "Ok(Connected { reason: Reason { code: 135, text: \"no\" }, limits: Limits { qos_max: 1, takes_retained: false, packet_bytes_max: 4294967295 } })"
        );
        assert_eq!(
            said(b"\x40\x02\0\x01", Version::V311).await,
            "Ok(Answer { of: Acknowledged, reason: Reason { code: 0, text: \"\" } })"
        );
        assert_eq!(
            said(b"\x50\x04\0\x01\x97\0", Version::V5).await,
            "Ok(Answer { of: Received, reason: Reason { code: 151, text: \"\" } })"
        );
        assert_eq!(said(b"\xd0\0", Version::V5).await, "Ok(Pong)");
        assert_eq!(
            said(b"\xe0\x01\x8b", Version::V5).await,
            "Ok(Disconnect { reason: Reason { code: 139, text: \"\" } })"
        );
    }

    #[tokio::test]
    async fn what_no_broker_says_ends_the_session() {
        for bytes in [
            &b"HTTP/1.1 400"[..],
            b"\x20\xff\xff\xff\xff\x7f",
            b"\x20\x02\0\x09",
            b"\x40\x02\0\x02",
            b"\x30\x03\0\x01a",
            b"\x40\x01\0",
        ] {
            assert_eq!(said(bytes, Version::V311).await, "Err(Garbage)", "{bytes:?}");
        }
        assert_eq!(said(b"\x20\x05\0\0\x02\x7e\0", Version::V5).await, "Err(Garbage)");
        assert_eq!(said(b"\x20\xff\xff\xff\x7f", Version::V5).await, "Err(Long)");
        assert_eq!(said(b"\x20\x04\0\0", Version::V5).await, "Err(Closed)");
        assert_eq!(said(b"", Version::V5).await, "Err(Closed)");
    }

    #[test]
    fn lengths_are_written_in_as_few_bytes_as_they_need() {
        let check = |length, want: &[u8]| assert_eq!(packet(0x30, &vec![0; length])[1..=want.len()], *want);
        check(0, &[0]);
        check(127, &[127]);
        check(128, &[0x80, 1]);
        check(262_144, &[0x80, 0x80, 0x10]);
    }
}
