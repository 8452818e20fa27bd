//! One MQTT session: connect, log in, publish one message, wait until the broker has taken it, say goodbye.
//!
//! A small one of our own (`reference/ecosystem.md` §1.3): the kept clients bring an event loop and a TLS stack of
//! their own, or open their connections themselves, and a publisher needs six packets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use sandbell_domain::escape;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::wire::{
    self, Limits, PACKET_BYTES_MAX, ReadError, Reason, Said, Step, Version, packet, properties, text,
};
use crate::dial::{AuthorizedTarget, DialError};
use crate::publish::is_closed;
use crate::tls::{self, HandshakeError};
use crate::value::MqttMessage;

/// The answer to the login. The answer to the message may take as long as the attempt.
const REPLY: Duration = Duration::from_secs(10);

/// The number of the one message of a session.
const ID: [u8; 2] = [0, 1];

/// A user and a password.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Zeroizing<Vec<u8>>,
}

/// All that a session needs.
pub(super) struct Plan<'a> {
    pub(super) target: &'a AuthorizedTarget,
    pub(super) is_encrypted: bool,
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) version: Version,
    pub(super) client_id: &'a str,
    pub(super) login: Option<Login>,
    pub(super) message: &'a MqttMessage,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    #[error("the broker refused {what}: {}", said(.reason))]
    Refused { what: &'static str, reason: Reason },
    #[error("the broker takes no message like this: {0}")]
    Unfit(&'static str),
    #[error("the broker closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),
    #[error("what the broker said is no MQTT of this version")]
    Garbage,
    #[error("the broker sent more than {PACKET_BYTES_MAX} bytes at once")]
    Long,
    #[error("the broker did not answer within {0:?}")]
    Silent(Duration),
    #[error("the attempt's time was up")]
    Deadline,
}

impl SessionError {
    /// The contract's word for it.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Dial(error) => error.code(),
            Self::Handshake(error) => error.code(),
            // Reason codes of version 5 (§2.4).
            Self::Refused { reason, .. } => match reason.code {
                0x81 | 0x82 => "protocol",
                0x86 | 0x87 | 0x8a | 0x8c => "auth",
                0x88 | 0x8b | 0x8e => "connect",
                0x89 | 0x93 | 0x96 | 0x97 | 0x9f => "rate-limited",
                0x95 => "too-large",
                _ => "rejected",
            },
            Self::Unfit(_) => "rejected",
            Self::Closed | Self::Broken(_) | Self::Garbage | Self::Long => "protocol",
            Self::Silent(_) | Self::Deadline => "timeout",
        }
    }

    /// Whether the broker said what became of the message.
    pub(super) const fn is_certain(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// Publishes; `is_sent` becomes true before the first byte of the message leaves. Says how it was taken.
pub(super) async fn publish(plan: &Plan<'_>, is_sent: &mut bool) -> Result<&'static str, SessionError> {
    let stream = plan.target.connect().await?;
    if plan.is_encrypted {
        let stream = tls::handshake(stream, plan.target.host(), plan.tls).await?;
        Session { stream, version: plan.version }.converse(plan, is_sent).await
    } else {
        Session { stream, version: plan.version }.converse(plan, is_sent).await
    }
}

struct Session<S> {
    stream: S,
    version: Version,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn converse(&mut self, plan: &Plan<'_>, is_sent: &mut bool) -> Result<&'static str, SessionError> {
        self.write(&connect(plan)).await?;
        let connected =
            timeout(REPLY, self.next("the login")).await.unwrap_or(Err(SessionError::Silent(REPLY)))?;
        let Said::Connected { reason, limits } = connected else { return Err(SessionError::Garbage) };
        accept("the login", &reason)?;
        let packet = message(plan.message, self.version);
        fits(plan.message, packet.len(), limits)?;
        *is_sent = true;
        self.write(&packet).await?;
        let taken = match plan.message.qos {
            0 => self.pinged().await?,
            1 => self.step(Step::Acknowledged).await?,
            _ => {
                let taken = self.step(Step::Received).await?;
                self.write(&wire::packet(0x62, &ID)).await?;
                self.step(Step::Completed).await?;
                taken
            }
        };
        // It is taken by now; a goodbye that does not arrive changes nothing.
        let _ = self.write(&wire::packet(0xe0, &[])).await;
        Ok(taken)
    }

    /// Nothing acknowledges a message of `QoS` 0, but what is answered after it was read after it.
    async fn pinged(&mut self) -> Result<&'static str, SessionError> {
        self.write(&packet(0xc0, &[])).await?;
        match self.next("the message").await? {
            Said::Pong => Ok("read"),
            Said::Connected { .. } | Said::Answer { .. } | Said::Disconnect { .. } => {
                Err(SessionError::Garbage)
            }
        }
    }

    async fn step(&mut self, wanted: Step) -> Result<&'static str, SessionError> {
        match self.next("the message").await? {
            Said::Answer { of, reason } if of == wanted => {
                accept("the message", &reason)?;
                Ok(if reason.code == 0x10 { "taken, though nobody subscribes to it" } else { "taken" })
            }
            Said::Connected { .. } | Said::Answer { .. } | Said::Pong | Said::Disconnect { .. } => {
                Err(SessionError::Garbage)
            }
        }
    }

    /// The next thing said; an end that the broker makes is an error that says what was refused.
    async fn next(&mut self, what: &'static str) -> Result<Said, SessionError> {
        let said = wire::read(&mut self.stream, self.version).await?;
        if let Said::Disconnect { reason } = said {
            return Err(SessionError::Refused { what, reason });
        }
        Ok(said)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(REPLY, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if is_closed(&error) => Err(SessionError::Closed),
            Ok(Err(error)) => Err(SessionError::Broken(error.kind())),
            Err(_) => Err(SessionError::Silent(REPLY)),
        }
    }
}

/// CONNECT (§3.1): nothing is kept of us, and the session is shorter than any time to keep it alive.
fn connect(plan: &Plan<'_>) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::new());
    text(&mut body, b"MQTT");
    body.push(match plan.version {
        Version::V311 => 4,
        Version::V5 => 5,
    });
    let has_login = if plan.login.is_some() { 0xc0 } else { 0 };
    body.extend([0x02 | has_login, 0, 0]);
    properties(&mut body, plan.version, |_| {});
    text(&mut body, plan.client_id.as_bytes());
    if let Some(Login { user, password }) = &plan.login {
        text(&mut body, user.as_bytes());
        text(&mut body, password);
    }
    Zeroizing::new(packet(0x10, &body))
}

/// PUBLISH (§3.3).
fn message(message: &MqttMessage, version: Version) -> Vec<u8> {
    let MqttMessage { topic, content_type, headers, body, qos, retain } = message;
    let mut out = Vec::with_capacity(topic.len() + body.len() + 64);
    text(&mut out, topic.as_bytes());
    if *qos > 0 {
        out.extend(ID);
    }
    properties(&mut out, version, |out| {
        if !content_type.is_empty() {
            out.push(0x03);
            text(out, content_type.as_bytes());
        }
        for (name, value) in headers {
            out.push(0x26);
            text(out, name.as_bytes());
            text(out, value.as_bytes());
        }
    });
    out.extend(body);
    packet(0x30 | qos << 1 | u8::from(*retain), &out)
}

/// A broker that said what it does not take closes the connection on it.
fn fits(message: &MqttMessage, bytes: usize, limits: Limits) -> Result<(), SessionError> {
    let Limits { qos_max, takes_retained, packet_bytes_max } = limits;
    if message.qos > qos_max {
        return Err(SessionError::Unfit("its QoS is higher than the broker offers"));
    }
    if message.retain && !takes_retained {
        return Err(SessionError::Unfit("it would have to be retained"));
    }
    if u32::try_from(bytes).unwrap_or(u32::MAX) > packet_bytes_max {
        return Err(SessionError::Unfit("it is longer than the broker allows"));
    }
    Ok(())
}

fn accept(what: &'static str, reason: &Reason) -> Result<(), SessionError> {
    if reason.code < 0x80 {
        return Ok(());
    }
    Err(SessionError::Refused { what, reason: reason.clone() })
}

/// The reason in the specification's words (§2.4), and in the broker's own where it has some.
fn said(reason: &Reason) -> String {
    let Reason { code, text } = reason;
    let word = match code {
        0x82 => "protocol error",
        0x84 => "this version of MQTT is not supported",
        0x85 => "the client id is not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "the server is unavailable",
        0x89 => "the server is busy",
        0x8a => "banned",
        0x8b => "the server is shutting down",
        0x8c => "bad authentication method",
        0x8e => "another client with the same id has connected",
        0x90 => "the topic is not valid",
        0x93 | 0x96 => "too many messages",
        0x95 => "the packet is too large",
        0x97 => "a quota is exceeded",
        0x99 => "the payload has not the format that was promised",
        0x9a => "retained messages are not supported",
        0x9b => "this QoS is not supported",
        0x9c | 0x9d => "another server is to be used",
        0x9f => "too many connections",
        _ => "no reason",
    };
    let text = escape::cut(text.trim(), 256);
    if text.is_empty() { format!("{word} ({code})") } else { format!("{word} ({code}): {text}") }
}

impl From<ReadError> for SessionError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Closed => Self::Closed,
            ReadError::Broken(kind) => Self::Broken(kind),
            ReadError::Garbage => Self::Garbage,
            ReadError::Long => Self::Long,
        }
    }
}
