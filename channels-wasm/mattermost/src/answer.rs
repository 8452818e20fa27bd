//! What Mattermost says back: `ok`, or an error with an identifier and words.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Mattermost's own words.
const REASON: Limit = Limit::Chars(200);

/// Parts of identifiers and what they mean; `web.incoming_webhook.` and `api.incoming_webhook.` stand before them.
const IDENTIFIERS: [(&str, &str); 7] = [
    (".channel.", code::ADDRESS),
    (".user.", code::ADDRESS),
    (".channel_locked.", code::AUTH),
    (".disabled.", code::AUTH),
    (".invalid.", code::AUTH),
    (".permissions.", code::AUTH),
    ("incoming_webhooks.disabled", code::AUTH),
];

/// A status of 200 to 299 is success; an error of Mattermost is explained, a busy server is asked again.
pub(crate) fn check(response: &Response) -> Result<Receipt, SendError> {
    let Some(error) = response.failure() else { return Ok(Receipt::new()) };
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(words) = answer["message"].as_str() else {
        return Err(SendError { after: wait(response, &error), ..error });
    };
    let message = format!("Mattermost answered `{}`", one_line(words, REASON));
    if error.retry == Retry::Later {
        return Err(SendError { message, after: wait(response, &error), ..error });
    }
    let id = answer["id"].as_str().unwrap_or_default();
    let known = IDENTIFIERS.iter().find(|(part, _)| id.contains("webhook") && id.contains(part));
    let code = known.map_or(error.code.as_str(), |(_, code)| *code);
    Err(SendError::never(code, message))
}

/// `Retry-After`, else the seconds of `X-Ratelimit-Reset`, which Mattermost's limiter gives.
fn wait(response: &Response, error: &SendError) -> Option<Duration> {
    let reset = || response.header("x-ratelimit-reset")?.trim().parse().ok().map(Duration::from_secs);
    error.after.or_else(|| (response.status() == 429).then(reset).flatten())
}
