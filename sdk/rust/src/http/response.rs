//! An answer, and what it means for the notification.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::bindings::sandbell::channel::http as wit;
use crate::error::code;
use crate::{SendError, time};

/// As much of an answer's body as an error repeats, in characters.
const EXCERPT_CHARS_MAX: usize = 200;

/// An answer with any status.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON; anything else is a [`code::PROTOCOL`] error that is final, because the request was heard.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, SendError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            SendError::never(code::PROTOCOL, format!("the answer is not the expected JSON: {error}"))
        })
    }

    /// Passes a status of 200 to 299 on and makes a [`failure`](Self::failure) of every other.
    pub fn check(self) -> Result<Self, SendError> {
        match self.failure() {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }

    /// What a status means that is not 200 to 299.
    ///
    /// | status | means |
    /// | --- | --- |
    /// | 429, 503 | later, and not before `Retry-After` |
    /// | 408, 425, other 5xx | later |
    /// | 401, 403, 407 | never, [`code::AUTH`] |
    /// | others | never, [`code::REJECTED`] |
    pub fn failure(&self) -> Option<SendError> {
        let error = match self.status {
            200..=299 => return None,
            429 => SendError::later(code::RATE_LIMITED, self.summary()),
            408 | 425 | 500..=599 => SendError::later(code::UNREACHABLE, self.summary()),
            401 | 403 | 407 => SendError::never(code::AUTH, self.summary()),
            _ => SendError::never(code::REJECTED, self.summary()),
        };
        let after = matches!(self.status, 429 | 503).then(|| self.retry_after()).flatten();
        Some(SendError { after, ..error })
    }

    /// How long the other side asks to wait (RFC 9110 §10.2.3), in either form.
    ///
    /// A date is measured against the answer's own `Date`, so that no clock is needed and none can be wrong.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = time::parse_http_date(value)?;
        let now = time::parse_http_date(self.header("date")?)?;
        u64::try_from(until - now).ok().map(Duration::from_secs)
    }

    /// The status in words, e.g. `429 Too Many Requests`.
    pub fn status_line(&self) -> String {
        match reason(self.status) {
            "" => self.status.to_string(),
            reason => format!("{} {reason}", self.status),
        }
    }

    /// Status and the beginning of the body in one line, e.g. `HTTP 429 Too Many Requests: slow down`.
    pub fn summary(&self) -> String {
        let status = self.status_line();
        let text = self.text();
        let words: Vec<_> = text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let excerpt: String = line.chars().take(EXCERPT_CHARS_MAX).collect();
        match (excerpt.is_empty(), excerpt.len() < line.len()) {
            (true, _) => format!("HTTP {status}"),
            (false, false) => format!("HTTP {status}: {excerpt}"),
            (false, true) => format!("HTTP {status}: {excerpt}…"),
        }
    }
}

impl From<wit::Response> for Response {
    fn from(wit::Response { status, headers, body }: wit::Response) -> Self {
        Self { status, headers, body }
    }
}

/// Words of RFC 9110 §15 and RFC 6585 for the statuses that servers of messages use.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        425 => "Too Early",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, body: body.into() }
    }

    #[test]
    fn a_status_decides_what_becomes_of_the_notification() {
        use crate::Retry::{Later, Never};
        for (status, retry, code) in [
            (301, Never, code::REJECTED),
            (400, Never, code::REJECTED),
            (401, Never, code::AUTH),
            (403, Never, code::AUTH),
            (404, Never, code::REJECTED),
            (408, Later, code::UNREACHABLE),
            (410, Never, code::REJECTED),
            (425, Later, code::UNREACHABLE),
            (429, Later, code::RATE_LIMITED),
            (500, Later, code::UNREACHABLE),
            (503, Later, code::UNREACHABLE),
        ] {
            let error = response(status, &[], "no").check().unwrap_err();
            assert_eq!((error.retry, error.code.as_str()), (retry, code), "{status}");
            assert_eq!(error.message, format!("HTTP {status} {}: no", reason(status)));
        }
        for status in [200, 202, 204] {
            assert!(response(status, &[], "").check().is_ok());
        }
    }

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let date = ("Date", "Wed, 21 Oct 2026 07:28:00 GMT");
        for (headers, want) in [
            (vec![("Retry-After", "30")], Some(30)),
            (vec![("retry-after", " 0 ")], Some(0)),
            (vec![("Retry-After", "Wed, 21 Oct 2026 07:30:00 GMT"), date], Some(120)),
            (vec![("Retry-After", "Wed, 21 Oct 2026 07:20:00 GMT"), date], None),
            (vec![("Retry-After", "Wed, 21 Oct 2026 07:30:00 GMT")], None),
            (vec![("Retry-After", "soon"), date], None),
            (vec![("Retry-After", "-1")], None),
            (vec![], None),
        ] {
            let error = response(503, &headers, "").check().unwrap_err();
            assert_eq!(error.after, want.map(Duration::from_secs), "{headers:?}");
        }
        let error = response(500, &[("Retry-After", "30")], "").check().unwrap_err();
        assert_eq!(error.after, None, "only 429 and 503 are asked");
    }

    #[test]
    fn an_error_repeats_one_line_of_the_answer() {
        assert_eq!(response(500, &[], "").summary(), "HTTP 500 Internal Server Error");
        assert_eq!(response(599, &[], "").summary(), "HTTP 599");
        assert_eq!(
            response(500, &[], "<h1>\n\tout\u{1b} of order</h1>\n").summary(),
            "HTTP 500 Internal Server Error: <h1> out of order</h1>"
        );
        assert_eq!(
            response(400, &[], &"é".repeat(300)).summary(),
            format!("HTTP 400 Bad Request: {}…", "é".repeat(200))
        );
    }
}
