//! The messages of other systems' Slack channels, as those who come from there know them.

use sandbell_chat_text::{
    CloudforetMessage, DiunEntry, argus_level, argus_title, colour, diun_meta, facts, headline, hex,
};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::mrkdwn::{BUTTON_CHARS_MAX, FIELD_CHARS_MAX, Mention, TEXT_CHARS_MAX, cut, escape};

/// Slack shows no more in an attachment.
const BUTTONS_MAX: usize = 5;
const FIELDS_MAX: usize = 20;
const QUAY_NAME: &str = "quayiobot";
const CLOUDFORET_NAME: &str = "SpaceONE";

/// Diun's attachment (`reference/diun.md` §1.3); `body` is what a template of the operator made, in Slack's markup.
pub(crate) fn diun(
    notification: &Notification,
    body: Option<String>,
    mention: Option<&Mention>,
    render_fields: bool,
) -> Value {
    let entry = DiunEntry::of(notification);
    let text = body.map_or_else(
        || {
            let mention = mention.map_or_else(|| Mention::Channel.to_mrkdwn(), Mention::to_mrkdwn);
            format!("{mention} {}", diun_text(entry.as_ref(), notification))
        },
        |body| cut(&body, TEXT_CHARS_MAX),
    );
    let all: Vec<_> = match &entry {
        Some(entry) => entry.fields(),
        None => facts(notification),
    };
    let field = |(title, value): (&str, String)| {
        let (title, value) = (escape(title, FIELD_CHARS_MAX / 4), escape(&value, FIELD_CHARS_MAX / 2));
        json!({ "title": title, "value": value, "short": false })
    };
    let fields: Vec<_> = all.into_iter().filter(|_| render_fields).take(FIELDS_MAX).map(field).collect();
    let is_new = entry.as_ref().map(DiunEntry::is_new);
    let mut attachment = json!({
        "color": match is_new {
            Some(true) => "#4caf50".to_owned(),
            Some(false) => "#0054ca".to_owned(),
            None => hex(colour(notification.severity())),
        },
        "fallback": "",
        "author_name": diun_meta::NAME,
        "author_subname": diun_meta::URL.trim_start_matches("https://"),
        "author_link": diun_meta::URL,
        "author_icon": diun_meta::LOGO,
        "text": text,
        "fields": fields,
    });
    let year = notification.event.time.get(..4).unwrap_or_default();
    let version = entry.map(|entry| entry.version).unwrap_or_default();
    let footer = format!("{} © {year} {} {version}", diun_meta::AUTHOR, diun_meta::NAME);
    attachment["footer"] = escape(footer.trim_end(), FIELD_CHARS_MAX).into();
    if let Some(seconds) = notification.event.unix_seconds() {
        attachment["ts"] = seconds.into();
    }
    json!({ "attachments": [attachment] })
}

/// A blank in front of the link keeps the backquotes of the image together.
fn diun_text(entry: Option<&DiunEntry>, notification: &Notification) -> String {
    let Some(entry) = entry else {
        let (title, message) = (headline(notification), notification.event.message.trim());
        let joined = if message.is_empty() { title } else { format!("{title}\n{message}") };
        return escape(&joined, TEXT_CHARS_MAX - 100);
    };
    let image = escape(&entry.image, FIELD_CHARS_MAX);
    let is_link = entry.hub_link.starts_with("https://") && entry.hub_link.len() < FIELD_CHARS_MAX / 2;
    let link = escape(&entry.hub_link, FIELD_CHARS_MAX).replace('|', "%7C");
    let image = if is_link { format!("<{link}|`{image}`>") } else { format!("`{image}`") };
    format!("Docker tag {image} {}.", if entry.is_new() { "available" } else { "updated" })
}

/// Quay's message (`reference/quay.md` §3.2).
pub(crate) fn quay(notification: &Notification) -> Value {
    let summary = escape(&headline(notification), TEXT_CHARS_MAX);
    let message = notification.event.message.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = if message.is_empty() { summary.clone() } else { escape(&message, TEXT_CHARS_MAX) };
    let color = match notification.severity() {
        Some(Severity::Debug | Severity::Info | Severity::Notice) => "#ffffff",
        Some(Severity::Warning) => "warning",
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => "danger",
        Some(Severity::Ok) | None => "good",
    };
    json!({
        "text": summary,
        "username": QUAY_NAME,
        "attachments": [{ "fallback": summary, "text": text, "color": color, "mrkdwn_in": ["text"] }],
    })
}

