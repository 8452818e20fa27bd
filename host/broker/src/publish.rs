//! What messages to AMQP and MQTT brokers have in common: the power, the login, the record.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use sandbell_domain::delivery::PublishExchange;
use sandbell_domain::{Capability, Exchange, Mode, escape};
use tokio::time::Instant;

use crate::attempt::{AttemptState, Exhausted};
use crate::dial::{DialError, Reach};
use crate::power::Common;
use crate::template::TemplateError;
use crate::value::{Credentials, PublishError};

/// What a record keeps of a message.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// Headers of one message, and all of their bytes (`reference/security.md` §1.4 Q3).
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 4 * 1024;

/// The power to publish where a grant's rules allow it.
pub(crate) struct PublishPower<Rule> {
    pub(crate) rules: Vec<Rule>,
    pub(crate) reach: Arc<Reach>,
    pub(crate) tls: Arc<ClientConfig>,
}

/// What is written down of a message.
pub(crate) struct Note {
    pub(crate) capability: Capability,
    pub(crate) broker: String,
    pub(crate) login: Option<String>,
    pub(crate) place: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Note {
    /// Writes an exchange down, without secrets and within bounds, and takes secrets out of the error.
    pub(crate) fn finish(
        self,
        common: &Common,
        attempt: &AttemptState,
        outcome: Result<String, PublishError>,
        started: Instant,
    ) -> Result<(), PublishError> {
        let Self { capability, broker, login, place, headers, body } = self;
        let scrub = |text: &str| common.scrubber.text(text);
        let outcome = outcome.map_err(|error| PublishError { message: scrub(&error.message), ..error });
        let is_sent = attempt.mode == Mode::Send && outcome.is_ok();
        let sent_bytes = if is_sent { body.len() } else { 0 };
        let exchange = PublishExchange {
            capability,
            broker: scrub(&broker),
            login: login.as_deref().map(scrub),
            place: scrub(&place),
            headers: headers
                .iter()
                .take(HEADERS_MAX)
                .map(|(name, value)| (shown(name), scrub(&shown(value))))
                .collect(),
            body: common.scrubber.bytes(&body[..body.len().min(SHOWN_BYTES_MAX)]).into_owned(),
            answer: outcome.as_ref().ok().filter(|_| is_sent).map(|answer| scrub(answer)),
            error: outcome.as_ref().err().map(|error| error.message.clone()),
            duration: started.elapsed(),
        };
        attempt.record(Exchange::Publish(exchange), sent_bytes, 0);
        outcome.map(drop)
    }
}

/// A name or a value of a guest, fit to be shown.
pub(crate) fn shown(text: &str) -> String {
    escape::line(&escape::cut(text, 255))
}

pub(crate) fn login_shown(login: Option<&Credentials>) -> Option<String> {
    login.map(|Credentials { user, password }| {
        format!("{} with <secret:{}>", shown(user), escape::line(&escape::cut(password, 64)))
    })
}

/// A user name that can be sent.
pub(crate) fn check_user(user: &str) -> Result<(), PublishError> {
    if user.chars().any(char::is_control) || user.len() > 512 {
        let message = "the user name holds a control character or is too long".to_owned();
        return Err(PublishError { code: "auth", message });
    }
    Ok(())
}

/// Headers that are few and short.
pub(crate) fn check_headers(headers: &[(String, String)]) -> Result<(), PublishError> {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return Err(invalid(format!(
            "a message has at most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes together"
        )));
    }
    Ok(())
}

/// A short text of a message: the protocols count its bytes in one or two.
pub(crate) fn check_text(what: &str, text: &str, bytes_max: usize) -> Result<(), PublishError> {
    if text.len() > bytes_max {
        return Err(invalid(format!("{what} has {} bytes; at most {bytes_max} are allowed", text.len())));
    }
    Ok(())
}

/// Whether the other side is gone, however it went.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

/// Says so where a password goes over the wire as it is.
pub(crate) fn warn_of_plain(host: &str, port: u16) {
    tracing::warn!(
        server.address = host,
        server.port = port,
        "Sending a password to {host} without encryption, as configured",
    );
}

pub(crate) fn invalid(message: String) -> PublishError {
    PublishError { code: "invalid-message", message }
}

/// Refuses for want of a grant.
pub(crate) fn no_power(capability: &str) -> PublishError {
    let message = format!(
        "{capability} is not granted: the plugin has no want of {capability} that applies to this configuration"
    );
    PublishError { code: "denied", message }
}

/// The call panicked, or its runtime is gone.
pub(crate) fn broken() -> PublishError {
    PublishError { code: "internal", message: "the host failed to carry out the request".to_owned() }
}

/// Refuses a broker that no operator declared.
pub(crate) fn not_declared(name: &str) -> PublishError {
    let name = escape::line(&escape::cut(name, 64));
    PublishError { code: "denied", message: format!("no broker named `{name}` is declared") }
}

impl From<DialError> for PublishError {
    /// The contract has no `invalid-request` here: a host that is none is the message's fault.
    fn from(refused: DialError) -> Self {
        let code = match refused.code() {
            "invalid-request" => "invalid-message",
            code => code,
        };
        Self { code, message: refused.to_string() }
    }
}

impl From<Exhausted> for PublishError {
    fn from(exhausted: Exhausted) -> Self {
        Self { code: exhausted.code(), message: exhausted.to_string() }
    }
}

impl From<TemplateError> for PublishError {
    /// A login that cannot be written down.
    fn from(bad: TemplateError) -> Self {
        Self { code: "auth", message: bad.to_string() }
    }
}
