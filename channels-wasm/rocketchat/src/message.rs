//! The message: Icinga's text, or Diun's title with an attachment (`reference/icinga.md` §4.3, `diun.md` §1.3).

use sandbell_chat_text::{DiunEntry, Limit, OwnText, diun_meta, facts, headline};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// Rocket.Chat's own default limit of a message (`Message_MaxAllowedSize`).
const TEXT: Limit = Limit::Chars(5000);
const TITLE: Limit = Limit::Chars(500);
const KEY: Limit = Limit::Chars(100);
const VALUE: Limit = Limit::Chars(500);
const FIELDS_MAX: usize = 20;

/// Subject and body in one text.
pub(crate) fn icinga(notification: &Notification, room: &str, own: OwnText) -> Value {
    let subject = own.title.unwrap_or_else(|| notification.subject());
    let body = own.body.unwrap_or_else(|| notification.body());
    json!({ "channel": room, "text": TEXT.cut(&format!("{subject}\n\n{body}")) })
}

/// Diun's name and picture, the title as text, and an attachment where the form wants one.
pub(crate) fn diun(notification: &Notification, room: &str, own: OwnText, render_attachment: bool) -> Value {
    let entry = DiunEntry::of(notification);
    let title =
        own.title.unwrap_or_else(|| entry.as_ref().map_or_else(|| headline(notification), DiunEntry::title));
    let body = own.body.unwrap_or_else(|| {
        entry.as_ref().map_or_else(|| notification.event.message.trim().to_owned(), sentence)
    });
    let mut message = json!({
        "alias": diun_meta::NAME,
        "avatar": diun_meta::LOGO,
        "channel": room,
        "text": TITLE.cut(&title),
    });
    if !render_attachment {
        message["text"] = TEXT.cut(&format!("{}\n\n{body}", TITLE.cut(&title))).into();
        return message;
    }
    let all: Vec<(&str, String)> = match &entry {
        Some(entry) => entry.fields(),
        None => facts(notification),
    };
    let field = |(title, value): (&str, String)| json!({ "title": KEY.cut(title), "value": VALUE.cut(&value), "short": false });
    let fields: Vec<_> = all.into_iter().take(FIELDS_MAX).map(field).collect();
    let mut attachment = json!({ "text": TEXT.cut(&body), "fields": fields });
    if notification.event.unix_seconds().is_some() {
        attachment["ts"] = notification.event.time.as_str().into();
    }
    message["attachments"] = json!([attachment]);
    message
}

/// Diun's default body for chats without Markdown.
fn sentence(entry: &DiunEntry) -> String {
    format!(
        "Docker tag {} which you subscribed to through {} provider {} on {} registry (triggered by {} host).",
        entry.image,
        entry.provider,
        entry.news(),
        entry.domain(),
        entry.hostname
    )
}
