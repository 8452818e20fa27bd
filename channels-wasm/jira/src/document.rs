//! The description, in Atlassian's document format: paragraphs, a table of facts, and a panel for each button.
//!
//! Text is text there: nothing in it is taken for markup, so nothing is escaped.

use sandbell_chat_text::{Limit, facts, links, one_line};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// Jira's limit of a description is 32,767 characters of the document as JSON, structure included.
const MESSAGE: Limit = Limit::Chars(8000);
const PARAGRAPHS_MAX: usize = 60;
const KEY: Limit = Limit::Chars(60);
const VALUE: Limit = Limit::Chars(200);
const LABEL: Limit = Limit::Chars(80);
const ROWS_MAX: usize = 25;
const LINKS_MAX: usize = 8;
const URL_BYTES_MAX: usize = 500;

pub(crate) fn document(notification: &Notification) -> Value {
    let mut content: Vec<_> = paragraphs(&notification.event.message);
    content.extend(table(notification));
    let brought = notification.links.len();
    let links = links(notification, URL_BYTES_MAX);
    // What the source itself brought asks for something; object and incident are only where to look.
    let first_button = links.len().saturating_sub(brought);
    for (index, (label, url)) in links.into_iter().enumerate().take(LINKS_MAX) {
        let paragraph = paragraph(&[link(&LABEL.cut(label), url)]);
        content.push(if index < first_button {
            paragraph
        } else {
            json!({ "type": "panel", "attrs": { "panelType": "warning" }, "content": [paragraph] })
        });
    }
    if content.is_empty() {
        content.push(paragraph(&[text("–")]));
    }
    json!({ "type": "doc", "version": 1, "content": content })
}

/// A paragraph for each block of lines; a text node has no line breaks.
fn paragraphs(message: &str) -> Vec<Value> {
    let message = MESSAGE.cut(message.trim());
    let mut paragraphs = Vec::new();
    for block in message.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let mut nodes = Vec::new();
        for line in block.lines().map(|line| one_line(line, MESSAGE)).filter(|line| !line.is_empty()) {
            if !nodes.is_empty() {
                nodes.push(json!({ "type": "hardBreak" }));
            }
            nodes.push(text(&line));
            if nodes.len() >= PARAGRAPHS_MAX {
                break;
            }
        }
        if paragraphs.len() >= PARAGRAPHS_MAX / 4 {
            paragraphs.push(paragraph(&[text("…")]));
            break;
        }
        if !nodes.is_empty() {
            paragraphs.push(paragraph(&nodes));
        }
    }
    paragraphs
}

fn table(notification: &Notification) -> Option<Value> {
    let cell = |kind: &str, words: &str| json!({ "type": kind, "attrs": {}, "content": [paragraph(&[text(words)])] });
    let row = |(key, value): (&str, String)| {
        let (key, value) = (one_line(key, KEY), one_line(&value, VALUE));
        json!({ "type": "tableRow", "content": [cell("tableHeader", &key), cell("tableCell", &value)] })
    };
    let rows: Vec<_> = facts(notification).into_iter().take(ROWS_MAX).map(row).collect();
    (!rows.is_empty()).then(|| json!({ "type": "table", "content": rows }))
}

fn paragraph(content: &[Value]) -> Value {
    json!({ "type": "paragraph", "content": content })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn link(label: &str, url: &str) -> Value {
    json!({ "type": "text", "text": label, "marks": [{ "type": "link", "attrs": { "href": url } }] })
}
