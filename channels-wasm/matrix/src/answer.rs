//! What a homeserver says back: the field that was asked for, or `errcode` and `error`.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of the homeserver's own words.
const REASON: Limit = Limit::Chars(200);

/// The homeserver's words that do not follow from the status.
const CODES: [(&str, &str); 8] = [
    ("M_UNKNOWN_TOKEN", code::AUTH),
    ("M_MISSING_TOKEN", code::AUTH),
    ("M_USER_DEACTIVATED", code::AUTH),
    ("M_USER_LOCKED", code::AUTH),
    ("M_FORBIDDEN", code::ADDRESS),
    ("M_NOT_FOUND", code::ADDRESS),
    ("M_UNKNOWN", code::REJECTED),
    ("M_TOO_LARGE", code::REJECTED),
];

/// A field of a good answer; empty in a dry run.
pub(crate) fn field(response: &Response, name: &str, is_dry_run: bool) -> Result<String, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let failure = response.failure();
    if let Some(errcode) = answer["errcode"].as_str() {
        return Err(refusal(errcode, &answer, failure));
    }
    match (failure, answer[name].as_str()) {
        (Some(error), _) => Err(error),
        (None, Some(value)) => Ok(value.to_owned()),
        (None, None) if is_dry_run => Ok(String::new()),
        (None, None) => {
            let message = format!("{}: no answer of a Matrix homeserver", response.summary());
            Err(SendError::never(code::PROTOCOL, message))
        }
    }
}

fn refusal(errcode: &str, answer: &Value, failure: Option<SendError>) -> SendError {
    let words = answer["error"].as_str().unwrap_or("no reason given");
    let message =
        format!("failed to submit message to Matrix: {}", one_line(&format!("{errcode} {words}"), REASON));
    if errcode == "M_LIMIT_EXCEEDED" {
        // The body's wait came before the header's, and both are in use.
        let wait = answer["retry_after_ms"].as_u64().map(Duration::from_millis);
        let header = failure.and_then(|error| error.after);
        return SendError { after: header.or(wait), ..SendError::later(code::RATE_LIMITED, message) };
    }
    let error = failure.unwrap_or_else(|| SendError::permanent(""));
    if error.retry == Retry::Later {
        return SendError { message, ..error };
    }
    let known = CODES.iter().find(|(known, _)| *known == errcode);
    SendError::never(known.map_or(error.code.as_str(), |(_, code)| code), message)
}
