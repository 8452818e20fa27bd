//! A fake host, so that a channel is tested with plain `cargo test`.
//!
//! It does what the host does before and after a channel runs: it types the configuration and fills in defaults, lets
//! nothing out that the channel's own wants do not cover, and keeps what was sent, with `<secret:NAME>` where a secret
//! would stand. It belongs to the thread that made it, so tests run side by side.
//!
//! ```
//! # use sandbell_sdk::prelude::*;
//! # #[derive(ChannelConfig)]
//! # pub struct Config { token: Secret }
//! # struct Push(Config);
//! # impl Channel for Push {
//! #     type Config = Config;
//! #     fn info() -> Info { Info::new("Push").wants_http("POST https://push.example.com/*", "Sends.") }
//! #     fn new(config: Config) -> Result<Self, ConfigError> { Ok(Self(config)) }
//! #     fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
//! #         http::post("https://push.example.com/v1").bearer(&self.0.token).text("hi").send()?.check()?;
//! #         Ok(Receipt::new())
//! #     }
//! # }
//! use sandbell_sdk::testing::FakeHost;
//!
//! let host = FakeHost::new();
//! host.reply(503, &[("Retry-After", "30")], "");
//! let error = host.send::<Push>(&json!({ "token": "s3cret" }), &Notification::example()).unwrap_err();
//! assert_eq!(error.after, Some(Duration::from_secs(30)));
//! assert_eq!(host.request().to_string(), "POST https://push.example.com/v1\nAuthorization: Bearer <secret:token>\n\nhi");
//! ```

pub(crate) mod answers; // what the SDK asks of the host
mod config; // JSON to typed settings
mod describe; // the form as text
mod example; // a notification to begin with
mod sent; // what was sent, in words
mod wants; // whether it was covered

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::Value;

use crate::bindings::sandbell::channel::{http as wit_http, smtp as wit_smtp};
use crate::channel::{Channel, Notification, Receipt};
use crate::error::{ConfigError, SendError, millis};
use crate::{__rt, amqp, http, mail};

use answers::State;

pub use describe::{describe, form};
pub use sent::{LogLine, SentMail, SentMessage, SentRequest};

/// The host of one test.
#[derive(Debug)]
pub struct FakeHost {
    state: Rc<RefCell<State>>,
}

impl FakeHost {
    /// A host that answers every request with 200, every mail with `250 OK`, and takes every message until told otherwise.
    #[expect(clippy::new_without_default, reason = "making one changes the thread; that should be seen")]
    pub fn new() -> Self {
        let state = Rc::default();
        answers::install(&state);
        Self { state }
    }

    /// Fails the test at its end if an answer that it prepared was not asked for.
    #[must_use]
    pub fn strict(self) -> Self {
        self.state.borrow_mut().is_strict = true;
        self
    }

    /// Prepares the answer to the next request that has none yet.
    pub fn reply(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.queue(Ok(wit_http::Response { status, headers, body: body.into() }));
    }

    /// Lets the next request that has no answer yet fail, e.g. with `http::Error::new("timeout", "…")`.
    pub fn fail(&self, error: http::Error) {
        let http::Error { code, message, request_sent, retry_after } = error;
        self.queue(Err(wit_http::Error {
            code,
            message,
            request_sent,
            retry_after_ms: retry_after.map(millis),
        }));
    }

    /// Lets the next mail be refused.
    pub fn refuse_mail(&self, error: mail::Error) {
        let mail::Error { code, reply_code, message } = error;
        self.state.borrow_mut().mail_answers.push_back(Err(wit_smtp::Error { code, reply_code, message }));
    }

    /// Lets the server refuse these recipients of the next mail: address and reply.
    pub fn refuse_recipients(&self, refused: &[(&str, &str)]) {
        let refusal = |(address, reply): &(&str, &str)| mail::Refusal {
            address: (*address).to_owned(),
            reply: (*reply).to_owned(),
        };
        let refused = refused.iter().map(refusal).collect();
        self.state.borrow_mut().mail_answers.push_back(Ok(answers::accepted(refused)));
    }

    /// Lets the next message to an AMQP or MQTT broker be refused.
    pub fn refuse_message(&self, error: amqp::Error) {
        self.state.borrow_mut().message_answers.push_back(Err(error));
    }

    /// Makes a channel out of a configuration, an object of option names and values as Icinga or a file gives them.
    ///
    /// An option that the channel does not have is a mistake of the test and fails it.
    #[track_caller]
    pub fn configure<C: Channel>(&self, config: &Value) -> Result<C, ConfigError> {
        let info = __rt::info::<C>();
        let (settings, secrets) = config::settings(&info.config_attrs, config)?;
        {
            let mut state = self.state.borrow_mut();
            state.wants = wants::expand(&info.wants, &settings, &secrets);
            state.secrets = secrets;
        }
        __rt::configure::<C>(settings)
            .map_err(|error| ConfigError { option: error.name, message: error.message })
    }

    /// Configures a channel and lets it send; a refused configuration fails the test.
    #[track_caller]
    pub fn send<C: Channel>(
        &self,
        config: &Value,
        notification: &Notification,
    ) -> Result<Receipt, SendError> {
        let channel = match self.configure::<C>(config) {
            Ok(channel) => channel,
            Err(error) => panic!("the configuration was refused: {error}"),
        };
        self.state.borrow_mut().is_dry_run = notification.delivery.dry_run;
        channel.send(notification)
    }

    /// All requests, in order.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.state.borrow().requests.clone()
    }

    /// The one request; fails the test if there was none or more.
    #[track_caller]
    pub fn request(&self) -> SentRequest {
        one(&self.state.borrow().requests, "request")
    }

    /// All mails, in order.
    pub fn mails(&self) -> Vec<SentMail> {
        self.state.borrow().mails.clone()
    }

    /// The one mail; fails the test if there was none or more.
    #[track_caller]
    pub fn mail(&self) -> SentMail {
        one(&self.state.borrow().mails, "mail")
    }

    /// All messages to AMQP and MQTT brokers, in order.
    pub fn messages(&self) -> Vec<SentMessage> {
        self.state.borrow().messages.clone()
    }

    /// The one message; fails the test if there was none or more.
    #[track_caller]
    pub fn message(&self) -> SentMessage {
        one(&self.state.borrow().messages, "message")
    }

    /// All log lines, in order; every level is on.
    pub fn logs(&self) -> Vec<LogLine> {
        self.state.borrow().logs.clone()
    }

    fn queue(&self, answer: Result<wit_http::Response, wit_http::Error>) {
        self.state.borrow_mut().http_answers.push_back(answer);
    }
}

impl Drop for FakeHost {
    fn drop(&mut self) {
        answers::uninstall(&self.state);
        let state = self.state.borrow();
        let unused = state.http_answers.len() + state.mail_answers.len() + state.message_answers.len();
        assert!(
            !state.is_strict || unused == 0 || std::thread::panicking(),
            "{unused} of the prepared answers were not asked for"
        );
    }
}

#[track_caller]
fn one<T: Clone>(sent: &[T], what: &str) -> T {
    let [only] = sent else { panic!("expected one {what}, found {}", sent.len()) };
    only.clone()
}

/// Answers that wait to be asked for.
type Answers<T, E> = VecDeque<Result<T, E>>;
