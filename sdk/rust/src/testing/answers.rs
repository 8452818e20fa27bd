//! What the SDK asks of the host, answered by the fake one of this thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::wants::Granted;
use super::{Answers, LogLine, SentMail, SentMessage, SentRequest};
use crate::bindings::sandbell::channel::amqp;
use crate::bindings::sandbell::channel::http::{Error as HttpError, Request, Response};
use crate::bindings::sandbell::channel::mqtt;
use crate::bindings::sandbell::channel::smtp::{Accepted, Error as SmtpError, Mail, Refusal, Relay};
use crate::log::Level;
use crate::publish::Error as PublishError;

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

/// Everything that the fake host knows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) http_answers: Answers<Response, HttpError>,
    pub(super) mail_answers: Answers<Accepted, SmtpError>,
    pub(super) message_answers: Answers<(), PublishError>,
    pub(super) requests: Vec<SentRequest>,
    pub(super) mails: Vec<SentMail>,
    pub(super) messages: Vec<SentMessage>,
    pub(super) logs: Vec<LogLine>,
    /// Option and value.
    pub(super) secrets: HashMap<String, String>,
    /// What was asked, and the name of what was given for it.
    pub(super) tokens: Vec<(SentRequest, String)>,
    pub(super) wants: Vec<Granted>,
    pub(super) is_strict: bool,
    pub(super) is_dry_run: bool,
}

pub(super) fn install(state: &Rc<RefCell<State>>) {
    CURRENT.set(Some(Rc::clone(state)));
}

pub(super) fn uninstall(state: &Rc<RefCell<State>>) {
    CURRENT.with_borrow_mut(|current| {
        current.take_if(|current| Rc::ptr_eq(current, state));
    });
}

pub(super) fn accepted(refused: Vec<Refusal>) -> Accepted {
    Accepted { message_id: "<1@fake.host>".to_owned(), reply: "250 OK".to_owned(), refused }
}

pub(crate) fn http_send(request: &Request) -> Result<Response, HttpError> {
    with_host(|host| {
        let sent = SentRequest::of(request);
        host.authorise(request, &sent)?;
        host.requests.push(sent);
        let dry = Response { status: 200, headers: Vec::new(), body: Vec::new() };
        if host.is_dry_run { Ok(dry) } else { host.http_answers.pop_front().unwrap_or(Ok(dry)) }
    })
}

/// The name of a token: `token:1` of the first request that asked for one.
pub(crate) fn http_token(request: &Request, renew: bool) -> Result<String, HttpError> {
    with_host(|host| {
        let sent = SentRequest::of(request);
        host.authorise(request, &sent)?;
        if let Some((_, name)) = host.tokens.iter().find(|(asked, _)| !renew && *asked == sent) {
            return Ok(name.clone());
        }
        host.requests.push(sent.clone());
        let answer = if host.is_dry_run { None } else { host.http_answers.pop_front() };
        let refused = |code: &str, message: String| {
            Err(HttpError { code: code.to_owned(), message, request_sent: true, retry_after_ms: None })
        };
        match answer.transpose()? {
            Some(Response { status, .. }) if !(200..300).contains(&status) => {
                return refused("auth", format!("the server gave no token: {status}"));
            }
            Some(Response { body, .. }) if !String::from_utf8_lossy(&body).contains("access_token") => {
                return refused("protocol", "the answer holds no access token".to_owned());
            }
            Some(_) | None => {}
        }
        let name = format!("token:{}", host.tokens.len() + 1);
        host.secrets.insert(name.clone(), "an access token".to_owned());
        host.tokens.push((sent, name.clone()));
        Ok(name)
    })
}

pub(crate) fn http_send_all(requests: &[Request]) -> Vec<Result<Response, HttpError>> {
    requests.iter().map(http_send).collect()
}

pub(crate) fn smtp_send(relay: &Relay, mail: &Mail) -> Result<Accepted, SmtpError> {
    with_host(|host| {
        host.authorise_mail(relay, mail)?;
        host.mails.push(SentMail::of(relay, mail));
        let taken = Ok(accepted(Vec::new()));
        if host.is_dry_run { taken } else { host.mail_answers.pop_front().unwrap_or(taken) }
    })
}

pub(crate) fn amqp_publish(broker: &amqp::Broker, message: &amqp::Message) -> Result<(), amqp::Error> {
    published(SentMessage::of_amqp(broker, message))
        .map_err(|PublishError { code, message }| amqp::Error { code, message })
}

pub(crate) fn mqtt_publish(broker: &mqtt::Broker, message: &mqtt::Message) -> Result<(), mqtt::Error> {
    published(SentMessage::of_mqtt(broker, message))
        .map_err(|PublishError { code, message }| mqtt::Error { code, message })
}

fn published(message: SentMessage) -> Result<(), PublishError> {
    with_host(|host| {
        host.authorise_message(&message)?;
        host.messages.push(message);
        if host.is_dry_run { Ok(()) } else { host.message_answers.pop_front().unwrap_or(Ok(())) }
    })
}

pub(crate) fn log_enabled(_: Level) -> bool {
    true
}

pub(crate) fn log_write(level: Level, message: &str, fields: &[(String, String)]) {
    with_host(|host| host.logs.push(LogLine { level, message: message.to_owned(), fields: fields.to_vec() }));
}

fn with_host<T>(answer: impl FnOnce(&mut State) -> T) -> T {
    CURRENT.with_borrow(|current| {
        let state =
            current.as_ref().expect("this thread has a `FakeHost`; make one at the start of the test");
        answer(&mut state.borrow_mut())
    })
}
