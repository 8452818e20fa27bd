//! What Jira says back: the key, or messages for the issue and for its fields.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Jira's own words.
const REASON: Limit = Limit::Chars(300);

/// The key of the issue that was made; empty in a dry run.
pub(crate) fn key(response: &Response, is_dry_run: bool) -> Result<String, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(error) = response.failure() else {
        return match answer["key"].as_str() {
            Some(key) => Ok(key.to_owned()),
            None if is_dry_run => Ok(String::new()),
            None => {
                let message = format!("{}: no answer of Jira", response.summary());
                Err(SendError::never(code::PROTOCOL, message))
            }
        };
    };
    let words = words(&answer);
    if words.is_empty() {
        return Err(error);
    }
    let message = format!("{}: {}", response.status_line(), one_line(&words.join(", "), REASON));
    // A project or an issue type that does not exist, or that this user may not see.
    let is_about_form = ["project", "issuetype"].iter().any(|field| answer["errors"].get(field).is_some());
    let code = if is_about_form { code::CONFIG } else { error.code.as_str() };
    Err(SendError { message, code: code.to_owned(), ..error })
}

fn words(answer: &Value) -> Vec<String> {
    let general = answer["errorMessages"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields = answer["errors"].as_object().into_iter().flatten();
    let fields = fields.filter_map(|(field, words)| Some(format!("{field}: {}", words.as_str()?)));
    general.map(str::to_owned).chain(fields).collect()
}
