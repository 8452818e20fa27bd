//! Hipchat: writes each notification to a room, as Quay's method of that name does (`reference/quay.md` §3.2).
//!
//! The service is gone; Hipchat Server and Data Center, and what imitates them, still run.

use sandbell_chat_text::{Limit, Markup, body, headline, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Quay's method waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Hipchat's limit of a message.
const MESSAGE: Limit = Limit::Chars(10_000);
const TITLE: Limit = Limit::Chars(500);
/// Of the service's own words.
const REASON: Limit = Limit::Chars(200);
/// Line breaks take five characters instead of one.
const BREAK: &str = "<br/>";

#[derive(ChannelConfig)]
pub struct Config {
    /// Of the room, with the scope "Send Notification". Whoever has it can write there.
    #[config(
        label = "Room Notification Token",
        label(de_DE = "Raum-Benachrichtigungstoken"),
        help(
            de_DE = "Token des Raums, mit der Berechtigung „Send Notification“. Wer es hat, kann dort schreiben."
        )
    )]
    notification_token: Secret,
    /// The room's number, shown in its settings as API ID.
    #[config(
        label = "Room ID",
        label(de_DE = "Raum-ID"),
        help(de_DE = "Nummer des Raums, in dessen Einstellungen als API ID zu finden.")
    )]
    room_id: String,
    /// Address of Hipchat Server, or of a service that speaks its API.
    #[config(
        default = "https://api.hipchat.com",
        label = "HipChat URL",
        label(de_DE = "HipChat-URL"),
        help(de_DE = "Adresse von HipChat Server, oder eines Dienstes, der dessen API spricht.")
    )]
    endpoint: String,
}

pub struct HipChat {
    url: String,
    token: Secret,
}

impl Channel for HipChat {
    type Config = Config;

    fn info() -> Info {
        Info::new("HipChat")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("hipchat")
            .wants_http(
                "POST {endpoint}/v2/room/{room_id}/notification",
                "Writes each notification to the room.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { notification_token, room_id, endpoint } = config;
        let endpoint = web_url("endpoint", &endpoint)?.trim_end_matches('/');
        let room = room_id.trim();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !room.bytes().all(is_word) {
            return Err(ConfigError::option("room_id", "must be the number of a room, e.g. `1234567`"));
        }
        Ok(Self { url: format!("{endpoint}/v2/room/{room}/notification"), token: notification_token })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let response = http::post(&self.url)
            .query("auth_token", &self.token)
            .json(&message(notification))
            .timeout(ANSWER_LIMIT)
            .send()?;
        receipt(&response)
    }
}

export!(HipChat);

fn message(notification: &Notification) -> Value {
    let severity = notification.severity();
    let title = Markup::Html.bold(&one_line(&headline(notification), TITLE), TITLE);
    let room = MESSAGE.less(MESSAGE.measure(&title) + 2 * BREAK.len());
    // Half of the room, for line breaks that become longer; a message of nothing but line breaks stays within it.
    let mut text = body(notification, Markup::Html, room);
    let breaks = text.matches('\n').count() * (BREAK.len() - 1);
    if room.measure(&text) + breaks > room.max() {
        text = body(notification, Markup::Html, room.with_max(room.max() / BREAK.len()));
    }
    let text = text.replace('\n', BREAK);
    json!({
        "color": color(severity),
        "message": if text.is_empty() { title } else { format!("{title}{BREAK}{text}") },
        "notify": matches!(severity, Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg)),
        "message_format": "html",
    })
}

/// Quay's colours of its levels; what has no severity is what Quay calls primary.
fn color(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Ok) => "green",
        Some(Severity::Debug | Severity::Info | Severity::Notice) => "gray",
        Some(Severity::Warning) => "yellow",
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => "red",
        None => "purple",
    }
}

/// 200 to 299 is success; Hipchat says why not in `error`.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let Some(error) = response.failure() else { return Ok(Receipt::new()) };
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(words) = answer["error"]["message"].as_str() else { return Err(error) };
    let message = format!("{}: {}", response.status_line(), one_line(words, REASON));
    let code = if response.status() == 404 { code::ADDRESS } else { error.code.as_str() };
    Err(SendError { message, code: code.to_owned(), ..error })
}

#[cfg(test)]
mod tests;
