//! The cards of other systems' Teams channels, as those who come from there know them (`reference/diun.md` §1.3,
//! `cloudforet.md` §2.2, `argus.md` §4.2).

use sandbell_chat_text::{
    CloudforetMessage, CloudforetType, DiunEntry, Markup, argus_level, argus_lines, argus_title, colour,
    headline, hex,
};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::text::{KEY, LABEL, MESSAGE, TITLE, VALUE, short_facts, visible};

const FACTS_MAX: usize = 15;
const BUTTONS_MAX: usize = 5;
const ADAPTIVE: &str = "application/vnd.microsoft.card.adaptive";

/// Diun's message card; `body` is what a template of the operator made.
pub(crate) fn diun_message_card(
    notification: &Notification,
    body: Option<String>,
    render_facts: bool,
) -> Value {
    let entry = DiunEntry::of(notification);
    let text = MESSAGE.cut(&visible(&body.unwrap_or_else(|| diun_text(entry.as_ref(), notification))));
    let theme = match entry.as_ref().map(DiunEntry::is_new) {
        Some(true) => "68CA00".to_owned(),
        Some(false) => "0076D7".to_owned(),
        None => hex(colour(notification.severity())).trim_start_matches('#').to_uppercase(),
    };
    let fact = |(name, value): (String, String)| json!({ "name": name, "value": value });
    let facts: Vec<_> =
        diun_facts(entry.as_ref(), notification, render_facts).into_iter().map(fact).collect();
    let subtitle = entry.map(|entry| format!("Provider: {}", entry.provider)).unwrap_or_default();
    json!({
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": theme,
        "summary": text,
        "sections": [{ "activityTitle": text, "activitySubtitle": VALUE.cut(&subtitle), "facts": facts }],
    })
}

/// Diun's adaptive card.
pub(crate) fn diun_adaptive_card(
    notification: &Notification,
    body: Option<String>,
    render_facts: bool,
) -> Value {
    let entry = DiunEntry::of(notification);
    let text = MESSAGE.cut(&visible(&body.unwrap_or_else(|| diun_text(entry.as_ref(), notification))));
    let is_new = entry.as_ref().is_none_or(DiunEntry::is_new);
    let mut blocks = vec![json!({
        "type": "TextBlock", "text": text, "wrap": true, "weight": "Bolder", "color": if is_new { "Good" } else { "Accent" },
    })];
    let fact = |(title, value): (String, String)| json!({ "title": title, "value": value });
    let facts: Vec<_> =
        diun_facts(entry.as_ref(), notification, render_facts).into_iter().map(fact).collect();
    if !facts.is_empty() {
        blocks.push(json!({ "type": "FactSet", "facts": facts }));
    }
    if let Some(entry) = &entry {
        let provider = VALUE.cut(&format!("Provider: {}", entry.provider));
        blocks.push(json!({ "type": "TextBlock", "text": provider, "wrap": true, "size": "Small" }));
    }
    card("1.2", &blocks, &[])
}

/// The image as code; a name of an image holds nothing that Markdown takes for markup there.
fn diun_text(entry: Option<&DiunEntry>, notification: &Notification) -> String {
    let Some(entry) = entry else { return Markup::Markdown.escape(&headline(notification), TITLE) };
    let image = format!("`{}`", entry.image.replace('`', ""));
    let is_link = entry.hub_link.starts_with("https://") && !entry.hub_link.contains([')', ' ']);
    let image = if is_link { format!("[{image}]({})", entry.hub_link) } else { image };
    format!("Docker tag {image} {}.", if entry.is_new() { "available" } else { "updated" })
}

fn diun_facts(
    entry: Option<&DiunEntry>,
    notification: &Notification,
    render_facts: bool,
) -> Vec<(String, String)> {
    match entry {
        _ if !render_facts => Vec::new(),
        Some(entry) => {
            let fields = entry.fields().into_iter().filter(|(name, _)| *name != "Provider");
            fields.map(|(name, value)| (name.to_owned(), VALUE.cut(&value))).collect()
        }
        None => short_facts(notification).collect(),
    }
}

