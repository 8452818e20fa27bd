//! What comes back: JSON, a refusal in the words of RFC 9457, or nothing that can be used.

use std::path::PathBuf;

use sandbell_domain::escape;
use serde::Deserialize;
use serde_json::Value as Json;

use super::Place;

/// Longest answer, in bytes: a page of deliveries has far less.
pub(super) const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("no daemon answers at {place}")]
    Unreachable { place: Place, because: String },
    #[error("the daemon did not answer in time; what was asked may still be done")]
    TimedOut,
    #[error("the connection to the daemon broke: {0}")]
    Broken(String),
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("what answers at {place} is no sandbell: {because}")]
    Foreign { place: Place, because: String },
    #[error("the token file `{path}` cannot be used: {because}")]
    Token { path: PathBuf, because: String },
    #[error("the authorities in `{path}` cannot be used: {because}")]
    Authorities { path: PathBuf, because: String },
    #[error("the client cannot start: {0}")]
    Start(String),
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Default, Deserialize, thiserror::Error)]
#[error("{}", self.sentence())]
#[serde(default)]
pub(crate) struct Refusal {
    #[serde(skip)]
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// The field that is wrong (RFC 6901).
    pub(crate) pointer: Option<String>,
}

impl Refusal {
    /// What is wrong; the detail names the field in people's words.
    pub(crate) fn sentence(&self) -> &str {
        if self.detail.is_empty() { &self.title } else { &self.detail }
    }
}

/// A successful answer is JSON, or nothing (`null`).
pub(super) fn read(place: &Place, status: u16, body: &[u8]) -> Result<Json, ClientError> {
    let foreign = |because: String| ClientError::Foreign { place: place.clone(), because };
    if !(200..300).contains(&status) {
        return match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) if !refusal.code.is_empty() => {
                Err(ClientError::Refused(Box::new(Refusal { status, ..refusal })))
            }
            Ok(_) | Err(_) => Err(foreign(format!("HTTP {status}: {}", beginning(body)))),
        };
    }
    if body.is_empty() {
        return Ok(Json::Null);
    }
    serde_json::from_slice(body).map_err(|error| foreign(format!("{error}: {}", beginning(body))))
}

fn beginning(body: &[u8]) -> String {
    escape::cut(&escape::line(String::from_utf8_lossy(body).trim()), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(status: u16, body: &str) -> Result<Json, String> {
        read(&"http://127.0.0.1:8601".parse().unwrap(), status, body.as_bytes())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_answer_is_json_or_nothing() {
        assert_eq!(read_text(200, r#"{"a":1}"#).unwrap()["a"], 1);
        assert_eq!(read_text(204, "").unwrap(), Json::Null);
        assert_eq!(
            read_text(200, "<html>").unwrap_err(),
            "what answers at http://127.0.0.1:8601 is no sandbell: expected value at line 1 column 1: <html>"
        );
    }

    #[test]
    fn a_refusal_names_the_field() {
        let problem = r#"{"type":"about:blank","title":"Bad field","status":422,"code":"field","detail":"name: is no name","pointer":"/name"}"#;
        assert_eq!(read_text(422, problem).unwrap_err(), "name: is no name");
        assert_eq!(
            read_text(502, "bad gateway\x1b[2J").unwrap_err(),
            "what answers at http://127.0.0.1:8601 is no sandbell: HTTP 502: bad gateway\\u{1b}[2J"
        );
    }
}
