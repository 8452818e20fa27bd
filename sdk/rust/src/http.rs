//! HTTP, done by the host: build a request, hand it over, judge the answer.
//!
//! ```
//! use sandbell_sdk::prelude::*;
//!
//! fn post(token: &Secret, text: &str) -> Result<Receipt, SendError> {
//!     let answer = http::post("https://api.example.com/messages")
//!         .bearer(token)
//!         .json(&json!({ "text": text }))
//!         .send()?
//!         .check()?;
//!     Ok(Receipt::new().id(answer.header("x-message-id").unwrap_or_default()))
//! }
//! ```

mod json;
mod response;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::bindings::sandbell::channel::http as wit;
use crate::bindings::sandbell::channel::types::Atom;
use crate::error::{code, millis};
use crate::template::percent_encoded;
use crate::{Secret, SendError, Template, backend};

pub use json::{Object, object};
pub use response::Response;

/// A request in the making.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    wit: wit::Request,
    /// The first mistake made while building; told when sent.
    mistake: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// `denied`, `dns`, `connect`, `tls`, `timeout`, `too-large`, `rate-limited`, `invalid-request`, `secret`,
    /// `protocol` or `internal`.
    pub code: String,
    pub message: String,
    /// False only if the host knows that no byte of the request left.
    pub request_sent: bool,
    pub retry_after: Option<Duration>,
}

/// Starts a GET; the URL may hold secrets or be one.
pub fn get(url: impl Into<Template>) -> Request {
    request("GET", url)
}

/// Starts a POST; the URL may hold secrets or be one.
pub fn post(url: impl Into<Template>) -> Request {
    request("POST", url)
}

/// Starts a request with any method.
pub fn request(method: &str, url: impl Into<Template>) -> Request {
    let wit = wit::Request {
        method: method.to_ascii_uppercase(),
        url: url.into().into_parts(),
        query: Vec::new(),
        headers: Vec::new(),
        body: wit::Body::Empty,
        timeout_ms: None,
    };
    Request { wit, mistake: None }
}

/// Text as one segment of a URL's path, or one value of its query: everything but letters, digits and `-._~` becomes
/// `%XX` (RFC 3986 §2.1).
pub fn encoded(text: &str) -> String {
    percent_encoded(text)
}

/// Sends several at once; the answers come in the order of the requests.
pub fn send_all(requests: impl IntoIterator<Item = Request>) -> Vec<Result<Response, Error>> {
    let (mut sound, mut answers) = (Vec::new(), Vec::new());
    for request in requests {
        // A place is kept for the answer of every request that can be sent.
        answers.push(request.finish().map(|request| sound.push(request)));
    }
    let mut sent = backend::http_send_all(&sound).into_iter();
    let missing = || Err(Error::new("internal", "the host gave fewer answers than it got requests"));
    let place = |kept: Result<(), Error>| kept.and_then(|()| sent.next().map_or_else(missing, answer));
    answers.into_iter().map(place).collect()
}

impl Request {
    /// Adds a header; the value may hold secrets.
    pub fn header(mut self, name: &str, value: impl Into<Template>) -> Self {
        self.wit.headers.push(field(name, value));
        self
    }

    /// Adds to the query; the host encodes it.
    pub fn query(mut self, name: &str, value: impl Into<Template>) -> Self {
        self.wit.query.push(field(name, value));
        self
    }

    /// `Authorization: Bearer …`
    pub fn bearer(self, token: impl Into<Template>) -> Self {
        self.header("Authorization", Template::from("Bearer ").with(token))
    }

