//! The attachment: Slack's older form.

use sandbell_sdk::prelude::*;
use serde::Serialize;

use crate::blocks::subject;
use crate::mrkdwn::{BUTTON_CHARS_MAX, FIELD_CHARS_MAX, Mention, TEXT_CHARS_MAX, escape};

/// Slack shows no more.
const BUTTONS_MAX: usize = 5;

/// What is posted.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    attachments: [Attachment<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
}

/// Without `mrkdwn_in` Slack formats nothing, so stars and underscores of the source stay what they are.
#[derive(Serialize)]
struct Attachment<'a> {
    fallback: String,
    color: &'static str,
    title: String,
    text: String,
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    footer: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Button<'a>>,
}

#[derive(Serialize)]
struct Field {
    title: String,
    value: String,
    short: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "button")]
struct Button<'a> {
    text: String,
    url: &'a str,
}

pub(crate) fn message<'a>(notification: &'a Notification, mention: Option<&Mention>) -> Message<'a> {
    let event = &notification.event;
    let title = escape(&subject(notification), TEXT_CHARS_MAX);
    let button = |(label, url)| Button { text: escape(label, BUTTON_CHARS_MAX), url };
    let attachment = Attachment {
        fallback: title.clone(),
        color: crate::colour(notification.severity()),
        title,
        text: escape(&event.message, TEXT_CHARS_MAX),
        fields: notification.object.tags.iter().map(field).collect(),
        title_link: crate::links(notification).next().map(|(_, url)| url),
        ts: event.unix_seconds(),
        footer: escape(&event.username, FIELD_CHARS_MAX),
        actions: crate::links(notification).take(BUTTONS_MAX).map(button).collect(),
    };
    Message {
        attachments: [attachment],
        text: mention.map(Mention::to_mrkdwn),
        channel: notification.address("slack"),
    }
}

fn field((key, value): &(String, String)) -> Field {
    Field { title: escape(key, FIELD_CHARS_MAX / 4), value: escape(value, FIELD_CHARS_MAX / 2), short: true }
}
