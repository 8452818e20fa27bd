//! What Pushover says back: `status` 1, or what was wrong.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Pushover's own words.
const REASON: Limit = Limit::Chars(200);

/// `status` 1 is success, whatever the HTTP status; the receipt holds Pushover's number of the request.
pub(crate) fn check(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let failure = response.failure();
    let Some(status) = answer["status"].as_i64() else {
        return match failure {
            Some(error) => Err(error),
            None if is_dry_run => Ok(Receipt::new()),
            None => {
                let message = format!("{}: no answer of Pushover", response.summary());
                Err(SendError::never(code::PROTOCOL, message))
            }
        };
    };
    if status == 1 && failure.is_none() {
        let id = answer["request"].as_str();
        return Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id)));
    }
    let errors: Vec<_> =
        answer["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // In Diun's words, with Pushover's behind them.
    let mut message = format!("Pushover API call failed with status {status}");
    if !errors.is_empty() {
        message = format!("{message}: {}", one_line(&errors.join(", "), REASON));
    }
    let is_invalid = |field: &str| answer[field] == "invalid";
    Err(match failure {
        Some(error) if error.retry == Retry::Later => SendError { message, ..error },
        _ if is_invalid("token") => SendError::auth(message),
        _ if is_invalid("user") => SendError::address(message),
        Some(error) => SendError { message, ..error },
        None => SendError::permanent(message),
    })
}
