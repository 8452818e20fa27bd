//! What ntfy says back: the message that it took, or a number, words and a page of its manual.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of the answer's own words.
const REASON: Limit = Limit::Chars(300);

/// Only a message with an ID is success: a proxy's page is not.
pub(crate) fn check(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    if let Some(error) = response.failure() {
        return Err(SendError { message: message(response, &answer), ..error });
    }
    match answer["id"].as_str() {
        Some(id) => Ok(Receipt::new().id(id)),
        None if is_dry_run => Ok(Receipt::new()),
        None => {
            let reason = "no answer of ntfy; is the URL that of its server?";
            Err(SendError::never(code::PROTOCOL, format!("{}: {reason}", response.summary())))
        }
    }
}

/// `401 Unauthorized: unauthorized (40101), see https://ntfy.sh/docs/…`
///
/// Diun looks for other fields and says `0 unauthorized:` (`reference/diun.md` §1.5).
fn message(response: &Response, answer: &Value) -> String {
    let Some(error) = answer["error"].as_str() else { return response.summary() };
    let number = answer["code"].as_i64().map(|number| format!(" ({number})")).unwrap_or_default();
    let link = answer["link"].as_str().filter(|link| !link.is_empty());
    let link = link.map(|link| format!(", see {link}")).unwrap_or_default();
    one_line(&format!("{}: {error}{number}{link}", response.status_line()), REASON)
}