/// Cloudforet's attachment (`reference/cloudforet.md` §2.2), with the time that the original loses.
pub(crate) fn cloudforet(notification: &Notification) -> Value {
    let message = CloudforetMessage::of(notification);
    let title = escape(&message.title, TEXT_CHARS_MAX);
    let mut attachment = json!({
        "pretext": title,
        "fallback": title,
        "color": hex(message.kind.colour()).to_uppercase(),
        "text": escape(&message.description, TEXT_CHARS_MAX),
        "mrkdwn_in": ["text"],
        "footer": CLOUDFORET_NAME,
    });
    if let Some(link) = &message.link {
        attachment["title"] = title.into();
        attachment["title_link"] = link.as_str().into();
    }
    let field = |tag: &sandbell_chat_text::CloudforetTag| {
        let (title, value) = (escape(&tag.key, FIELD_CHARS_MAX / 4), escape(&tag.value, FIELD_CHARS_MAX / 2));
        json!({ "title": title, "value": value, "short": tag.is_short })
    };
    let button = |(label, url): &(String, String)| {
        let text = escape(label, BUTTON_CHARS_MAX);
        json!({ "name": text, "text": text, "type": "button", "style": "danger", "url": url })
    };
    let lists = [
        ("fields", message.tags.iter().take(FIELDS_MAX).map(field).collect::<Vec<_>>()),
        ("actions", message.callbacks.iter().take(BUTTONS_MAX).map(button).collect()),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        attachment[name] = list.into();
    }
    if let Some(url) = &message.image_url {
        attachment["image_url"] = url.as_str().into();
    }
    if let Some(seconds) = message.occurred_at {
        attachment["ts"] = seconds.into();
    }
    json!({ "attachments": [attachment], "blocks": [] })
}

