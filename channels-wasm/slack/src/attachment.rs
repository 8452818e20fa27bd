//! The attachment: Slack's older form.

use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::blocks::subject;
use crate::mrkdwn::{BUTTON_CHARS_MAX, FIELD_CHARS_MAX, Mention, TEXT_CHARS_MAX, cut, escape};

/// Slack shows no more.
const BUTTONS_MAX: usize = 5;

/// Without `mrkdwn_in` Slack formats nothing, so stars and underscores of the source stay what they are.
pub(crate) fn message(notification: &Notification, body: Option<String>, mention: Option<&Mention>) -> Value {
    let event = &notification.event;
    let title = escape(&subject(notification), TEXT_CHARS_MAX);
    let links = crate::links(notification);
    let mut attachment = json!({
        "fallback": title,
        "color": crate::colour(notification.severity()),
        "title": title,
        "text": body.map_or_else(|| escape(&event.message, TEXT_CHARS_MAX), |body| cut(&body, TEXT_CHARS_MAX)),
        "fields": fields(notification),
    });
    if let Some((_, url)) = links.first() {
        attachment["title_link"] = json!(url);
    }
    if let Some(seconds) = event.unix_seconds() {
        attachment["ts"] = json!(seconds);
    }
    if !event.username.is_empty() {
        attachment["footer"] = json!(escape(&event.username, FIELD_CHARS_MAX));
    }
    if !links.is_empty() {
        let button = |(label, url): (&str, &str)| json!({ "type": "button", "text": escape(label, BUTTON_CHARS_MAX), "url": url });
        attachment["actions"] = links.into_iter().take(BUTTONS_MAX).map(button).collect();
    }

    let mut message = json!({ "attachments": [attachment] });
    if let Some(mention) = mention {
        message["text"] = json!(mention.to_mrkdwn());
    }
    if let Some(channel) = notification.address("slack") {
        message["channel"] = json!(channel);
    }
    message
}

fn fields(notification: &Notification) -> Vec<Value> {
    let field = |(key, value): &(String, String)| {
        let (title, value) = (escape(key, FIELD_CHARS_MAX / 4), escape(value, FIELD_CHARS_MAX / 2));
        json!({ "title": title, "value": value, "short": true })
    };
    notification.object.tags.iter().map(field).collect()
}
