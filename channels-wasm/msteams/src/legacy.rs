//! The message card of connectors: its texts are HTML where Markdown is off.

use sandbell_chat_text::{Markup, colour, headline, hex};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::text::{MESSAGE, TITLE, buttons, short_facts, visible};

/// One section; `summary` is what a phone shows.
pub(crate) fn message(notification: &Notification, render_facts: bool) -> Value {
    let title = TITLE.cut(&visible(&headline(notification)));
    let text =
        Markup::Html.escape(visible(&notification.event.message).trim(), MESSAGE).replace('\n', "<br>");
    let escape = |text: &str| Markup::Html.escape(text, MESSAGE);
    let fact = |(name, value): (String, String)| json!({ "name": escape(&name), "value": escape(&value) });
    let facts: Vec<_> = short_facts(notification).filter(|_| render_facts).map(fact).collect();
    let mut section = json!({ "activityTitle": escape(&title), "facts": facts, "markdown": false });
    if !text.is_empty() {
        section["text"] = text.into();
    }
    let open = |(name, url): (String, &str)| json!({ "@type": "OpenUri", "name": name, "targets": [{ "os": "default", "uri": url }] });
    let actions: Vec<_> = buttons(notification).map(open).collect();
    json!({
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "themeColor": hex(colour(notification.severity())).trim_start_matches('#').to_uppercase(),
        "summary": title,
        "sections": [section],
        "potentialAction": actions,
    })
}