/// What Argus' Slack destination shows: Apprise's attachment (`reference/argus.md` §4.2).
pub(crate) fn argus(notification: &Notification) -> Value {
    let color = match (argus_level(notification), notification.severity()) {
        (Some(1), _) | (None, Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg)) => {
            "#A32037"
        }
        (Some(2 | 3), _) | (None, Some(Severity::Warning)) => "#CACF29",
        (Some(4), _) | (None, Some(Severity::Ok)) => "#3AA337",
        _ => "#3AA3E3",
    };
    let title = escape(&argus_title(notification), TEXT_CHARS_MAX);
    let text = escape(&notification.event.message, TEXT_CHARS_MAX);
    let mut attachment = json!({ "fallback": title, "title": title, "text": text, "color": color });
    if let Some(seconds) = notification.event.unix_seconds() {
        attachment["ts"] = seconds.into();
    }
    json!({ "mrkdwn": true, "attachments": [attachment] })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_chat_text::testing;

    use super::*;

    fn outline(message: &Value) -> String {
        let mut lines = Vec::new();
        for (key, value) in message.as_object().unwrap() {
            match value.as_array() {
                Some(list) if key == "attachments" => {
                    let all = list.iter().flat_map(|item| item.as_object().unwrap());
                    lines.extend(all.map(|(key, value)| format!("  {key}: {value}")));
                }
                _ => lines.push(format!("{key}: {value}")),
            }
        }
        lines.join("\n")
    }

    #[test]
    fn diuns_attachment() {
        assert_snapshot!(outline(&diun(&testing::diun("update"), None, None, true)), @r##"
        author_icon: "https://raw.githubusercontent.com/crazy-max/diun/master/.res/diun.png"
        author_link: "https://github.com/crazy-max/diun"
        author_name: "Diun"
        author_subname: "github.com/crazy-max/diun"
        color: "#0054ca"
        fallback: ""
        fields: [{"short":false,"title":"Hostname","value":"myserver"},{"short":false,"title":"Provider","value":"docker"},{"short":false,"title":"Created","value":"Mar 26, 2020 10:23:56 UTC"},{"short":false,"title":"Digest","value":"sha256:216e3ae7de4c"},{"short":false,"title":"Platform","value":"linux/amd64"},{"short":false,"title":"HubLink","value":"https://hub.docker.com/_/alpine"}]
        footer: "CrazyMax © 2024 Diun 4.33.0"
        text: "<!channel> Docker tag <https://hub.docker.com/_/alpine|`docker.io/library/alpine:latest`> updated."
        ts: 1720781250
        "##);
        let new = diun(&testing::diun("new"), Some("own &amp; text".to_owned()), None, false);
        let attachment = &new["attachments"][0];
        assert_eq!(
            (&attachment["text"], &attachment["color"]),
            (&json!("own &amp; text"), &json!("#4caf50"))
        );
        assert_eq!(attachment["fields"], json!([]));
        let other = diun(&Notification::example(), None, Some(&Mention::Here), true);
        assert_snapshot!(outline(&other), @r##"
        author_icon: "https://raw.githubusercontent.com/crazy-max/diun/master/.res/diun.png"
        author_link: "https://github.com/crazy-max/diun"
        author_name: "Diun"
        author_subname: "github.com/crazy-max/diun"
        color: "#ff5566"
        fallback: ""
        fields: [{"short":false,"title":"host","value":"dummy-809"},{"short":false,"title":"service","value":"random fortune"},{"short":false,"title":"When","value":"2024-07-12 12:47:30 +0200"}]
        footer: "CrazyMax © 2024 Diun"
        text: "<!here> [#1437] dummy-809!random fortune is crit\nSomething &lt;went&gt; wrong &amp; broke"
        ts: 1720781250
        "##);
    }

    #[test]
    fn quays_message() {
        assert_snapshot!(outline(&quay(&testing::quay())), @r#"
          color: "good"
          fallback: "Repository devtable/api updated"
          mrkdwn_in: ["text"]
          text: "Repository devtable/api has been updated with tags &lt;latest&gt; &amp; more"
        text: "Repository devtable/api updated"
        username: "quayiobot"
        "#);
        let mut notification = testing::quay();
        notification.event.message.clear();
        notification.event.severity = None;
        assert_eq!(quay(&notification)["attachments"][0]["text"], "Repository devtable/api updated");
    }

    #[test]
    fn cloudforets_attachment() {
        assert_snapshot!(outline(&cloudforet(&testing::cloudforet())), @r##"
          actions: [{"name":"Acknowledge","style":"danger","text":"Acknowledge","type":"button","url":"https://monitoring.example.com/ack"}]
          color: "#FF6A6A"
          fallback: "This is sample notification"
          fields: [{"short":true,"title":"project_id","value":"project-xxxxx"},{"short":false,"title":"resource_id","value":"net/af83"}]
          footer: "SpaceONE"
          image_url: "https://picsum.photos/200/300"
          mrkdwn_in: ["text"]
          pretext: "This is sample notification"
          text: "1 out of [0.52] was &lt;less&gt; than &amp; the threshold"
          title: "This is sample notification"
          title_link: "https://console.example.com/alert"
          ts: 1656321720
        blocks: []
        "##);
    }

    #[test]
    fn argus_attachment() {
        assert_snapshot!(outline(&argus(&testing::argus())), @r##"
          color: "#A32037"
          fallback: "'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00"
          text: "db &lt;is&gt; down"
          title: "'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00"
          ts: 1720781250
        mrkdwn: true
        "##);
    }

    #[test]
    fn long_texts_are_cut() {
        let mut notification = testing::diun("new");
        notification.source.payload = notification.source.payload.replace("alpine", &"&é".repeat(3000));
        let mut plain = Notification::example();
        plain.event.message = "&é".repeat(5000);
        plain.object.name = "&é".repeat(5000);
        for message in [
            diun(&notification, None, None, true),
            diun(&plain, None, None, true),
            diun(&plain, Some("&amp;".repeat(900)), None, true),
            quay(&plain),
            cloudforet(&plain),
            argus(&plain),
        ] {
            let attachment = &message["attachments"][0];
            let text = attachment["text"].as_str().unwrap();
            assert!(text.chars().count() <= 3100, "{}", text.chars().count());
            assert!(!text.trim_end_matches('…').ends_with("&am"));
        }
    }
}
