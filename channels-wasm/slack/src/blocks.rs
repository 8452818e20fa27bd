//! Block Kit: a header that says all, and beside a bar in the severity's colour what there is to know.

use std::fmt::Write as _;

use sandbell_sdk::prelude::*;
use serde::Serialize;

use crate::mrkdwn::{
    BUTTON_CHARS_MAX, FIELD_CHARS_MAX, HEADER_CHARS_MAX, Mention, TEXT_CHARS_MAX, escape, escape_into,
};

/// Slack refuses a section with more.
const FIELDS_MAX: usize = 10;
/// Slack refuses a row of buttons with more.
const BUTTONS_MAX: usize = 25;

/// What is posted. `text` is what a phone shows before Slack is opened; the blocks are what Slack shows.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    text: String,
    blocks: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<[Details<'a>; 1]>,
}

/// Blocks beside a coloured bar.
#[derive(Serialize)]
struct Details<'a> {
    color: &'static str,
    blocks: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Block<'a> {
    Header {
        text: Text,
    },
    Section {
        text: Text,
    },
    #[serde(rename = "section")]
    Fields {
        fields: Vec<Text>,
    },
    Context {
        elements: Vec<Text>,
    },
    Actions {
        elements: Vec<Button<'a>>,
    },
}

/// `verbatim`: a foreign `@here` or `#room` stays text.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Text {
    Mrkdwn { text: String, verbatim: bool },
    PlainText { text: String, emoji: bool },
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "button")]
struct Button<'a> {
    text: Text,
    url: &'a str,
}

pub(crate) fn message<'a>(notification: &'a Notification, mention: Option<&Mention>) -> Message<'a> {
    let subject = subject(notification);
    let mut blocks = Vec::with_capacity(2);
    blocks.push(Block::Header { text: plain(&subject, HEADER_CHARS_MAX) });
    blocks.extend(mention.map(|mention| Block::Section { text: mrkdwn(mention.to_mrkdwn()) }));

    let mut details = Vec::with_capacity(4);
    if !notification.event.message.is_empty() {
        let text = mrkdwn(escape(&notification.event.message, TEXT_CHARS_MAX));
        details.push(Block::Section { text });
    }
    details.extend(fields(notification));
    details.extend(context(notification));
    details.extend(buttons(notification));

    let color = crate::colour(notification.severity());
    let attachments = (!details.is_empty()).then_some([Details { color, blocks: details }]);
    Message { text: escape(&subject, TEXT_CHARS_MAX), blocks, attachments }
}

/// Slack refuses an empty header.
pub(crate) fn subject(notification: &Notification) -> String {
    let subject = notification.subject();
    if subject.trim().is_empty() { "Notification".to_owned() } else { subject }
}

fn fields<'a>(notification: &Notification) -> Option<Block<'a>> {
    let field = |(key, value): &(String, String)| {
        let mut text = String::with_capacity(key.len() + value.len() + 16);
        text.push('*');
        escape_into(&mut text, key, FIELD_CHARS_MAX / 4);
        text.push_str("*\n");
        escape_into(&mut text, value, FIELD_CHARS_MAX / 2);
        mrkdwn(text)
    };
    let fields: Vec<_> = notification.object.tags.iter().take(FIELDS_MAX).map(field).collect();
    (!fields.is_empty()).then_some(Block::Fields { fields })
}

/// When, in the reader's own time zone, and who.
fn context<'a>(notification: &Notification) -> Option<Block<'a>> {
    let event = &notification.event;
    let mut when = escape(&event.when(), FIELD_CHARS_MAX);
    if let Some(seconds) = event.unix_seconds() {
        let mut date = String::with_capacity(when.len() + 64);
        // Writing to a String cannot fail.
        let _ = write!(date, "<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{when}>");
        when = date;
    }
    let texts = [when, escape(&event.username, FIELD_CHARS_MAX)];
    let elements: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).map(mrkdwn).collect();
    (!elements.is_empty()).then_some(Block::Context { elements })
}

fn buttons(notification: &Notification) -> Option<Block<'_>> {
    let button = |(label, url)| Button { text: plain(label, BUTTON_CHARS_MAX), url };
    let elements: Vec<_> = crate::links(notification).take(BUTTONS_MAX).map(button).collect();
    (!elements.is_empty()).then_some(Block::Actions { elements })
}

fn mrkdwn(text: String) -> Text {
    Text::Mrkdwn { text, verbatim: true }
}

fn plain(text: &str, chars_max: usize) -> Text {
    Text::PlainText { text: escape(text, chars_max), emoji: false }
}
