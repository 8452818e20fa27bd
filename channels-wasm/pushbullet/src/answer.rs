//! What Pushbullet says back: the push that it made, or an `error`.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Pushbullet's own words.
const REASON: Limit = Limit::Chars(200);

/// The push's ID.
pub(crate) fn iden(response: &Response, is_dry_run: bool) -> Result<String, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let failure = response.failure();
    if let Some(words) = answer["error"]["message"].as_str() {
        let message = format!("Pushbullet answered `{}`", one_line(words, REASON));
        let error = failure.unwrap_or_else(|| SendError::permanent(""));
        let code = match answer["error"]["code"].as_str() {
            _ if error.retry == Retry::Later => error.code.as_str(),
            Some("invalid_access_token" | "not_authenticated") => code::AUTH,
            Some("invalid_user" | "not_found") => code::ADDRESS,
            // Free accounts have 500 pushes a month; another try is for the next month.
            Some("pushbullet_pro_required") => code::RATE_LIMITED,
            _ => error.code.as_str(),
        };
        return Err(SendError { message, code: code.to_owned(), ..error });
    }
    if let Some(error) = failure {
        return Err(error);
    }
    match answer["iden"].as_str() {
        Some(iden) => Ok(iden.to_owned()),
        None if is_dry_run => Ok(String::new()),
        None => {
            let message = format!("{}: no answer of Pushbullet", response.summary());
            Err(SendError::never(code::PROTOCOL, message))
        }
    }
}
