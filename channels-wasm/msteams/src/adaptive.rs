//! The adaptive card (version 1.2, the first with text that is no Markdown).

use sandbell_chat_text::headline;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::text::{MESSAGE, TITLE, buttons, short_facts, visible};

/// A block for each; what comes after them is cut.
const LINES_MAX: usize = 40;

/// A message with one card.
pub(crate) fn message(notification: &Notification, render_facts: bool) -> Value {
    let title = TITLE.cut(&visible(&headline(notification)));
    let mut blocks = vec![json!({
        "type": "RichTextBlock",
        "inlines": [{ "type": "TextRun", "text": title, "weight": "Bolder", "size": "Large", "color": colour(notification) }],
    })];
    blocks.extend(lines(&notification.event.message));
    let fact = |(title, value): (String, String)| json!({ "title": escape(&title), "value": escape(&value) });
    let facts: Vec<_> = short_facts(notification).filter(|_| render_facts).map(fact).collect();
    if !facts.is_empty() {
        blocks.push(json!({ "type": "FactSet", "facts": facts }));
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": blocks,
        "msteams": { "width": "Full" },
        "fallbackText": title,
    });
    let open = |(title, url): (String, &str)| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    let actions: Vec<_> = buttons(notification).map(open).collect();
    if !actions.is_empty() {
        card["actions"] = actions.into();
    }
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card }],
    })
}

/// A text run has no line breaks, so each line is a block; an empty one leaves a gap.
fn lines(message: &str) -> Vec<Value> {
    let message = MESSAGE.cut(&visible(message.trim()));
    let mut blocks = Vec::new();
    let mut spacing = "Default";
    for line in message.lines() {
        if line.trim().is_empty() {
            spacing = "Default";
            continue;
        }
        if blocks.len() == LINES_MAX {
            blocks.push(block("…", "None"));
            break;
        }
        blocks.push(block(line, spacing));
        spacing = "None";
    }
    blocks
}

fn block(text: &str, spacing: &str) -> Value {
    json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": [{ "type": "TextRun", "text": text }] })
}

/// Facts alone know Markdown, of which the card reads emphasis and links.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '\\' | '*' | '_' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

fn colour(notification: &Notification) -> &'static str {
    match notification.severity() {
        Some(Severity::Ok) => "Good",
        Some(Severity::Debug | Severity::Info | Severity::Notice) => "Accent",
        Some(Severity::Warning) => "Warning",
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => "Attention",
        None => "Default",
    }
}
