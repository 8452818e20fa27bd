//! Block Kit: a header that says all, and beside a bar in the severity's colour what there is to know.

use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::mrkdwn::{
    BUTTON_CHARS_MAX, FIELD_CHARS_MAX, HEADER_CHARS_MAX, Mention, TEXT_CHARS_MAX, cut, escape,
};

/// Slack refuses a section with more.
const FIELDS_MAX: usize = 10;
/// Slack refuses a row of buttons with more.
const BUTTONS_MAX: usize = 25;

/// `text` is what a phone shows before Slack is opened; the blocks are what Slack shows.
pub(crate) fn message(notification: &Notification, body: Option<String>, mention: Option<&Mention>) -> Value {
    let subject = subject(notification);
    let header = json!({ "type": "header", "text": plain(&subject, HEADER_CHARS_MAX) });
    let mut blocks = vec![header];
    blocks.extend(mention.map(|mention| section(&mention.to_mrkdwn())));

    let mut details = Vec::new();
    let text = body.map_or_else(
        || escape(&notification.event.message, TEXT_CHARS_MAX),
        |body| cut(&body, TEXT_CHARS_MAX),
    );
    if !text.is_empty() {
        details.push(section(&text));
    }
    details.extend(fields(notification));
    details.extend(context(notification));
    details.extend(buttons(notification));

    let mut message = json!({ "text": escape(&subject, TEXT_CHARS_MAX), "blocks": blocks });
    if !details.is_empty() {
        message["attachments"] =
            json!([{ "color": crate::colour(notification.severity()), "blocks": details }]);
    }
    message
}

/// Slack refuses an empty header.
pub(crate) fn subject(notification: &Notification) -> String {
    let subject = notification.subject();
    if subject.trim().is_empty() { "Notification".to_owned() } else { subject }
}

fn fields(notification: &Notification) -> Option<Value> {
    let field = |(key, value): &(String, String)| {
        let key = escape(key, FIELD_CHARS_MAX / 4);
        let value = escape(value, FIELD_CHARS_MAX / 2);
        json!({ "type": "mrkdwn", "text": format!("*{key}*\n{value}"), "verbatim": true })
    };
    let fields: Vec<_> = notification.object.tags.iter().take(FIELDS_MAX).map(field).collect();
    (!fields.is_empty()).then(|| json!({ "type": "section", "fields": fields }))
}

/// When, in the reader's own time zone, and who.
fn context(notification: &Notification) -> Option<Value> {
    let event = &notification.event;
    let when = escape(&event.when(), FIELD_CHARS_MAX);
    let when = match event.unix_seconds() {
        Some(seconds) => format!("<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{when}>"),
        None => when,
    };
    let texts = [when, escape(&event.username, FIELD_CHARS_MAX)];
    let elements: Vec<_> = texts.iter().filter(|text| !text.is_empty()).map(|text| mrkdwn(text)).collect();
    (!elements.is_empty()).then(|| json!({ "type": "context", "elements": elements }))
}

fn buttons(notification: &Notification) -> Option<Value> {
    let button = |(label, url): (&str, &str)| json!({ "type": "button", "text": plain(label, BUTTON_CHARS_MAX), "url": url });
    let buttons: Vec<_> = crate::links(notification).into_iter().take(BUTTONS_MAX).map(button).collect();
    (!buttons.is_empty()).then(|| json!({ "type": "actions", "elements": buttons }))
}

fn section(mrkdwn_text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(mrkdwn_text) })
}

/// `verbatim`: a foreign `@here` or `#room` stays text.
fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn plain(text: &str, chars_max: usize) -> Value {
    json!({ "type": "plain_text", "text": escape(text, chars_max), "emoji": false })
}
