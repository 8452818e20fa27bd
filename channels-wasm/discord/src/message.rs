//! The message: what a phone shows is the content, what there is to know stands in the embed.
//!
//! Limits are from Discord's reference of messages and embeds. Discord does not say what it counts; UTF-16 is the
//! longer count for what people write.

use sandbell_chat_text::{Limit, Markup, body, colour, facts, headline, links};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{Map, Value};

use crate::mention::Mentions;

const CONTENT: Limit = Limit::Utf16(2000);
const DESCRIPTION: Limit = Limit::Utf16(4096);
/// All texts of all embeds together.
const EMBED: Limit = Limit::Utf16(6000);
const FIELD_NAME: Limit = Limit::Utf16(256);
const FIELD_VALUE: Limit = Limit::Utf16(1024);
const LABEL: Limit = Limit::Utf16(80);
const FIELDS_MAX: usize = 25;
const URL_BYTES_MAX: usize = 900;
/// A longer value needs a line of its own.
const INLINE_CHARS_MAX: usize = 40;

/// How the operator wants messages to look.
pub(crate) struct Layout {
    pub(crate) mentions: Mentions,
    pub(crate) render_embeds: bool,
    pub(crate) render_fields: bool,
    pub(crate) username: Option<String>,
    pub(crate) avatar_url: Option<String>,
}

impl Layout {
    /// `own` is what a template of the operator made, in the place of the content.
    pub(crate) fn message(&self, notification: &Notification, own: Option<&str>) -> Value {
        let mut message = Map::new();
        let embed = self.render_embeds.then(|| self.embed(notification)).flatten();
        message.insert("content".to_owned(), self.content(notification, own).into());
        if let Some(username) = &self.username {
            message.insert("username".to_owned(), username.as_str().into());
        }
        if let Some(avatar_url) = &self.avatar_url {
            message.insert("avatar_url".to_owned(), avatar_url.as_str().into());
        }
        if let Some(embed) = embed {
            message.insert("embeds".to_owned(), json!([embed]));
        }
        message.insert("allowed_mentions".to_owned(), self.mentions.allowed());
        Value::Object(message)
    }

    /// Mentions in front, as Diun does, then the headline; without an embed also everything else.
    fn content(&self, notification: &Notification, own: Option<&str>) -> String {
        let mut content = self.mentions.text();
        if !content.is_empty() {
            content.push(' ');
        }
        if let Some(own) = own {
            content.push_str(&CONTENT.less(CONTENT.measure(&content)).cut(own));
            return content;
        }
        let room = CONTENT.less(CONTENT.measure(&content) + "****".len());
        content.push_str(&Markup::Markdown.bold(&headline(notification), room));
        if !self.render_embeds {
            let room = CONTENT.less(CONTENT.measure(&content) + "\n".len());
            let text = body(notification, Markup::Markdown, room);
            if !text.is_empty() {
                content.extend(["\n", &text]);
            }
        }
        content
    }

    /// `None` if there is nothing to show: Discord refuses an empty embed.
    fn embed(&self, notification: &Notification) -> Option<Value> {
        let event = &notification.event;
        let description = Markup::Markdown.escape(event.message.trim_end(), DESCRIPTION);
        let fields = self.fields(notification, EMBED.less(EMBED.measure(&description)));
        if description.is_empty() && fields.is_empty() {
            return None;
        }
        let mut embed = json!({ "color": colour(notification.severity()) });
        if !description.is_empty() {
            embed["description"] = description.into();
        }
        if !fields.is_empty() {
            embed["fields"] = fields.into();
        }
        if event.unix_seconds().is_some() {
            embed["timestamp"] = event.time.as_str().into();
        }
        Some(embed)
    }

    /// The links are shown also where the operator wants no fields; a field is whole or not there.
    fn fields(&self, notification: &Notification, room: Limit) -> Vec<Value> {
        let links: Vec<_> = links(notification, URL_BYTES_MAX)
            .into_iter()
            .map(|(label, url)| Markup::Markdown.link(label, url, LABEL))
            .collect();
        let links = joined(&links);
        let mut room = room.less(if links.is_empty() { 0 } else { "Links".len() + EMBED.measure(&links) });
        let mut fields = Vec::new();
        for (name, value) in facts(notification).into_iter().filter(|_| self.render_fields) {
            let name = Markup::Markdown.escape(name.trim(), FIELD_NAME);
            let text = Markup::Markdown.escape(value.trim(), FIELD_VALUE);
            let length = EMBED.measure(&name) + EMBED.measure(&text);
            if length <= room.max() && fields.len() + 1 < FIELDS_MAX {
                room = room.less(length);
                let is_short = text.chars().count() <= INLINE_CHARS_MAX;
                fields.push(json!({ "name": name, "value": text, "inline": is_short }));
            }
        }
        if !links.is_empty() {
            fields.push(json!({ "name": "Links", "value": links, "inline": false }));
        }
        fields
    }
}

/// As many links as a field has room for.
fn joined(links: &[String]) -> String {
    let mut text = String::new();
    for link in links {
        let separator = if text.is_empty() { "" } else { " · " };
        if FIELD_VALUE.measure(&text) + FIELD_VALUE.measure(link) + 3 <= FIELD_VALUE.max() {
            text.extend([separator, link]);
        }
    }
    text
}
