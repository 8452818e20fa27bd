//! One AMQP 0-9-1 session: connect, log in, publish one message, wait until the broker has confirmed it.
//!
//! Not amqprs: it opens its connections itself, to whatever a name resolves to, and a broker ends the whole process by a
//! table in a table in a table (lapin likewise, `reference/security.md` §0). A publisher needs eight methods.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use sandbell_domain::escape;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::wire::{
    self, FRAME_BYTES_MAX, FRAME_BYTES_MIN, HEADER, Out, ReadError, Said, long_string, short_string, table,
    table_field, text_field, true_field,
};
use crate::dial::{AuthorizedTarget, DialError};
use crate::publish::is_closed;
use crate::tls::{self, HandshakeError};
use crate::value::AmqpMessage;

/// One answer of a broker, but for the last: that one may take as long as the attempt.
const REPLY: Duration = Duration::from_secs(10);
/// The message is confirmed by then, and a goodbye is not worth more.
const GOODBYE: Duration = Duration::from_secs(1);
/// Frames of one session: a broker that says nothing without end is not listened to.
const FRAMES_MAX: u32 = 1000;

const CHANNEL: u16 = 1;

/// All that a session needs.
pub(super) struct Plan<'a> {
    pub(super) target: &'a AuthorizedTarget,
    pub(super) is_encrypted: bool,
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) vhost: &'a str,
    /// Authorization identity, user and password, as SASL's `PLAIN` has them (RFC 4616).
    pub(super) login: Zeroizing<Vec<u8>>,
    /// The same for every try, so that a reader can tell a message that came twice.
    pub(super) message_id: &'a str,
    pub(super) message: &'a AmqpMessage,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    #[error("the broker offers no login by PLAIN, but {0}")]
    NoMechanism(String),
    #[error("the broker refused {what}: {code} {text}")]
    Refused { what: &'static str, code: u16, text: String },
    #[error("the broker returned the message: {code} {text}; does the queue exist, and is it bound?")]
    Returned { code: u16, text: String },
    #[error("the broker did not take responsibility for the message (nack); is the queue full?")]
    Nacked,
    #[error("the broker lets nobody publish: {0}")]
    Blocked(String),
    #[error("the broker closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),
    #[error("what the broker said is no AMQP 0-9-1")]
    Garbage,
    #[error(
        "the broker sent more than {FRAME_BYTES_MAX} bytes in one frame or more than {FRAMES_MAX} frames"
    )]
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
            Self::NoMechanism(_) => "auth",
            // Reply codes of the specification's §1.4; RabbitMQ stops by 320.
            Self::Refused { code, .. } => match code {
                403 => "auth",
                404 | 312 | 313 => "unroutable",
                311 => "too-large",
                320 => "connect",
                506 => "rate-limited",
                500..=529 | 540..=599 => "protocol",
                _ => "rejected",
            },
            Self::Returned { .. } => "unroutable",
            Self::Nacked => "nacked",
            Self::Blocked(_) => "rate-limited",
            Self::Closed | Self::Broken(_) | Self::Garbage | Self::Long => "protocol",
            Self::Silent(_) | Self::Deadline => "timeout",
        }
    }

    /// Whether the broker said what became of the message.
    pub(super) const fn is_certain(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Returned { .. } | Self::Nacked)
    }
}

/// Publishes; `is_sent` becomes true before the first byte of the message leaves.
pub(super) async fn publish(plan: &Plan<'_>, is_sent: &mut bool) -> Result<(), SessionError> {
    let stream = plan.target.connect().await?;
    if plan.is_encrypted {
        let stream = tls::handshake(stream, plan.target.host(), plan.tls).await?;
        Session::new(stream).run(plan, is_sent).await
    } else {
        Session::new(stream).run(plan, is_sent).await
    }
}

struct Session<S> {
    stream: S,
    frames: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    const fn new(stream: S) -> Self {
        Self { stream, frames: 0 }
    }

    async fn run(mut self, plan: &Plan<'_>, is_sent: &mut bool) -> Result<(), SessionError> {
        let outcome = self.converse(plan, is_sent).await;
        if outcome.as_ref().map_or_else(SessionError::is_certain, |()| true) {
            let _ = timeout(GOODBYE, self.goodbye()).await;
        }
        outcome
    }

    async fn converse(&mut self, plan: &Plan<'_>, is_sent: &mut bool) -> Result<(), SessionError> {
        // Tuning is not answered, so the next question goes with it.
        let mut out = Out::default();
        let frame_bytes_max = self.login(&plan.login, &mut out).await?;
        out.method(0, (10, 40), |out| {
            short_string(out, plan.vhost);
            short_string(out, "");
            out.push(0);
        });
        self.say(out).await?;
        self.expect(Said::OpenOk, "the virtual host").await?;
        // Both are answered in order, so they go together.
        let mut out = Out::default();
        out.method(CHANNEL, (20, 10), |out| short_string(out, ""));
        out.method(CHANNEL, (85, 10), |out| out.push(0));
        self.say(out).await?;
        self.expect(Said::ChannelOpenOk, "a channel").await?;
        self.expect(Said::SelectOk, "to confirm").await?;
        *is_sent = true;
        self.say(content(plan.message_id, plan.message, frame_bytes_max)).await?;
        self.verdict().await
    }