    /// `Authorization: Basic …`; the host puts user and password together (RFC 7617).
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        let of = vec![Atom::Literal(format!("{user}:")), password.atom()];
        self.header("Authorization", Template::from("Basic ").with(Template::derived("base64", of)))
    }

    /// The body as it is, without a content type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.wit.body = wit::Body::Bytes(body.into());
        self
    }

    /// Text that may hold secrets, without a content type.
    pub fn text(mut self, body: impl Into<Template>) -> Self {
        self.wit.body = wit::Body::Text(body.into().into_parts());
        self
    }

    /// JSON without secrets. For one with secrets see [`Request::json_object`].
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body(bytes).content_type("application/json"),
            Err(error) => {
                self.mistake.get_or_insert(format!("the body cannot be written as JSON: {error}"));
                self
            }
        }
    }

    /// JSON with secrets in it, from [`object`].
    pub fn json_object(self, body: Object) -> Self {
        self.text(body).content_type("application/json")
    }

    /// A form; every value may be text or a secret.
    pub fn form<N: AsRef<str>, V: Into<Template>>(
        mut self,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut body = Template::new();
        let mut separator = "";
        for (name, value) in fields {
            body.push_text(separator);
            separator = "&";
            let (Some(name), Some(value)) =
                (Template::from(name.as_ref()).form_encoded(), value.into().form_encoded())
            else {
                self.mistake.get_or_insert("a form cannot hold base64 made from a secret".to_owned());
                continue;
            };
            body = body.with(name).with("=").with(value);
        }
        self.text(body).content_type("application/x-www-form-urlencoded")
    }

    /// Waits no longer than this for the answer; the host's own limit stays.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.wit.timeout_ms = Some(u32::try_from(millis(limit)).unwrap_or(u32::MAX));
        self
    }

    /// Hands the request over and waits for the answer, whatever its status.
    pub fn send(self) -> Result<Response, Error> {
        answer(backend::http_send(&self.finish()?))
    }

    /// Asks for an access token of OAuth 2.0 by this request, or takes the one that the host keeps for the channel from
    /// the same request before. The token can be placed, never read, and lives as long as the attempt.
    pub fn token(self) -> Result<Secret, Error> {
        self.ask(false)
    }

    /// As [`Request::token`], but not the one that is kept, because the other side no longer takes it.
    pub fn new_token(self) -> Result<Secret, Error> {
        self.ask(true)
    }

    fn ask(self, renew: bool) -> Result<Secret, Error> {
        Ok(Secret::new(backend::http_token(&self.finish()?, renew)?))
    }

    /// A content type that the author chose stays.
    fn content_type(self, value: &str) -> Self {
        let is_set = self.wit.headers.iter().any(|header| header.name.eq_ignore_ascii_case("content-type"));
        if is_set { self } else { self.header("Content-Type", value) }
    }

    fn finish(self) -> Result<wit::Request, Error> {
        match self.mistake {
            None => Ok(self.wit),
            Some(message) => Err(Error { request_sent: false, ..Error::new("invalid-request", message) }),
        }
    }
}

impl Error {
    /// An error as the host would give it, for tests.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), request_sent: true, retry_after: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What is denied, badly built or cannot be understood stays so; a connection that failed may work the next time.
impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        let Error { code, message, request_sent: _, retry_after } = error;
        let error = match code.as_str() {
            "denied" => Self::never(code::DENIED, message),
            "invalid-request" | "secret" => Self::never(code::CONFIG, message),
            "auth" => Self::never(code::AUTH, message),
            // The request went out: another would only repeat it.
            "too-large" => Self::never(code::PROTOCOL, message),
            "dns" | "connect" | "tls" | "timeout" => Self::later(code::UNREACHABLE, message),
            "rate-limited" => Self::later(code::RATE_LIMITED, message),
            "protocol" => Self::later(code::PROTOCOL, message),
            _ => Self::later(code::INTERNAL, message),
        };
        Self { after: retry_after, ..error }
    }
}

impl From<wit::Error> for Error {
    fn from(wit::Error { code, message, request_sent, retry_after_ms }: wit::Error) -> Self {
        Self { code, message, request_sent, retry_after: retry_after_ms.map(Duration::from_millis) }
    }
}

fn answer(result: Result<wit::Response, wit::Error>) -> Result<Response, Error> {
    result.map(Response::from).map_err(Error::from)
}

fn field(name: &str, value: impl Into<Template>) -> wit::Field {
    wit::Field { name: name.to_owned(), value: value.into().into_parts() }
}
