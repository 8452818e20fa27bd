//! HTTP for a guest: the grant, the limits, the connection, the cap, for every hop anew.

mod answer;
mod client;
mod headers;
mod redirect;
mod token; // OAuth 2.0

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method};
use sandbell_domain::delivery::{HttpAnswer, HttpExchange};
use sandbell_domain::target::METHODS;
use sandbell_domain::{Exchange, HttpRule, Mode, escape};
use tokio::time::{Instant, timeout_at};
use url::Url;
use zeroize::Zeroizing;

use crate::attempt::{AttemptState, Exhausted};
use crate::dial::{AuthorizedTarget, DialError, Reach};
use crate::power::Common;
use crate::scrub::Scrubber;
use crate::template::{self, RenderedUrl, TemplateError};
use crate::value::{Body, HttpError, HttpRequest, HttpResponse};

use answer::Received;
pub(crate) use client::Clients;
use headers::Header;
pub(crate) use token::{Tokens, token};

/// Redirects that are followed (`design` §8).
const REDIRECTS_MAX: usize = 5;

/// What a record keeps of a request's body and of an answer's.
const SHOWN_REQUEST_BYTES_MAX: usize = 64 * 1024;
const SHOWN_ANSWER_BYTES_MAX: usize = 4 * 1024;

/// The power to send HTTP requests where a grant's rules allow it.
pub(crate) struct HttpPower {
    pub(crate) rules: Vec<HttpRule>,
    pub(crate) reach: Arc<Reach>,
    pub(crate) clients: Clients,
    pub(crate) user_agent: HeaderValue,
    pub(crate) tokens: Tokens,
}

/// One hop of a request: everything filled in, nothing allowed yet.
struct Hop {
    method: Method,
    url: Zeroizing<String>,
    shown_url: String,
    /// Guest's headers.
    headers: Vec<Header>,
    body: Bytes,
    shown_body: Vec<u8>,
    is_body_secret: bool,
    /// The answer holds a token, so the record does not show it.
    is_answer_secret: bool,
}

/// Sends one request and what it is redirected to; ends before the attempt's deadline.
pub(crate) async fn send(
    power: &HttpPower,
    common: &Common,
    attempt: &AttemptState,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    carry(power, common, attempt, request, false)
        .await
        .map_err(|error| HttpError { message: common.scrubber.text(&error.message), ..error })
}

/// As [`send`], for an answer that nobody is to see.
async fn send_unseen(
    power: &HttpPower,
    common: &Common,
    attempt: &AttemptState,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    carry(power, common, attempt, request, true)
        .await
        .map_err(|error| HttpError { message: common.scrubber.text(&error.message), ..error })
}

async fn carry(
    power: &HttpPower,
    common: &Common,
    attempt: &AttemptState,
    request: HttpRequest,
    is_answer_secret: bool,
) -> Result<HttpResponse, HttpError> {
    let until = request.timeout.map_or(attempt.deadline, |limit| {
        Instant::now().checked_add(limit).map_or(attempt.deadline, |until| until.min(attempt.deadline))
    });
    let method = method(&request.method)?;
    attempt.take_signatures(template::signatures(&request))?;
    let url = common.secrets.url(&request.url, &request.query)?;
    let started = Instant::now();
    let shown = common.scrubber.text(&escape::line(&url.masked));
    let authorized = allow(power, &method, &url).inspect_err(|error| {
        let hop = Hop::refused(&method, &shown);
        note(common, attempt, &hop, Vec::new(), Err(error), started);
    })?;
    let headers = headers::of_guest(&request.headers, &common.secrets)?;
    let (body, shown_body, is_body_secret) = body(common, request.body)?;
    let shown_url = if url.is_secret { shown } else { authorized.0.as_str().to_owned() };
    let url = url.real;
    let mut hop = Hop { method, url, shown_url, headers, body, shown_body, is_body_secret, is_answer_secret };
    let mut authorized = Some(authorized);
    let mut has_sent = false;
    for _ in 0..=REDIRECTS_MAX {
        let (url, target) = match authorized.take() {
            Some(authorized) => authorized,
            None => allow_hop(power, common, attempt, &hop)?,
        };
        let received = exchange(power, common, attempt, &hop, &url, &target, until)
            .await
            .map_err(|error| if has_sent { after_redirect(&error) } else { error })?;
        has_sent = true;
        match redirect::next(&received, &url, &hop.method)? {
            None => return Ok(received.into_response(&common.scrubber)),
            Some(next) => hop = hop.follow(next, &url, &common.scrubber)?,
        }
    }
    Err(HttpError {
        code: "protocol",
        message: format!("the server redirected more than {REDIRECTS_MAX} times"),
        request_sent: true,
        retry_after: None,
    })
}

