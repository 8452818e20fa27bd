//! Mail for a guest: the grant, the limits, the message, one session with the server.

mod reply;
mod session;

use std::sync::Arc;

use rustls::ClientConfig;
use sandbell_domain::delivery::SmtpExchange;
use sandbell_domain::{Exchange, Mode, SmtpRule, escape};
use tokio::time::{Instant, timeout_at};

use crate::attempt::{AttemptState, Exhausted};
use crate::dial::{DialError, Reach};
use crate::mime::{self, Letter, MailError};
use crate::power::Common;
use crate::template::{Mechanism, TemplateError};
use crate::value::{Accepted, Encryption, Login, Mail, RefusedRecipient, Relay, Server, SmtpError};

use session::{Delivered, Plan, Progress, SessionError};

/// What a record keeps of a message.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// The power to send mail by the servers of a grant.
pub(crate) struct SmtpPower {
    pub(crate) servers: Vec<SmtpRule>,
    pub(crate) reach: Arc<Reach>,
    pub(crate) tls: Arc<ClientConfig>,
}

/// Sends one mail in a session of its own; ends before the attempt's deadline.
pub(crate) async fn send(
    power: &SmtpPower,
    common: &Common,
    attempt: &AttemptState,
    relay: Relay,
    mail: Mail,
) -> Result<Accepted, SmtpError> {
    let server = match relay {
        Relay::Named(name) => {
            let name = escape::line(&escape::cut(&name, 64));
            return Err(error("denied", format!("no relay named `{name}` is declared")));
        }
        Relay::Server(server) => server,
    };
    let started = Instant::now();
    let mut note = Note { server: shown(&server), login: login_shown(&server), letter: None };
    let outcome = attempt_to_send(power, common, attempt, &server, &mail, &mut note)
        .await
        .map_err(|error| SmtpError { message: common.scrubber.text(&error.message), ..error });
    attempt_note(common, attempt, note, outcome.as_ref(), started);
    outcome
}

async fn attempt_to_send(
    power: &SmtpPower,
    common: &Common,
    attempt: &AttemptState,
    server: &Server,
    mail: &Mail,
    note: &mut Note,
) -> Result<Accepted, SmtpError> {
    let target = power.reach.server(&power.servers, &server.host, server.port)?;
    let number = attempt.take_mail(&common.limits)?;
    let id =
        if number == 1 { attempt.delivery.to_string() } else { format!("{}.{number}", attempt.delivery) };
    let letter = note.letter.insert(mime::letter(mail, &id, (common.now)(), &common.limits)?);
    let login = server.login.as_ref().map(|login| checked_login(common, login)).transpose()?;
    if attempt.mode == Mode::DryRun {
        return Ok(Accepted {
            message_id: letter.message_id.clone(),
            reply: String::new(),
            refused: Vec::new(),
        });
    }
    if login.is_some() && server.encryption == Encryption::None {
        tracing::warn!(
            server.address = %target.host(),
            server.port = target.port(),
            "Sending a password to {} without encryption, as configured",
            target.host(),
        );
    }
    let plan = Plan { target: &target, encryption: server.encryption, login, tls: &power.tls, letter };
    let mut progress = Progress::default();
    let outcome = timeout_at(attempt.deadline, session::deliver(&plan, &mut progress)).await;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(_) => progress.delivered.take().ok_or(SessionError::Deadline),
    };
    let scrub = |text: &str| common.scrubber.text(&escape::line(text));
    match outcome {
        Ok(Delivered { reply, refused }) => Ok(Accepted {
            message_id: letter.message_id.clone(),
            reply: scrub(&reply.to_string()),
            refused: refused
                .into_iter()
                .map(|(address, reply)| RefusedRecipient { address, reply: scrub(&reply.to_string()) })
                .collect(),
        }),
        Err(failed) => {
            let mut message = scrub(&failed.to_string());
            if progress.is_message_sent && failed.reply_code().is_none() {
                message.push_str("; the whole message had left by then, so it may have been delivered");
            }
            Err(SmtpError { code: failed.code(), reply_code: failed.reply_code(), message })
        }
    }
}

