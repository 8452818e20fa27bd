//! What Zulip says back: `result`, and words and a code where it is `error`.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Zulip's own words.
const REASON: Limit = Limit::Chars(200);

/// Zulip's codes and what they mean.
const CODES: [(&str, &str); 8] = [
    ("CHANNEL_DOES_NOT_EXIST", code::ADDRESS),
    ("STREAM_DOES_NOT_EXIST", code::ADDRESS),
    ("NONEXISTENT_SUBDOMAIN", code::CONFIG),
    ("INVALID_API_KEY", code::AUTH),
    ("REALM_DEACTIVATED", code::AUTH),
    ("UNAUTHENTICATED", code::AUTH),
    ("UNAUTHORIZED", code::AUTH),
    ("USER_DEACTIVATED", code::AUTH),
];

/// Only `success` is success.
pub(crate) fn check(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let failure = response.failure();
    match (failure, answer["result"].as_str()) {
        (None, Some("success")) => {
            let id = answer["id"].as_i64();
            Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id.to_string())))
        }
        (None, None) if is_dry_run => Ok(Receipt::new()),
        (Some(error), None) => Err(SendError { after: wait(response, &answer).or(error.after), ..error }),
        (None, None) => {
            let message = format!("{}: no answer of Zulip", response.summary());
            Err(SendError::never(code::PROTOCOL, message))
        }
        (failure, Some(_)) => Err(refusal(response, &answer, failure)),
    }
}

fn refusal(response: &Response, answer: &Value, failure: Option<SendError>) -> SendError {
    let words = one_line(answer["msg"].as_str().unwrap_or("no reason given"), REASON);
    let message = format!("Zulip answered `{words}`");
    let error = failure.unwrap_or_else(|| SendError::permanent(""));
    if error.retry == Retry::Later {
        return SendError { message, after: wait(response, answer).or(error.after), ..error };
    }
    let known = CODES.iter().find(|(known, _)| answer["code"] == *known);
    let code = match known {
        Some((_, code)) => code,
        None if words.starts_with("Invalid email") => code::ADDRESS,
        None => error.code.as_str(),
    };
    SendError::never(code, message)
}

/// The body's `retry-after`, in seconds with fractions, upwards.
fn wait(response: &Response, answer: &Value) -> Option<Duration> {
    let text = answer.get("retry-after").filter(|_| response.status() == 429)?.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let more = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    Some(Duration::from_secs(whole.parse::<u64>().ok()?.saturating_add(more)))
}
