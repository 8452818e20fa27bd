//! The answer to a request: read within bounds, and every way to fail in our own words.

use std::error::Error;
use std::io;

use http::Method;
use sandbell_domain::{Limits, escape};
use url::Url;

use super::place;
use crate::attempt::{AttemptState, Exhausted};
use crate::dial::{AuthorizedTarget, DialError};
use crate::scrub::Scrubber;
use crate::value::{HttpError, HttpResponse};

/// Headers of an answer, and their bytes (`reference/security.md` §4.1 rule 12).
const HEADERS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What is about one connection and no business of the guest's.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// An answer as it came, secrets and all.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) const fn of_dry_run() -> Self {
        Self { status: 200, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn location(&self) -> Option<&[u8]> {
        self.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.as_slice())
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.len() + self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>()
    }

    pub(super) fn scrubbed_headers(&self, scrubber: &Scrubber) -> Vec<(String, String)> {
        let text = |value: &[u8]| String::from_utf8_lossy(&scrubber.bytes(value)).into_owned();
        self.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// What the guest gets.
    pub(super) fn into_response(self, scrubber: &Scrubber) -> HttpResponse {
        let headers = self.scrubbed_headers(scrubber);
        let body = match scrubber.bytes(&self.body) {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(body) => Some(body),
        };
        HttpResponse { status: self.status, headers, body: body.unwrap_or(self.body) }
    }
}

/// Reads an answer. `target`: where the connection must have gone; absent behind a proxy, which goes itself.
pub(super) async fn read(
    mut response: reqwest::Response,
    method: &Method,
    url: &Url,
    target: Option<&AuthorizedTarget>,
    attempt: &AttemptState,
    limits: &Limits,
) -> Result<Received, HttpError> {
    let sent = |error: HttpError| HttpError { request_sent: true, ..error };
    if let Some(target) = target {
        let peer = response.remote_addr().ok_or_else(|| HttpError {
            code: "internal",
            message: "the connection has no peer address".to_owned(),
            request_sent: true,
            retry_after: None,
        })?;
        target.check(peer.ip()).map_err(|error| sent(error.into()))?;
    }
    let status = response.status().as_u16();
    let head_bytes: usize =
        response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if response.headers().len() > HEADERS_MAX || head_bytes > HEAD_BYTES_MAX {
        return Err(large_head(url));
    }
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let mut body = Vec::new();
    let has_body = *method != Method::HEAD && !matches!(status, 204 | 304);
    if !has_body {
        return Ok(Received { status, headers, body });
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| sent(explain(&error, url)))? {
        if body.len() + chunk.len() > limits.http_response_bytes_max {
            return Err(sent(Exhausted::ResponseBytes(limits.http_response_bytes_max).into()));
        }
        attempt.take_answer(limits, chunk.len()).map_err(|error| sent(error.into()))?;
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body })
}

fn large_head(url: &Url) -> HttpError {
    HttpError {
        code: "too-large",
        message: format!(
            "the answer of `{}` has more than {HEADERS_MAX} headers or {HEAD_BYTES_MAX} bytes of them",
            place(url)
        ),
        request_sent: true,
        retry_after: None,
    }
}

/// Says what went wrong after the types in an error's chain; its text, which holds the URL, is never used.
pub(super) fn explain(error: &reqwest::Error, url: &Url) -> HttpError {
    let place = place(url);
    let request_sent = !(error.is_connect() || error.is_builder());
    let say = |code, message| HttpError { code, message, request_sent, retry_after: None };
    if let Some(refused) = find::<DialError>(error) {
        return HttpError { request_sent: false, ..refused.clone().into() };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        let reason = escape::line(&escape::cut(&tls.to_string(), 256));
        return say("tls", format!("no encrypted connection to `{place}`: {reason}"));
    }
    if error.is_timeout() {
        return say("timeout", format!("`{place}` did not answer in time"));
    }
    let io = find::<io::Error>(error).map(|error| error.kind().to_string());
    if error.is_connect() {
        let reason = io.unwrap_or_else(|| "it could not be made".to_owned());
        return say("connect", format!("no connection to `{place}`: {reason}"));
    }
    if error.is_decode() {
        return say("protocol", format!("the answer of `{place}` is not what its content-encoding says"));
    }
    if let Some(hyper) = find::<hyper::Error>(error) {
        if hyper.is_parse() {
            return say(
                "protocol",
                format!("what `{place}` answered is no HTTP/1.1, or its head is too large"),
            );
        }
        if hyper.is_incomplete_message() {
            return say("protocol", format!("`{place}` closed the connection before the whole answer came"));
        }
    }
    match io {
        Some(reason) => say("protocol", format!("the connection to `{place}` broke: {reason}")),
        None if error.is_builder() => {
            say("invalid-request", format!("a request to `{place}` cannot be built"))
        }
        None => say("protocol", format!("the connection to `{place}` broke")),
    }
}

/// The first error of a type in a chain; an `io::Error` hides the one that it carries from `source`.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}
