//! One SMTP session (RFC 5321), with every recipient's fate told apart.
//!
//! Not lettre's: its connection keeps plain text that was sent ahead of TLS and takes it for the first encrypted
//! reply, reads a line of any length, and tells of a refusal no more than its code. The wire is what Icinga's own
//! channel says (`reference/icinga.md` §4.1).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::reply::{self, Reply};
use crate::dial::{AuthorizedTarget, DialError};
use crate::mime::Letter;
use crate::template::Mechanism;
use crate::tls::{self, HandshakeError};
use crate::value::Encryption;

const REPLY: Duration = Duration::from_secs(30);
/// A server may think long about a whole message.
const VERDICT: Duration = Duration::from_mins(1);
/// The message is delivered by then, and a goodbye is not worth more.
const GOODBYE: Duration = Duration::from_secs(1);

/// The lines to say for each mechanism, best first.
pub(super) type LoginLines = Vec<(Mechanism, Vec<Zeroizing<String>>)>;

/// All that a session needs.
pub(super) struct Plan<'a> {
    pub(super) target: &'a AuthorizedTarget,
    pub(super) encryption: Encryption,
    pub(super) login: Option<LoginLines>,
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) letter: &'a Letter,
}

/// How far a session came, for the one who had to end it.
#[derive(Default)]
pub(super) struct Progress {
    /// The final dot has left: the server may have taken the message, whatever happens next.
    pub(super) is_message_sent: bool,
    pub(super) delivered: Option<Delivered>,
}

#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) reply: Reply,
    pub(super) refused: Vec<(String, Reply)>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    #[error("the server offers no STARTTLS, and the mail is not sent without it")]
    NoStarttls,
    #[error("the server sent plain text after its reply to STARTTLS, as an attacker in between would")]
    Injected,
    #[error("the server offers none of the login mechanisms that can be used: {0}")]
    NoMechanism(String),
    #[error("the server refused {what}: {reply}")]
    Refused { what: &'static str, reply: Reply },
    #[error("the server refused every recipient: {address}: {reply}")]
    AllRefused { address: String, reply: Reply },
    #[error("the server closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),
    #[error("what the server said is no SMTP")]
    Garbage,
    #[error("the server's reply has no end: a line of more than 1000 bytes or lines of more than 64 KiB")]
    Long,
    #[error("the server did not reply within {0:?}")]
    Silent(Duration),
    #[error("the attempt's time was up")]
    Deadline,
}

impl SessionError {
    /// The contract's word for it.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Dial(error) => code_of_dial(error),
            Self::Handshake(error) => error.code(),
            Self::NoStarttls | Self::Injected => "tls",
            Self::NoMechanism(_) => "auth",
            Self::Refused { reply, .. } | Self::AllRefused { reply, .. } if reply.is_rate_limit() => {
                "rate-limited"
            }
            Self::Refused { what: LOGIN, reply } if reply.code >= 500 => "auth",
            Self::Refused { .. } | Self::AllRefused { .. } => "rejected",
            Self::Closed | Self::Broken(_) | Self::Garbage | Self::Long => "protocol",
            Self::Silent(_) | Self::Deadline => "timeout",
        }
    }

    pub(super) const fn reply_code(&self) -> Option<u16> {
        match self {
            Self::Refused { reply, .. } | Self::AllRefused { reply, .. } => Some(reply.code),
            Self::Dial(_)
            | Self::Handshake(_)
            | Self::NoStarttls
            | Self::Injected
            | Self::NoMechanism(_)
            | Self::Closed
            | Self::Broken(_)
            | Self::Garbage
            | Self::Long
            | Self::Silent(_)
            | Self::Deadline => None,
        }
    }
}

/// The contract has no `invalid-request` for mail: a host that is none is the mail's fault.
pub(super) fn code_of_dial(error: &DialError) -> &'static str {
    match error.code() {
        "invalid-request" => "invalid-mail",
        code => code,
    }
}

const LOGIN: &str = "the login";

/// Connects, encrypts, logs in, sends, says goodbye.
pub(super) async fn deliver(plan: &Plan<'_>, progress: &mut Progress) -> Result<Delivered, SessionError> {
    let stream = plan.target.connect().await?;
    match plan.encryption {
        Encryption::None => {
            let mut session = Session::new(stream);
            session.greeting().await?;
            session.transfer(plan, progress).await
        }
        Encryption::Tls => {
            let mut session = Session::new(tls::handshake(stream, plan.target.host(), plan.tls).await?);
            session.greeting().await?;
            session.transfer(plan, progress).await
        }
        Encryption::Starttls => {
            let mut session = Session::new(stream);
            session.greeting().await?;
            if !session.hello().await?.has_starttls {
                return Err(SessionError::NoStarttls);
            }
            session.command("STARTTLS").await?.must("STARTTLS", 220)?;
            let stream = session.into_plain()?;
            let mut session = Session::new(tls::handshake(stream, plan.target.host(), plan.tls).await?);
            session.transfer(plan, progress).await
        }
    }
}

/// What a server said that it can do.
#[derive(Default)]
struct Features {
    has_starttls: bool,
    /// In capitals.
    mechanisms: Vec<String>,
}

struct Session<S> {
    stream: S,
    /// Came beyond the last reply.
    ahead: Vec<u8>,
}