/// Cloudforet's adaptive card.
pub(crate) fn cloudforet(notification: &Notification) -> Value {
    let message = CloudforetMessage::of(notification);
    let title = Markup::Markdown.escape(&visible(&message.title), TITLE);
    let title = match &message.link {
        Some(link) if !link.contains([')', ' ']) => format!("[{title}]({link})"),
        _ => title,
    };
    let color = match message.kind {
        CloudforetType::Error => "Attention",
        CloudforetType::Warning => "Warning",
        CloudforetType::Success => "Good",
        CloudforetType::Info => "Accent",
        CloudforetType::None => "Default",
    };
    let mut blocks = vec![
        json!({ "type": "TextBlock", "text": title, "wrap": true, "size": "Large", "weight": "Bolder", "color": color }),
    ];
    let block = |text: String, is_subtle: bool| json!({ "type": "TextBlock", "text": text, "wrap": true, "isSubtle": is_subtle });
    let when = message.occurred_at_text();
    if !when.is_empty() {
        blocks.push(block(when, true));
    }
    let description = Markup::Markdown.escape(&visible(&message.description), MESSAGE);
    if !description.is_empty() {
        blocks.push(block(description, false));
    }
    let tag = |tag: &sandbell_chat_text::CloudforetTag| {
        let (key, value) = (visible(&tag.key), visible(&tag.value));
        json!({ "title": KEY.cut(&key), "value": Markup::Markdown.escape(&value, VALUE) })
    };
    let facts: Vec<_> = message.tags.iter().take(FACTS_MAX).map(tag).collect();
    if !facts.is_empty() {
        blocks.push(json!({ "type": "FactSet", "facts": facts }));
    }
    if let Some(url) = &message.image_url {
        blocks.push(json!({ "type": "Image", "url": url, "altText": "" }));
    }
    card("1.5", &blocks, &message.callbacks)
}

/// Argus' message card, as Apprise makes it: lines in Markdown, in the colour of the level.
pub(crate) fn argus(notification: &Notification) -> Value {
    let theme = match (argus_level(notification), notification.severity()) {
        (Some(1), _) | (None, Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg)) => {
            "A32037"
        }
        (Some(2 | 3), _) | (None, Some(Severity::Warning)) => "CACF29",
        (Some(4), _) | (None, Some(Severity::Ok)) => "3AA337",
        _ => "3AA3E3",
    };
    let title = TITLE.cut(&visible(&argus_title(notification)));
    let line = |(key, value): &(String, String)| {
        let (key, value) = (KEY.cut(&visible(key)), Markup::Markdown.escape(&visible(value), VALUE));
        format!("**{}** {value}", Markup::Markdown.escape(&key, KEY))
    };
    let lines: Vec<_> = argus_lines(notification).iter().take(FACTS_MAX).map(line).collect();
    let message = Markup::Markdown.escape(&visible(notification.event.message.trim()), MESSAGE);
    let text = [message, lines.join("  \n")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    json!({
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "summary": title,
        "themeColor": format!("#{theme}"),
        "sections": [{
            "activityImage": null,
            "activityTitle": Markup::Markdown.escape(&title, MESSAGE),
            "text": text.join("\n\n"),
        }],
    })
}

fn card(version: &str, blocks: &[Value], buttons: &[(String, String)]) -> Value {
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": version,
        "body": blocks,
    });
    let open = |(label, url): &(String, String)| json!({ "type": "Action.OpenUrl", "title": LABEL.cut(label), "url": url });
    let actions: Vec<_> = buttons.iter().take(BUTTONS_MAX).map(open).collect();
    if !actions.is_empty() {
        card["actions"] = actions.into();
    }
    json!({ "type": "message", "attachments": [{ "contentType": ADAPTIVE, "content": card }] })
}
