//! Access tokens of OAuth 2.0: fetched, kept and placed by the host (RFC 6749 §5, RFC 7523 §2.1).
//!
//! Invariant: a token never leaves its channel, and neither a plugin nor a record ever shows one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sandbell_domain::{Mode, escape};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::HttpPower;
use crate::attempt::AttemptState;
use crate::power::Common;
use crate::value::{HttpError, HttpRequest, HttpResponse};

/// Tokens of one channel that are kept; one that has more fetches them anew.
const KEPT_MAX: usize = 16;
/// A token of which the server does not say how long it is good.
const SECONDS_UNSAID: i64 = 300;
const SECONDS_MAX: i64 = 24 * 60 * 60;
/// A token is not used up to its last second: it still has to travel.
const SECONDS_SPARE: i64 = 60;
/// The longest token; a header has room for it.
const TOKEN_BYTES_MAX: usize = 7 * 1024;

/// The tokens of one channel.
#[derive(Default)]
pub(crate) struct Tokens {
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    value: SecretString,
    until: Timestamp,
}

/// Gives the name of a token that this request asks for: the kept one, or what the server answers.
pub(crate) async fn token(
    power: &HttpPower,
    common: &Common,
    attempt: &AttemptState,
    request: HttpRequest,
    renew: bool,
) -> Result<String, HttpError> {
    let name = name(&request);
    let now = (common.now)();
    let kept = (!renew).then(|| power.tokens.get(&name, now)).flatten();
    let value = if let Some(value) = kept {
        value
    } else {
        let response = super::send_unseen(power, common, attempt, request).await?;
        if attempt.mode == Mode::DryRun {
            SecretString::from("a-token-in-a-dry-run".to_owned())
        } else {
            let (value, seconds) = read(&response)
                .map_err(|error| HttpError { message: common.scrubber.text(&error.message), ..error })?;
            power.tokens.keep(&name, value.clone(), now, seconds);
            value
        }
    };
    attempt.hold_token(&name, value);
    Ok(name)
}

impl Tokens {
    fn get(&self, name: &str, now: Timestamp) -> Option<SecretString> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(name).filter(|kept| kept.until > now).map(|kept| kept.value.clone())
    }

    fn keep(&self, name: &str, value: SecretString, now: Timestamp, seconds: i64) {
        let good_for = SignedDuration::from_secs(seconds.min(SECONDS_MAX).saturating_sub(SECONDS_SPARE));
        let Ok(until) = now.checked_add(good_for) else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| kept.until > now);
        if kept.len() < KEPT_MAX || kept.contains_key(name) {
            kept.insert(name.to_owned(), Kept { value, until });
        }
    }
}

/// The same request gives the same name. No option can be called so, because of the colon.
fn name(request: &HttpRequest) -> String {
    let digest = Sha256::digest(format!("{request:?}").as_bytes());
    digest.iter().take(8).fold("token:".to_owned(), |mut name, byte| {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

/// The token of an answer and the seconds that it is good for, or why there is none.
fn read(response: &HttpResponse) -> Result<(SecretString, i64), HttpError> {
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if !(200..300).contains(&response.status) {
        return Err(refusal(response, &answer));
    }
    let token = answer["access_token"].as_str().filter(|token| {
        (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    });
    let Some(token) = token else {
        return Err(HttpError {
            code: "protocol",
            message: "the answer holds no access token; is this the URL of the token endpoint?".to_owned(),
            request_sent: true,
            retry_after: None,
        });
    };
    // NAVER WORKS, among others, writes the number as text.
    let seconds = match &answer["expires_in"] {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Ok((SecretString::from(token.to_owned()), seconds.unwrap_or(SECONDS_UNSAID)))
}

/// The server's own words (RFC 6749 §5.2).
fn refusal(response: &HttpResponse, answer: &Value) -> HttpError {
    let text = |key: &str| answer[key].as_str().map(|text| escape::line(&escape::cut(text, 200)));
    let mut message = format!("the server gave no token: {}", response.status);
    if let Some(error) = text("error") {
        message.extend([" ", &error]);
    }
    if let Some(description) = text("error_description") {
        message.extend([": ", &description]);
    }
    let retry_after = || {
        let header = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        header.and_then(|(_, value)| value.trim().parse().ok()).map(std::time::Duration::from_secs)
    };
    let (code, retry_after) = match response.status {
        429 => ("rate-limited", retry_after()),
        408 | 425 | 500..=599 => ("protocol", retry_after()),
        _ => ("auth", None),
    };
    HttpError { code, message, request_sent: true, retry_after }
}