impl Session<TcpStream> {
    /// The stream to encrypt. What came ahead was said in plain and must not count afterwards (CVE-2011-0411).
    fn into_plain(self) -> Result<TcpStream, SessionError> {
        if self.ahead.is_empty() { Ok(self.stream) } else { Err(SessionError::Injected) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    const fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    async fn greeting(&mut self) -> Result<(), SessionError> {
        self.reply(REPLY).await?.must("the connection", 220)
    }

    /// EHLO, and HELO for a server that does not know it.
    async fn hello(&mut self) -> Result<Features, SessionError> {
        let reply = self.command("EHLO localhost").await?;
        if matches!(reply.code, 500 | 502) {
            self.command("HELO localhost").await?.must("the greeting", 250)?;
            return Ok(Features::default());
        }
        let features = Features::of(&reply);
        reply.must("the greeting", 250)?;
        Ok(features)
    }

    /// Everything from the greeting to the goodbye, on a stream as encrypted as it will be.
    async fn transfer(
        &mut self,
        plan: &Plan<'_>,
        progress: &mut Progress,
    ) -> Result<Delivered, SessionError> {
        let outcome = self.converse(plan, progress).await;
        if let Ok(delivered) = &outcome {
            progress.delivered = Some(delivered.clone());
        }
        if outcome.as_ref().map_or_else(|error| error.reply_code().is_some(), |_| true) {
            let _ = timeout(GOODBYE, self.command("QUIT")).await;
        }
        outcome
    }

    async fn converse(
        &mut self,
        plan: &Plan<'_>,
        progress: &mut Progress,
    ) -> Result<Delivered, SessionError> {
        let Letter { from, to, bytes, message_id: _ } = plan.letter;
        let features = self.hello().await?;
        if let Some(login) = &plan.login {
            self.login(login, &features).await?;
        }
        self.command(&format!("MAIL FROM:<{from}>")).await?.must("the sender", 250)?;
        let mut refused: Vec<(String, Reply)> = Vec::new();
        for recipient in to {
            let reply = self.command(&format!("RCPT TO:<{recipient}>")).await?;
            if !matches!(reply.code, 200..=299) {
                refused.push((recipient.to_string(), reply));
            }
        }
        if refused.len() == to.len() {
            // One that may be taken later decides, so that the mail is tried again.
            let later = refused.iter().position(|(_, reply)| reply.code < 500).unwrap_or_default();
            let (address, reply) = refused.swap_remove(later);
            return Err(SessionError::AllRefused { address, reply });
        }
        self.command("DATA").await?.must("the message", 354)?;
        self.say(&stuffed(bytes), progress).await?;
        let reply = self.reply(VERDICT).await?;
        reply.clone().must("the message", 250)?;
        Ok(Delivered { reply, refused })
    }

    async fn login(&mut self, login: &LoginLines, features: &Features) -> Result<(), SessionError> {
        let offered = |mechanism: Mechanism| features.mechanisms.iter().any(|name| name == mechanism.name());
        let Some((_, lines)) = login.iter().find(|(mechanism, _)| offered(*mechanism)) else {
            return Err(SessionError::NoMechanism(match features.mechanisms.as_slice() {
                [] => "it offers no login at all; does it want encryption first?".to_owned(),
                offered => sandbell_domain::escape::cut(&offered.join(", "), 128),
            }));
        };
        let mut reply = Reply { code: 334, lines: Vec::new() };
        for line in lines {
            if reply.code != 334 {
                break;
            }
            reply = self.command(line).await?;
        }
        if reply.code == 334 {
            // XOAUTH2 tells why by a challenge, and refuses after an empty answer.
            reply = self.command("").await?;
        }
        reply.must(LOGIN, 235)
    }

    async fn command(&mut self, line: &str) -> Result<Reply, SessionError> {
        let line = Zeroizing::new(format!("{line}\r\n"));
        let sent = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        };
        within(REPLY, sent).await?;
        self.reply(REPLY).await
    }

    /// The message and its final dot.
    async fn say(&mut self, message: &[u8], progress: &mut Progress) -> Result<(), SessionError> {
        within(VERDICT, self.stream.write_all(message)).await?;
        progress.is_message_sent = true;
        within(VERDICT, async {
            self.stream.write_all(b".\r\n").await?;
            self.stream.flush().await
        })
        .await
    }

    async fn reply(&mut self, limit: Duration) -> Result<Reply, SessionError> {
        timeout(limit, reply::read(&mut self.stream, &mut self.ahead))
            .await
            .unwrap_or(Err(SessionError::Silent(limit)))
    }
}

async fn within(limit: Duration, sent: impl Future<Output = io::Result<()>>) -> Result<(), SessionError> {
    match timeout(limit, sent).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(SessionError::Broken(error.kind())),
        Err(_) => Err(SessionError::Silent(limit)),
    }
}

impl Features {
    /// Keywords are the same in any case (RFC 5321 §4.1.1.1); `AUTH=` is an old way to write `AUTH `.
    fn of(reply: &Reply) -> Self {
        let mut features = Self::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => features.has_starttls = true,
                Some("AUTH") => features.mechanisms.extend(words.map(str::to_owned)),
                Some(_) | None => {}
            }
        }
        features
    }
}

impl Mechanism {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::Xoauth2 => "XOAUTH2",
        }
    }
}

impl Reply {
    fn must(self, what: &'static str, code: u16) -> Result<(), SessionError> {
        if self.code == code {
            return Ok(());
        }
        if self.is_positive() {
            Err(SessionError::Garbage)
        } else {
            Err(SessionError::Refused { what, reply: self })
        }
    }
}

/// Doubles the dot at the start of a line (RFC 5321 §4.5.2). The message has CR LF only, so no line is missed.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_message_is_the_final_dot() {
        let check = |message: &str, want: &str| assert_eq!(stuffed(message.as_bytes()), want.as_bytes());
        check("a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n");
        check(".\r\n", "..\r\n");
        check("..a\r\n.b.\r\n", "...a\r\n..b.\r\n");
        check("a.\r\n", "a.\r\n");
    }
}
