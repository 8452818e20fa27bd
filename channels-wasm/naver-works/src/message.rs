//! A flexible template: a headline in the colour of the severity, the message, facts, buttons.

use sandbell_chat_text::{Limit, colour, facts, headline, hex, links};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// The service's limits of a flexible template.
const ALT_TEXT: Limit = Limit::Chars(400);
const HEADLINE: Limit = Limit::Chars(400);
const MESSAGE: Limit = Limit::Chars(2000);
const FACT: Limit = Limit::Chars(200);
const LABEL: Limit = Limit::Chars(20);
const URL_BYTES_MAX: usize = 1000;
const FACTS_MAX: usize = 12;
const BUTTONS_MAX: usize = 4;

pub(crate) fn message(notification: &Notification) -> Value {
    let headline = headline(notification);
    let mut body = vec![json!({
        "type": "text", "text": HEADLINE.cut(&headline), "weight": "bold", "wrap": true,
        "color": hex(colour(notification.severity())),
    })];
    // The service refuses an empty text.
    let message = notification.event.message.trim();
    if !message.is_empty() {
        body.push(json!({ "type": "text", "text": MESSAGE.cut(message), "wrap": true }));
    }
    body.extend(facts(notification).into_iter().take(FACTS_MAX).map(|(key, value)| fact(key, &value)));
    let mut bubble = json!({
        "type": "bubble",
        "body": { "type": "box", "layout": "vertical", "spacing": "sm", "contents": body },
    });
    let buttons: Vec<_> = links(notification, URL_BYTES_MAX)
        .into_iter()
        .take(BUTTONS_MAX)
        .map(|(label, url)| button(label, url))
        .collect();
    if !buttons.is_empty() {
        bubble["footer"] = json!({ "type": "box", "layout": "vertical", "contents": buttons });
    }
    json!({ "content": { "type": "flex", "altText": ALT_TEXT.cut(&headline), "contents": bubble } })
}

fn fact(key: &str, value: &str) -> Value {
    let text = |text: &str| {
        let text = FACT.cut(text);
        if text.trim().is_empty() { "–".to_owned() } else { text }
    };
    json!({
        "type": "box", "layout": "baseline",
        "contents": [
            { "type": "text", "text": text(key), "flex": 2, "size": "sm", "color": "#858895" },
            { "type": "text", "text": text(value), "flex": 5, "size": "sm", "wrap": true },
        ],
    })
}

fn button(label: &str, url: &str) -> Value {
    json!({ "type": "button", "action": { "type": "uri", "label": LABEL.cut(label), "uri": url } })
}
