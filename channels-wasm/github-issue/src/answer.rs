//! What GitHub says back: issues, or a `message` with `errors`.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of GitHub's own words.
const REASON: Limit = Limit::Chars(200);
/// What GitHub asks for where a limit has no `Retry-After`.
const WAIT: Duration = Duration::from_mins(1);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) url: String,
}

/// The first of a list, if there is one.
pub(crate) fn first(response: &Response, is_dry_run: bool) -> Result<Option<Issue>, SendError> {
    let answer = good(response)?;
    match answer.as_array() {
        Some(list) => {
            list.first().map_or(Ok(None), |item| issue(item).map(Some).ok_or_else(|| strange(response)))
        }
        None if is_dry_run => Ok(None),
        None => Err(strange(response)),
    }
}

/// The issue that was made; nothing in a dry run.
pub(crate) fn made(response: &Response, is_dry_run: bool) -> Result<Option<Issue>, SendError> {
    let answer = good(response)?;
    if is_dry_run { Ok(None) } else { issue(&answer).map(Some).ok_or_else(|| strange(response)) }
}

/// A comment or a change.
pub(crate) fn accepted(response: &Response, is_dry_run: bool) -> Result<(), SendError> {
    let answer = good(response)?;
    if is_dry_run || answer["id"].is_u64() { Ok(()) } else { Err(strange(response)) }
}

fn issue(answer: &Value) -> Option<Issue> {
    let url = answer["html_url"].as_str().unwrap_or_default().to_owned();
    Some(Issue { number: answer["number"].as_u64()?, url })
}

fn strange(response: &Response) -> SendError {
    SendError::never(code::PROTOCOL, format!("{}: no answer of GitHub", response.summary()))
}

fn good(response: &Response) -> Result<Value, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(error) = response.failure() else { return Ok(answer) };
    let Some(words) = answer["message"].as_str() else { return Err(error) };
    let errors = answer.get("errors").map(|errors| format!(" {errors}")).unwrap_or_default();
    let message = format!("{}: {}", response.status_line(), one_line(&format!("{words}{errors}"), REASON));
    // A limit is a 403 too; then the quota is used up, or a wait is named.
    let is_limited = response.status() == 429
        || response.status() == 403
            && (response.header("x-ratelimit-remaining") == Some("0") || response.retry_after().is_some());
    if is_limited {
        let wait = response.retry_after().unwrap_or(WAIT);
        return Err(SendError::later(code::RATE_LIMITED, message).after(wait));
    }
    let (code, hint) = match response.status() {
        // To a token that may not see it, a repository is not there.
        404 => (code::AUTH, "; is the repository right, and may the token write its issues?"),
        410 => (code::CONFIG, ""),
        _ => (error.code.as_str(), ""),
    };
    Err(SendError { message: format!("{message}{hint}"), code: code.to_owned(), ..error })
}
