//! The text of a message, in Sandbell's style and in those of Diun's, Cloudforet's and Icinga's channels
//! (`reference/diun.md` §1.2, `cloudforet.md` §2.2, `icinga.md` §4.5).

use sandbell_chat_text::{CloudforetMessage, DiunEntry, Limit, Markup, body, headline};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// Telegram counts what is left after its entities are read, so this is never too much.
const TEXT: Limit = Limit::Utf16(4096);
const TITLE: Limit = Limit::Utf16(1000);
const KEY: Limit = Limit::Utf16(100);
const VALUE: Limit = Limit::Utf16(500);
const BUTTON: Limit = Limit::Utf16(64);
/// Rows of buttons.
const BUTTONS_MAX: usize = 8;

/// A message without its chat.
pub(crate) struct Message {
    pub(crate) text: String,
    /// Telegram's word for the markup; without it there is none.
    pub(crate) parse_mode: Option<&'static str>,
    /// Labels and URLs below the message.
    pub(crate) buttons: Vec<(String, String)>,
}

impl Message {
    fn new(text: String, parse_mode: Option<&'static str>) -> Self {
        Self { text, parse_mode, buttons: Vec::new() }
    }

    /// Telegram's `reply_markup`, if there are buttons.
    pub(crate) fn reply_markup(&self) -> Option<Value> {
        let row = |(label, url): &(String, String)| json!([{ "text": BUTTON.cut(label), "url": url }]);
        let rows: Vec<_> = self.buttons.iter().take(BUTTONS_MAX).map(row).collect();
        (!rows.is_empty()).then(|| json!({ "inline_keyboard": rows }))
    }
}

/// Headline in bold, message, facts and links.
pub(crate) fn own(notification: &Notification) -> Message {
    let title = Markup::Html.bold(&headline(notification), TITLE);
    let body = body(notification, Markup::Html, TEXT.less(TEXT.measure(&title) + "\n\n".len()));
    Message::new(if body.is_empty() { title } else { format!("{title}\n\n{body}") }, Some("HTML"))
}

/// Subject and body as they are.
pub(crate) fn icinga(notification: &Notification) -> Message {
    Message::new(TEXT.cut(&format!("{}\n\n{}", notification.subject(), notification.body())), None)
}

/// Diun's sentence in Telegram's first Markdown.
pub(crate) fn diun(notification: &Notification) -> Message {
    let Some(entry) = DiunEntry::of(notification) else { return own(notification) };
    let DiunEntry { image, hub_link, provider, hostname, .. } = &entry;
    let is_link = hub_link.starts_with("https://") && !hub_link.contains([')', ' ']);
    let name = escaped(image);
    // An escape does not work inside a link's words, so they go without what would need one.
    let name = if is_link { format!("[{}]({hub_link})", image.replace(['[', ']'], "")) } else { name };
    let (news, domain) = (entry.news(), escaped(entry.domain()));
    let [provider, hostname] = [provider, hostname].map(|text| escaped(text));
    let text = format!(
        "Docker tag {name} which you subscribed to through {provider} provider {news} on {domain} registry (triggered by {hostname} host)."
    );
    Message::new(text, Some("Markdown")).cut_to_limit()
}

/// What a template of the operator made: in Diun's style Markdown, else HTML.
pub(crate) fn template(body: String, is_diun: bool) -> Message {
    Message::new(body, Some(if is_diun { "Markdown" } else { "HTML" })).cut_to_limit()
}

/// Type and title, description, tags, and the buttons that the original loses.
pub(crate) fn cloudforet(notification: &Notification) -> Message {
    let message = CloudforetMessage::of(notification);
    let title = Markup::Html.escape(&message.title, TITLE);
    let title = match &message.link {
        Some(link) => format!("<a href=\"{}\">{title}</a>", Markup::Html.escape(link, Limit::Utf16(2000))),
        None => title,
    };
    let head = format!("<b>[{}]</b> {title}", message.kind.as_str());
    let mut tags = String::new();
    let mut room = TEXT.less(TEXT.measure(&head) + 500);
    for tag in &message.tags {
        let (key, value) = (Markup::Html.escape(&tag.key, KEY), Markup::Html.escape(&tag.value, VALUE));
        let line = format!("\n<b>- {key}</b>: <pre>{value}</pre>");
        if TEXT.measure(&line) <= room.max() {
            room = room.less(TEXT.measure(&line));
            tags.push_str(&line);
        }
    }
    let room = TEXT.less(TEXT.measure(&head) + TEXT.measure(&tags) + "\n\n\n".len());
    let description = Markup::Html.escape(&message.description, room);
    let description = if description.is_empty() { description } else { format!("\n\n{description}\n") };
    let text = format!("{head}{description}{tags}");
    Message { buttons: message.callbacks, ..Message::new(text, Some("HTML")) }
}

impl Message {
    /// What is too long goes without markup: a cut could end inside of it.
    fn cut_to_limit(self) -> Self {
        if TEXT.measure(&self.text) <= TEXT.max() {
            return self;
        }
        Self { text: TEXT.cut(&self.text), parse_mode: None, ..self }
    }
}

/// Diun's `escapeMarkdown`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '_' | '*' | '[' | '`') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}
