//! The message: mentions as its text, everything else as an attachment beside a bar in the severity's colour.

use sandbell_chat_text::{Limit, Markup, colour, facts, headline, hex, links};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// A post has 16,383 characters; old servers take 7,900 for the attachments.
const TEXT: Limit = Limit::Chars(4000);
const TITLE: Limit = Limit::Chars(250);
const KEY: Limit = Limit::Chars(60);
const VALUE: Limit = Limit::Chars(200);
const LABEL: Limit = Limit::Chars(80);
const MENTIONS_BYTES_MAX: usize = 1000;
const FACTS_MAX: usize = 15;
const LINKS_MAX: usize = 5;
const URL_BYTES_MAX: usize = 1000;
/// A longer value needs a line of its own.
const SHORT_CHARS_MAX: usize = 40;

/// How the operator wants messages to look.
pub(crate) struct Layout {
    pub(crate) channel: Option<String>,
    /// As the message shows them; may be empty.
    pub(crate) mentions: String,
    pub(crate) username: Option<String>,
    pub(crate) icon_url: Option<String>,
}

impl Layout {
    pub(crate) fn message(&self, notification: &Notification) -> Value {
        let mut message = json!({ "attachments": [attachment(notification)] });
        let own = [
            ("text", Some(self.mentions.as_str()).filter(|mentions| !mentions.is_empty())),
            ("channel", notification.address("mattermost").or(self.channel.as_deref())),
            ("username", self.username.as_deref()),
            ("icon_url", self.icon_url.as_deref()),
        ];
        for (key, value) in own {
            if let Some(value) = value {
                message[key] = value.into();
            }
        }
        message
    }
}

/// Reads the mentions of the form: names with or without `@`.
pub(crate) fn mentions(text: &str) -> Result<String, ConfigError> {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    let mut mentions = Vec::new();
    for word in text.split([' ', ',', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        let name = word.strip_prefix('@').unwrap_or(word);
        if name.is_empty() || !name.chars().all(is_allowed) {
            let message =
                format!("has `{word}`; write `@here`, `@channel`, `@all`, or the name of a user or a group");
            return Err(ConfigError::option("mentions", message));
        }
        mentions.push(format!("@{name}"));
    }
    let mentions = mentions.join(" ");
    if mentions.len() > MENTIONS_BYTES_MAX {
        return Err(ConfigError::option("mentions", "must have at most 1,000 characters"));
    }
    Ok(mentions)
}

fn attachment(notification: &Notification) -> Value {
    let title = TITLE.cut(&headline(notification));
    let links = links(notification, URL_BYTES_MAX);
    let mut attachment = json!({
        "fallback": quiet(&title),
        "color": hex(colour(notification.severity())),
        "title": quiet(&title),
        "text": text(notification, &links),
        "fields": fields(notification),
    });
    if let Some((_, url)) = links.first() {
        attachment["title_link"] = (*url).into();
    }
    attachment
}

/// The message and a line of links: buttons would call Mattermost's server, not the reader's browser.
fn text(notification: &Notification, links: &[(&str, &str)]) -> String {
    let message = Markup::Markdown.escape(&quiet(notification.event.message.trim_end()), TEXT);
    let link = |(label, url): &(&str, &str)| Markup::Markdown.link(label, url, LABEL);
    let links: Vec<_> = links.iter().take(LINKS_MAX).map(link).collect();
    let parts = [message, links.join(" · ")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn fields(notification: &Notification) -> Vec<Value> {
    let field = |(key, value): (&str, String)| {
        let short = value.chars().count() <= SHORT_CHARS_MAX;
        let title = KEY.cut(&quiet(key));
        let value = Markup::Markdown.escape(&quiet(&value), VALUE);
        json!({ "title": title, "value": value, "short": short })
    };
    facts(notification).into_iter().take(FACTS_MAX).map(field).collect()
}

/// A mention is not escaped by a backslash: an invisible space keeps a source from alerting anybody.
fn quiet(text: &str) -> String {
    let mut quiet = String::with_capacity(text.len());
    let mut before = ' ';
    for char in text.chars() {
        quiet.push(char);
        // Within a word it is an address of mail.
        if char == '@' && !before.is_alphanumeric() {
            quiet.push('\u{200b}');
        }
        before = char;
    }
    quiet
}