/// Allows the first URL. What follows a secret that opens it must not have led to another host.
fn allow(
    power: &HttpPower,
    method: &Method,
    url: &RenderedUrl,
) -> Result<(Url, AuthorizedTarget), HttpError> {
    let authorized = power.reach.url(&power.rules, method.as_str(), &url.real, &url.masked)?;
    if url.opening.as_ref().is_some_and(|opening| opening.origin() != authorized.0.origin()) {
        return Err(TemplateError::Authority.into());
    }
    Ok(authorized)
}

/// Allows what a server redirected to, by the same rules as the first URL.
fn allow_hop(
    power: &HttpPower,
    common: &Common,
    attempt: &AttemptState,
    hop: &Hop,
) -> Result<(Url, AuthorizedTarget), HttpError> {
    power.reach.url(&power.rules, hop.method.as_str(), &hop.url, &hop.shown_url).map_err(|error| {
        let error = after_redirect(&error.into());
        note(common, attempt, hop, Vec::new(), Err(&error), Instant::now());
        error
    })
}

/// One hop: counts it, sends it, reads the answer, writes both down.
async fn exchange(
    power: &HttpPower,
    common: &Common,
    attempt: &AttemptState,
    hop: &Hop,
    url: &Url,
    target: &AuthorizedTarget,
    until: Instant,
) -> Result<Received, HttpError> {
    let started = Instant::now();
    let head = headers::head(&hop.method, url, &hop.headers, hop.body.len(), &power.user_agent)?;
    let shown = head.shown();
    let bytes = url.as_str().len() + head.bytes() + hop.body.len();
    let outcome = async {
        attempt.take_request(&common.limits, bytes)?;
        if attempt.mode == Mode::DryRun {
            return Ok(Received::of_dry_run());
        }
        let client = power.clients.get(target.port()).map_err(|error| answer::explain(&error, url))?;
        let mut request = reqwest::Request::new(hop.method.clone(), url.clone());
        *request.headers_mut() = head.real;
        if !hop.body.is_empty() {
            *request.body_mut() = Some(hop.body.clone().into());
        }
        let has_proxy = power.clients.has_proxy();
        timeout_at(until, async {
            let response = client.execute(request).await.map_err(|error| answer::explain(&error, url))?;
            answer::read(response, &hop.method, url, (!has_proxy).then_some(target), attempt, &common.limits)
                .await
        })
        .await
        .unwrap_or_else(|_| Err(too_late(url, started.elapsed())))
    }
    .await;
    note(common, attempt, hop, shown, outcome.as_ref(), started);
    outcome
}

impl Hop {
    /// Stands for a request that was refused before it was built.
    fn refused(method: &Method, shown_url: &str) -> Self {
        Self {
            method: method.clone(),
            url: Zeroizing::default(),
            shown_url: shown_url.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            shown_body: Vec::new(),
            is_body_secret: false,
            is_answer_secret: false,
        }
    }

    /// The next hop. On another origin no secret goes along: its headers are left out and its body is refused.
    fn follow(mut self, next: redirect::Next, from: &Url, scrubber: &Scrubber) -> Result<Self, HttpError> {
        let redirect::Next { url, method, keeps_body } = next;
        let shown_url = scrubber.text(url.as_str());
        if !keeps_body {
            self.body = Bytes::new();
            self.shown_body = Vec::new();
            self.is_body_secret = false;
            self.headers.retain(|header| !headers::describes_body(header));
        }
        if from.origin() != url.origin() {
            if self.is_body_secret {
                return Err(HttpError {
                    code: "denied",
                    message: format!(
                        "`{}` redirects to `{shown_url}`, and a body with a secret in it is not sent to another server",
                        self.shown_url
                    ),
                    request_sent: true,
                    retry_after: None,
                });
            }
            self.headers.retain(|header| !headers::stays_at_origin(header));
        }
        self.method = method;
        self.url = Zeroizing::new(url.into());
        self.shown_url = shown_url;
        Ok(self)
    }
}

