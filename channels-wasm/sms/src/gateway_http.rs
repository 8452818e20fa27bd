//! Megabird's API: one request for all numbers.

use sandbell_chat_text::{Limit, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

use crate::{Config, needed};

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Of the gateway's own words.
const REASON: Limit = Limit::Chars(200);

pub(crate) struct HttpGateway {
    url: String,
    access_key: Secret,
    sender: String,
}

impl HttpGateway {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        let url = needed(config.url, "url", "megabird")?;
        let url = web_url("url", &url)?.to_owned();
        let access_key = needed(config.access_key, "access_key", "megabird")?;
        let sender = needed(config.sender, "sender", "megabird")?;
        let sender: String = sender.chars().filter(|char| !matches!(char, ' ' | '-' | '.')).collect();
        if sender.len() < 4 || !sender.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConfigError::option("sender", "must be a telephone number"));
        }
        Ok(Self { url, access_key, sender })
    }

    pub(crate) fn send(&self, numbers: &[String], title: &str, text: &str) -> Result<Receipt, SendError> {
        let receivers: Vec<_> = numbers.iter().map(|number| json!({ "mbnum": national(number) })).collect();
        let message = json!({
            "svcKndCd": "LMS",
            "msgTtl": title,
            "msgCotn": text,
            "adIncluYn": "N",
            "snPhnum": self.sender,
            "messageReceiverList": receivers,
        });
        let response = http::post(&self.url)
            .header("Authorization", &self.access_key)
            .json(&message)
            .timeout(ANSWER_LIMIT)
            .send()?;
        receipt(&response)
    }
}

/// A Korean number without its country, as Megabird writes it; others as they are.
fn national(number: &str) -> String {
    number.strip_prefix("+82").map_or_else(|| number.to_owned(), |rest| format!("0{rest}"))
}

/// 200 to 299 is success; the original does not look.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let Some(error) = response.failure() else { return Ok(Receipt::new()) };
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(words) = answer["message"].as_str() else { return Err(error) };
    Err(SendError { message: format!("{}: {}", response.status_line(), one_line(words, REASON)), ..error })
}