/// A login whose every mechanism could be written down; nothing of it is kept.
fn checked_login(common: &Common, login: &Login) -> Result<session::LoginLines, SmtpError> {
    let Login { user, password, mechanism } = login;
    if user.chars().any(char::is_control) || user.len() > 512 {
        return Err(error("auth", "the user name holds a control character or is too long".to_owned()));
    }
    let wanted = match mechanism.as_deref() {
        None => vec![Mechanism::Plain, Mechanism::Login],
        Some("plain") => vec![Mechanism::Plain],
        Some("login") => vec![Mechanism::Login],
        Some("xoauth2") => vec![Mechanism::Xoauth2],
        Some(other) => {
            let other = escape::line(&escape::cut(other, 32));
            return Err(error(
                "auth",
                format!("`{other}` is no login mechanism; write plain, login or xoauth2"),
            ));
        }
    };
    let lines =
        wanted.into_iter().map(|mechanism| Ok((mechanism, common.secrets.login(mechanism, user, password)?)));
    lines.collect::<Result<_, TemplateError>>().map_err(SmtpError::from)
}

/// What is written down of a mail.
struct Note {
    server: String,
    login: Option<String>,
    letter: Option<Letter>,
}

fn attempt_note(
    common: &Common,
    attempt: &AttemptState,
    note: Note,
    outcome: Result<&Accepted, &SmtpError>,
    started: Instant,
) {
    let Note { server, login, letter } = note;
    let scrub = |text: String| common.scrubber.text(&text);
    let (from, to, message) = letter.map_or_else(Default::default, |letter| {
        let to = letter.to.iter().map(ToString::to_string).collect();
        (letter.from.to_string(), to, letter.bytes)
    });
    let is_sent = attempt.mode == Mode::Send && outcome.is_ok();
    let sent_bytes = if is_sent { message.len() } else { 0 };
    let exchange = SmtpExchange {
        server: scrub(server),
        login: login.map(scrub),
        from,
        to,
        message: common.scrubber.bytes(&message[..message.len().min(SHOWN_BYTES_MAX)]).into_owned(),
        answer: outcome.ok().filter(|_| is_sent).map(|accepted| accepted.reply.clone()),
        error: outcome.err().map(|error| error.message.clone()),
        duration: started.elapsed(),
    };
    attempt.record(Exchange::Smtp(exchange), sent_bytes, 0);
}

fn shown(server: &Server) -> String {
    let encryption = match server.encryption {
        Encryption::None => "not encrypted",
        Encryption::Starttls => "STARTTLS",
        Encryption::Tls => "TLS",
    };
    format!("{}:{} ({encryption})", escape::line(&escape::cut(&server.host, 255)), server.port)
}

fn login_shown(server: &Server) -> Option<String> {
    server.login.as_ref().map(|login| {
        let user = escape::line(&escape::cut(&login.user, 255));
        format!("{user} with <secret:{}>", escape::line(&escape::cut(&login.password, 64)))
    })
}

fn error(code: &'static str, message: String) -> SmtpError {
    SmtpError { code, reply_code: None, message }
}

impl From<DialError> for SmtpError {
    fn from(refused: DialError) -> Self {
        error(session::code_of_dial(&refused), refused.to_string())
    }
}

impl From<Exhausted> for SmtpError {
    fn from(exhausted: Exhausted) -> Self {
        error(exhausted.code(), exhausted.to_string())
    }
}

impl From<MailError> for SmtpError {
    fn from(bad: MailError) -> Self {
        error("invalid-mail", bad.to_string())
    }
}

impl From<TemplateError> for SmtpError {
    /// A login that cannot be written down.
    fn from(bad: TemplateError) -> Self {
        error("auth", bad.to_string())
    }
}
