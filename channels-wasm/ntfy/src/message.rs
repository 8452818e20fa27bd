//! The message, as ntfy's publishing in JSON takes it.

use sandbell_chat_text::{Limit, Markup, OwnText, body, headline, links};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// The server's `message-size-limit`; what is longer becomes a file.
const MESSAGE: Limit = Limit::Bytes(4096);
const TITLE: Limit = Limit::Bytes(250);
const LABEL: Limit = Limit::Chars(40);
/// ntfy refuses more buttons.
const ACTIONS_MAX: usize = 3;
const URL_BYTES_MAX: usize = 2000;

/// How the operator wants messages to look.
pub(crate) struct Layout {
    pub(crate) priority: Option<u8>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) icon: Option<String>,
}

impl Layout {
    pub(crate) fn message(&self, topic: &str, notification: &Notification, own: OwnText) -> Value {
        let severity = notification.severity();
        let title = TITLE.cut(&own.title.unwrap_or_else(|| headline(notification)));
        let text =
            own.body.map_or_else(|| body(notification, Markup::Markdown, MESSAGE), |own| MESSAGE.cut(&own));
        let mut message = json!({
            "topic": topic,
            // ntfy would say `triggered`.
            "message": if text.is_empty() { Markup::Markdown.escape(&title, MESSAGE) } else { text },
            "title": title,
            "priority": self.priority.unwrap_or_else(|| priority(severity)),
            "markdown": true,
        });
        let is_diun = notification.source.system == "diun";
        message["tags"] = match &self.tags {
            Some(tags) => json!(tags),
            None if is_diun => json!(["package"]),
            None => json!(severity.map(emoji).as_slice()),
        };
        if let Some(icon) = &self.icon {
            message["icon"] = icon.as_str().into();
        }
        let links = links(notification, URL_BYTES_MAX);
        if let Some((_, url)) = links.first() {
            message["click"] = (*url).into();
            let action = |(label, url): &(&str, &str)| json!({ "action": "view", "label": LABEL.cut(label), "url": url });
            message["actions"] = links.iter().take(ACTIONS_MAX).map(action).collect();
        }
        message
    }
}

/// Without a severity it is ntfy's and Diun's default.
fn priority(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Debug) => 1,
        Some(Severity::Info) => 2,
        Some(Severity::Ok | Severity::Notice) | None => 3,
        Some(Severity::Warning | Severity::Err) => 4,
        Some(Severity::Crit | Severity::Alert | Severity::Emerg) => 5,
    }
}

/// Words that ntfy shows as an emoji.
fn emoji(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "white_check_mark",
        Severity::Debug | Severity::Info | Severity::Notice => "information_source",
        Severity::Warning => "warning",
        Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg => "rotating_light",
    }
}
