//! What Telegram says back.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Telegram's own words.
const REASON: Limit = Limit::Chars(200);

/// Beginnings of descriptions that are about the chat and not about the bot.
const ABOUT_THE_CHAT: [&str; 9] = [
    "Bad Request: PEER_ID_INVALID",
    "Bad Request: chat not found",
    "Bad Request: group chat was upgraded",
    "Bad Request: message thread not found",
    "Bad Request: user not found",
    "Forbidden: bot can't",
    "Forbidden: bot is not a member",
    "Forbidden: bot was",
    "Forbidden: user is deactivated",
];

/// The message's ID; Telegram can say no with any status.
pub(crate) fn message_id(response: &Response, is_dry_run: bool) -> Result<String, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    if answer["ok"] == true {
        let id = answer["result"]["message_id"].as_i64();
        return Ok(id.map(|id| id.to_string()).unwrap_or_default());
    }
    if is_dry_run {
        return Ok(String::new());
    }
    let Some(description) = answer["description"].as_str() else {
        return Err(response.failure().unwrap_or_else(|| {
            let message = format!("{}: no answer of Telegram's Bot API", response.summary());
            SendError::never(code::PROTOCOL, message)
        }));
    };
    let mut message = format!("Telegram answered `{}`", one_line(description, REASON));
    let parameters = &answer["parameters"];
    if let Some(id) = parameters["migrate_to_chat_id"].as_i64() {
        message = format!("{message}; the chat's new ID is {id}");
    }
    let number = answer["error_code"].as_u64().unwrap_or_else(|| response.status().into());
    let is_about_chat = ABOUT_THE_CHAT.iter().any(|start| description.starts_with(start));
    Err(match number {
        429 => {
            let wait = parameters["retry_after"].as_u64().map(Duration::from_secs);
            SendError {
                after: wait.or(response.retry_after()),
                ..SendError::later(code::RATE_LIMITED, message)
            }
        }
        500..=599 => SendError::retry(message),
        400 | 403 if is_about_chat => SendError::address(message),
        // 404 is what a token that cannot be one gets.
        401 | 403 | 404 => SendError::auth(message),
        _ => SendError::permanent(message),
    })
}

/// Telegram could not read the markup of the text.
pub(crate) fn is_about_markup(response: &Response) -> bool {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    answer["description"].as_str().is_some_and(|words| words.contains("can't parse entities"))
}