fn method(text: &str) -> Result<Method, HttpError> {
    if !METHODS.contains(&text) {
        return Err(invalid(format!(
            "`{}` is no method that a plugin can use; write one of {} in capitals",
            escape::line(&escape::cut(text, 32)),
            METHODS.join(", ")
        )));
    }
    Method::from_bytes(text.as_bytes()).map_err(|_| invalid("the method cannot be sent".to_owned()))
}

fn body(common: &Common, body: Body) -> Result<(Bytes, Vec<u8>, bool), HttpError> {
    let bytes_max = common.limits.http_request_bytes_max;
    match body {
        Body::Empty => Ok((Bytes::new(), Vec::new(), false)),
        Body::Bytes(bytes) if bytes.len() > bytes_max => Err(Exhausted::RequestBytes(bytes_max).into()),
        Body::Bytes(bytes) => {
            let shown = bytes[..bytes.len().min(SHOWN_REQUEST_BYTES_MAX)].to_vec();
            Ok((bytes.into(), shown, false))
        }
        Body::Text(template) => {
            let rendered = common.secrets.body(&template, bytes_max)?;
            Ok((Bytes::from_owner(rendered.real), rendered.masked, rendered.is_secret))
        }
    }
}

/// Writes an exchange down, without secrets and within bounds.
fn note(
    common: &Common,
    attempt: &AttemptState,
    hop: &Hop,
    headers: Vec<(String, String)>,
    outcome: Result<&Received, &HttpError>,
    started: Instant,
) {
    let sent = match outcome {
        Ok(_) => attempt.mode == Mode::Send,
        Err(error) => error.request_sent,
    };
    let head_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let sent_bytes = if sent { hop.shown_url.len() + head_bytes + hop.body.len() } else { 0 };
    let received_bytes = outcome.map_or(0, Received::bytes);
    let answer = outcome.ok().map(|received| {
        let body = if hop.is_answer_secret {
            b"<the token is not shown>"[..].into()
        } else {
            common.scrubber.bytes(&received.body)
        };
        HttpAnswer {
            status: received.status,
            headers: received.scrubbed_headers(&common.scrubber),
            body: body[..body.len().min(SHOWN_ANSWER_BYTES_MAX)].to_vec(),
        }
    });
    let scrub = |text: &str| common.scrubber.text(text);
    let exchange = HttpExchange {
        method: hop.method.to_string(),
        url: hop.shown_url.clone(),
        headers: headers.into_iter().map(|(name, value)| (name, scrub(&value))).collect(),
        body: common.scrubber.bytes(&hop.shown_body).into_owned(),
        answer: answer.filter(|_| attempt.mode == Mode::Send),
        error: outcome.err().map(|error| scrub(&error.message)),
        duration: started.elapsed(),
    };
    attempt.record(Exchange::Http(exchange), sent_bytes, received_bytes);
}

fn too_late(url: &Url, after: Duration) -> HttpError {
    HttpError {
        code: "timeout",
        message: format!("`{}` gave no whole answer within {:.1} s", place(url), after.as_secs_f64()),
        request_sent: true,
        retry_after: None,
    }
}

fn after_redirect(error: &HttpError) -> HttpError {
    HttpError { message: format!("the server redirects, and {error}"), request_sent: true, ..error.clone() }
}

/// Scheme, host and port: what can be told of a URL whose path may be a secret.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Refuses for want of a grant.
pub(crate) fn no_power() -> HttpError {
    HttpError {
        code: "denied",
        message: "http is not granted: the plugin has no want of http that applies to this configuration"
            .to_owned(),
        request_sent: false,
        retry_after: None,
    }
}

/// The call panicked, or its runtime is gone.
pub(crate) fn broken() -> HttpError {
    HttpError {
        code: "internal",
        message: "the host failed to carry out the request".to_owned(),
        request_sent: true,
        retry_after: None,
    }
}

fn invalid(message: String) -> HttpError {
    HttpError { code: "invalid-request", message, request_sent: false, retry_after: None }
}

impl From<TemplateError> for HttpError {
    fn from(error: TemplateError) -> Self {
        Self { code: error.code(), message: error.to_string(), request_sent: false, retry_after: None }
    }
}

impl From<DialError> for HttpError {
    fn from(error: DialError) -> Self {
        Self { code: error.code(), message: error.to_string(), request_sent: false, retry_after: None }
    }
}

impl From<Exhausted> for HttpError {
    fn from(error: Exhausted) -> Self {
        Self { code: error.code(), message: error.to_string(), request_sent: false, retry_after: None }
    }
}