    /// From the greeting to the tuning, whose answer is left to be sent; gives the largest frame that may be sent.
    async fn login(&mut self, login: &[u8], tuned: &mut Out) -> Result<usize, SessionError> {
        self.write(HEADER).await?;
        let Said::Start { mechanisms } = self.reply("the connection").await? else {
            return Err(SessionError::Garbage);
        };
        if !mechanisms.iter().any(|offered| offered == "PLAIN") {
            return Err(SessionError::NoMechanism(escape::cut(&mechanisms.join(", "), 128)));
        }
        let mut out = Out::default();
        out.method(0, (10, 11), |out| {
            table(out, about_us);
            short_string(out, "PLAIN");
            long_string(out, login);
            short_string(out, "en_US");
        });
        self.write(&Zeroizing::new(out.0)).await?;
        let Said::Tune { channels_max, frame_bytes_max } = self.reply("the login").await? else {
            return Err(SessionError::Garbage);
        };
        let frame_bytes_max = match usize::try_from(frame_bytes_max).unwrap_or(usize::MAX) {
            0 => FRAME_BYTES_MAX,
            small if small < FRAME_BYTES_MIN => return Err(SessionError::Garbage),
            size => size.min(FRAME_BYTES_MAX),
        };
        tuned.method(0, (10, 31), |out| {
            out.extend((if channels_max == 0 { 4 } else { channels_max.min(4) }).to_be_bytes());
            out.extend(u32::try_from(frame_bytes_max).unwrap_or(u32::MAX).to_be_bytes());
            // No heartbeats: the session is shorter than any.
            out.extend([0, 0]);
        });
        Ok(frame_bytes_max)
    }

    /// What becomes of the message. A message that no queue takes is returned first and acknowledged then.
    async fn verdict(&mut self) -> Result<(), SessionError> {
        let mut returned = None;
        loop {
            match self.next("the message").await? {
                Said::Returned { code, text } => {
                    returned = Some(SessionError::Returned { code, text: short(&text) });
                }
                Said::Ack => return returned.map_or(Ok(()), Err),
                Said::Nack => return Err(SessionError::Nacked),
                Said::Blocked { reason } => return Err(SessionError::Blocked(short(&reason))),
                Said::Nothing => {}
                Said::Start { .. }
                | Said::Tune { .. }
                | Said::OpenOk
                | Said::ChannelOpenOk
                | Said::SelectOk
                | Said::Close { .. }
                | Said::CloseOk => return Err(SessionError::Garbage),
            }
        }
    }

    async fn goodbye(&mut self) -> Result<(), SessionError> {
        let mut out = Out::default();
        out.method(0, (10, 50), |out| {
            out.extend(200u16.to_be_bytes());
            short_string(out, "done");
            out.extend([0; 4]);
        });
        self.say(out).await?;
        while wire::read(&mut self.stream).await? != Said::CloseOk {}
        Ok(())
    }

    async fn expect(&mut self, said: Said, what: &'static str) -> Result<(), SessionError> {
        if self.reply(what).await? == said { Ok(()) } else { Err(SessionError::Garbage) }
    }

    /// The next thing said that is something, in time.
    async fn reply(&mut self, what: &'static str) -> Result<Said, SessionError> {
        timeout(REPLY, async {
            loop {
                let said = self.next(what).await?;
                if let Said::Blocked { reason } = said {
                    // It is blocked before we begin; the verdict would be the same.
                    return Err(SessionError::Blocked(short(&reason)));
                }
                if said != Said::Nothing {
                    return Ok(said);
                }
            }
        })
        .await
        .unwrap_or(Err(SessionError::Silent(REPLY)))
    }

    /// The next thing said; an end that the broker makes is an error that says what was refused.
    async fn next(&mut self, what: &'static str) -> Result<Said, SessionError> {
        self.frames += 1;
        if self.frames > FRAMES_MAX {
            return Err(SessionError::Long);
        }
        let said = wire::read(&mut self.stream).await?;
        if let Said::Close { code, text } = said {
            return Err(SessionError::Refused { what, code, text: short(&text) });
        }
        Ok(said)
    }

    async fn say(&mut self, out: Out) -> Result<(), SessionError> {
        self.write(&out.0).await
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

/// What a client says of itself; without these words `RabbitMQ` keeps its refusals to itself.
fn about_us(out: &mut Vec<u8>) {
    text_field(out, "product", "sandbell");
    text_field(out, "version", env!("CARGO_PKG_VERSION"));
    table_field(out, "capabilities", |out| {
        for name in ["publisher_confirms", "basic.nack", "connection.blocked", "authentication_failure_close"]
        {
            true_field(out, name);
        }
    });
}

/// The method, the header and the body of a message.
fn content(message_id: &str, message: &AmqpMessage, frame_bytes_max: usize) -> Out {
    let AmqpMessage { exchange, routing_key, content_type, headers, body, persistent, mandatory } = message;
    let mut out = Out::default();
    out.method(CHANNEL, (60, 40), |out| {
        out.extend([0, 0]);
        short_string(out, exchange);
        short_string(out, routing_key);
        out.push(u8::from(*mandatory));
    });
    out.content_header(CHANNEL, body.len(), |out| {
        let flag = |is_there: bool, bit: u16| u16::from(is_there) << bit;
        let flags = flag(!content_type.is_empty(), 15)
            | flag(!headers.is_empty(), 13)
            | flag(true, 12)
            | flag(true, 7);
        out.extend(flags.to_be_bytes());
        if !content_type.is_empty() {
            short_string(out, content_type);
        }
        if !headers.is_empty() {
            table(out, |out| headers.iter().for_each(|(name, value)| text_field(out, name, value)));
        }
        out.push(if *persistent { 2 } else { 1 });
        short_string(out, message_id);
    });
    out.content_body(CHANNEL, body, frame_bytes_max);
    out
}

fn short(text: &str) -> String {
    escape::cut(text.trim(), 256)
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
