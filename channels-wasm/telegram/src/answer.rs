//! What Telegram says back, and what several answers mean together.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

use crate::target::Target;

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

/// What became of the chats so far.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    ids: Vec<String>,
    refused: Vec<(String, SendError)>,
    /// Trying again can help, and the rest waits for that.
    later: Option<SendError>,
}

impl Outcome {
    /// Notes one answer; true if the rest need not be tried now.
    pub(crate) fn is_over(&mut self, target: &Target, sent: Result<String, SendError>) -> bool {
        match sent {
            Ok(id) => self.ids.push(id),
            Err(error) if error.retry == Retry::Later => self.later = Some(error),
            // A token that is not accepted here is not accepted anywhere.
            Err(error) => {
                let is_last = error.code != code::ADDRESS && error.code != code::REJECTED;
                self.refused.push((target.to_string(), error));
                return is_last;
            }
        }
        self.later.is_some()
    }

    /// One chat that was reached is a success, unless another may still be reached.
    pub(crate) fn settle(self) -> Result<Receipt, SendError> {
        let Self { ids, refused, later } = self;
        if let Some(error) = later {
            return Err(error);
        }
        match refused.first() {
            Some((_, error)) if ids.is_empty() => Err(error.clone()),
            _ => Ok(receipt(&ids, &refused)),
        }
    }
}

fn receipt(ids: &[String], refused: &[(String, SendError)]) -> Receipt {
    let ids: Vec<_> = ids.iter().map(String::as_str).filter(|id| !id.is_empty()).collect();
    let mut receipt = Receipt::new();
    if !ids.is_empty() {
        receipt = receipt.id(ids.join(","));
    }
    if !refused.is_empty() {
        let refused: Vec<_> = refused.iter().map(|(chat, error)| format!("{chat}: {error}")).collect();
        receipt = receipt.detail(format!("not delivered to {}", refused.join("; ")));
    }
    receipt
}

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
