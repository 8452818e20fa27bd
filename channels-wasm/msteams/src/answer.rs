//! What Teams says back: a connector says 200 even where Teams behind it refused.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;

/// Of the answer's own words.
const REASON: Limit = Limit::Chars(200);
/// Stands in the body, with a status behind it.
const REFUSED: &str = "Microsoft Teams endpoint returned HTTP error ";

/// A status of 200 to 299 without that sentence is success.
pub(crate) fn check(response: Response) -> Result<Receipt, SendError> {
    let response = response.check()?;
    let text = response.text();
    let Some((_, rest)) = text.split_once(REFUSED) else { return Ok(Receipt::new()) };
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    let message = one_line(&text, REASON);
    Err(match rest[..end].parse() {
        Ok(429_u16) => {
            SendError { after: response.retry_after(), ..SendError::later(code::RATE_LIMITED, message) }
        }
        Ok(408 | 500..=599) => SendError::retry(message),
        Ok(401 | 403) => SendError::auth(message),
        _ => SendError::permanent(message),
    })
}
