//! What Slack gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};
use sandbell_sdk::{Address, Link};

use super::*;

const HOOK: &str = "https://hooks.slack.com/services/T/B/x";

fn sent(config: &[(&str, &str)], change: impl FnOnce(&mut Notification)) -> Value {
    let mut json = json!({ "webhook_url": HOOK });
    for (name, value) in config {
        json[name] = json!(value);
    }
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Slack>(&json, &notification).unwrap();
    host.request().json()
}

/// One line for each block and for everything else.
fn outline(message: &Value) -> String {
    let mut lines = Vec::new();
    for (key, value) in message.as_object().unwrap() {
        if let Value::Array(items) = value {
            lines.push(format!("{key}:"));
            let line = |item: &Value| {
                if item.get("blocks").is_some() { outline(item) } else { item.to_string() }
            };
            lines.extend(items.iter().map(line));
        } else {
            lines.push(format!("{key}: {value}"));
        }
    }
    lines.join("\n")
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r##"
    {"help":{"de_DE":"Wird in Slack unter Apps > Incoming Webhooks angelegt, z. B. https://hooks.slack.com/services/…. Wer sie kennt, kann schreiben.","en_US":"Created in Slack under Apps > Incoming Webhooks, e.g. `https://hooks.slack.com/services/…`. Whoever knows it can post."},"label":{"de_DE":"Webhook-URL","en_US":"Webhook URL"},"name":"webhook_url","type":"secret"}
    {"help":{"de_DE":"Statt eines Webhooks: das Token eines Bots, xoxb-…, mit der Berechtigung chat:write. Dann können Kontakte eigene Kanäle haben.","en_US":"Instead of a webhook: the token of a bot, `xoxb-…`, with the scope `chat:write`. Then contacts can have channels of their own."},"label":{"de_DE":"Bot-Token","en_US":"Bot Token"},"name":"token","type":"secret"}
    {"help":{"de_DE":"Wohin ein Bot schreibt, sofern der Kontakt keinen eigenen Kanal hat (Adresstyp slack): #raum oder eine ID.","en_US":"Where a bot posts, unless the contact has a channel of its own (address type `slack`): `#room` or an ID."},"hints":{"placeholder":"#monitoring"},"label":{"de_DE":"Kanal","en_US":"Channel"},"name":"channel","type":"string"}
    {"default":"auto","help":{"de_DE":"Wessen Nachricht es ist: Sandbells eigene, oder die des Slack-Kanals von Diun, Quay, Cloudforet oder Argus. Ohne Angabe die des Systems, von dem die Benachrichtigung kam.","en_US":"Whose message it is: Sandbell's own, or that of the Slack channel of Diun, Quay, Cloudforet or Argus. By default that of the system that the notification came from."},"label":{"de_DE":"Stil","en_US":"Style"},"name":"style","options":{"argus":"Argus","auto":"By source","cloudforet":"Cloudforet","diun":"Diun","own":"Sandbell","quay":"Quay"},"type":"option"}
    {"default":"blocks","help":{"de_DE":"Block Kit ist Slacks eigenes Layout. Anhänge sind das ältere, für Server, die Slack nachahmen, etwa Mattermost, und für Webhooks, die ihren Kanal wählen dürfen.","en_US":"Block Kit is Slack's own layout. Attachments are the older one, for servers that imitate Slack, such as Mattermost, and for webhooks that may choose their channel."},"label":{"de_DE":"Format","en_US":"Format"},"name":"format","options":{"attachments":"Attachments","blocks":"Block Kit"},"type":"option"}
    {"help":{"de_DE":"Wer benachrichtigt wird: here, channel, everyone oder die ID eines Mitglieds (U…) oder einer Benutzergruppe (S…).","en_US":"Who is alerted: `here`, `channel`, `everyone`, or the ID of a member (`U…`) or a user group (`S…`)."},"hints":{"placeholder":"here"},"label":{"de_DE":"Erwähnung","en_US":"Mention"},"name":"mention","type":"string"}
    {"default":true,"help":{"de_DE":"Diuns Stil: führt Host, Provider, Zeit, Digest und Plattform auf.","en_US":"Diun's style: lists host, provider, time, digest and platform."},"label":{"de_DE":"Felder","en_US":"Fields"},"name":"render_fields","type":"bool"}
    {"help":{"de_DE":"Ein Go-Template in Slacks Markup, mit Diuns Funktionen, anstelle der Nachricht.","en_US":"A Go template in Slack's markup, with Diun's helpers, in the place of the message."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "##);
    assert_snapshot!(describe::<Slack>(), @"
    Slack by Sandbell
    addresses: slack
    wants http POST {webhook_url}: Posts each notification to the incoming webhook, and to nothing else.
    wants http POST https://slack.com/api/chat.postMessage: Posts each notification as the bot of the token.
    ");
}

#[test]
fn the_webhook_is_the_whole_url_and_never_seen() {
    let host = FakeHost::new();
    host.send::<Slack>(&json!({ "webhook_url": HOOK }), &Notification::example()).unwrap();
    let request = host.request();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "<secret:webhook_url>"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(!request.body.contains("hooks.slack.com"));
}

#[test]
fn blocks_say_what_happened() {
    let message = sent(&[("mention", "here")], |notification| {
        notification.event.username = "j & d".to_owned();
        notification.links =
            vec![Link { label: "Acknowledge".to_owned(), url: "https://icinga.example.com/ack".to_owned() }];
    });
    assert_snapshot!(outline(&message), @r##"
    attachments:
    blocks:
    {"text":{"text":"Something &lt;went&gt; wrong &amp; broke","type":"mrkdwn","verbatim":true},"type":"section"}
    {"fields":[{"text":"*host*\ndummy-809","type":"mrkdwn","verbatim":true},{"text":"*service*\nrandom fortune","type":"mrkdwn","verbatim":true}],"type":"section"}
    {"elements":[{"text":"<!date^1720781250^{date_short_pretty} {time_secs}|2024-07-12 12:47:30 +0200>","type":"mrkdwn","verbatim":true},{"text":"j &amp; d","type":"mrkdwn","verbatim":true}],"type":"context"}
    {"elements":[{"text":{"emoji":false,"text":"Object","type":"plain_text"},"type":"button","url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},{"text":{"emoji":false,"text":"Incident","type":"plain_text"},"type":"button","url":"https://icinga.example.com/notifications/incident?id=1437"},{"text":{"emoji":false,"text":"Acknowledge","type":"plain_text"},"type":"button","url":"https://icinga.example.com/ack"}],"type":"actions"}
    color: "#ff5566"
    blocks:
    {"text":{"emoji":false,"text":"[#1437] dummy-809!random fortune is crit","type":"plain_text"},"type":"header"}
    {"text":{"text":"<!here>","type":"mrkdwn","verbatim":true},"type":"section"}
    text: "[#1437] dummy-809!random fortune is crit"
    "##);
}

#[test]
fn attachments_say_the_same_in_the_older_form() {
    let message = sent(&[("format", "attachments"), ("mention", "U012AB3CD")], |notification| {
        notification.event.username = "jdoe".to_owned();
    });
    assert_snapshot!(outline(&message["attachments"][0]), @r##"
    actions:
    {"text":"Object","type":"button","url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}
    {"text":"Incident","type":"button","url":"https://icinga.example.com/notifications/incident?id=1437"}
    color: "#ff5566"
    fallback: "[#1437] dummy-809!random fortune is crit"
    fields:
    {"short":true,"title":"host","value":"dummy-809"}
    {"short":true,"title":"service","value":"random fortune"}
    footer: "jdoe"
    text: "Something &lt;went&gt; wrong &amp; broke"
    title: "[#1437] dummy-809!random fortune is crit"
    title_link: "https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"
    ts: 1720781250
    "##);
    assert_eq!(message["text"], "<@U012AB3CD>");
    assert_eq!(message["channel"], "#monitoring");
}

#[test]
fn only_attachments_name_a_channel() {
    assert!(sent(&[], |_| ()).get("channel").is_none());
    let without = |notification: &mut Notification| notification.contact.addresses.clear();
    assert!(sent(&[("format", "attachments")], without).get("channel").is_none());
    let user = |notification: &mut Notification| {
        notification.contact.addresses =
            vec![Address { kind: "slack".to_owned(), address: "@jdoe".to_owned() }];
    };
    assert_eq!(sent(&[("format", "attachments")], user)["channel"], "@jdoe");
}

#[test]
fn a_bare_notification_has_no_empty_parts() {
    let message = sent(&[], |notification| {
        *notification = Notification { incident: None, links: Vec::new(), ..Notification::example() };
        notification.object.name.clear();
        notification.object.url = "javascript:alert(1)".to_owned();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(message, @r#"{"blocks":[{"text":{"emoji":false,"text":"Notification","type":"plain_text"},"type":"header"}],"text":"Notification"}"#);
}

#[test]
fn everything_is_kept_within_slacks_limits() {
    let long = "&é".repeat(5000);
    for format in ["blocks", "attachments"] {
        let message = sent(&[("format", format)], |notification| {
            notification.object.name.clone_from(&long);
            notification.event.message.clone_from(&long);
            notification.event.username.clone_from(&long);
            notification.object.tags = vec![(long.clone(), long.clone()); 30];
            notification.links = vec![Link { label: long.clone(), url: "https://x.example".to_owned() }; 60];
            notification
                .links
                .push(Link { label: "far".to_owned(), url: format!("https://x/{}", "y".repeat(4000)) });
        });
        check_limits(&message, "");
        assert!(!message.to_string().contains("yyyy"));
    }
    let message =
        sent(&[], |notification| notification.object.tags = vec![("k".to_owned(), "v".to_owned()); 30]);
    assert_eq!(message["attachments"][0]["blocks"][1]["fields"].as_array().unwrap().len(), 10);
}

/// Every text below `json` is as short as Slack wants it where it stands.
fn check_limits(json: &Value, parent: &str) {
    let limit = match (json["type"].as_str(), parent) {
        (Some("plain_text"), "button") => 75,
        (Some("plain_text"), _) => 150,
        _ => 3000,
    };
    if let Some(text) = json["text"].as_str() {
        assert!(text.chars().count() <= limit, "{} characters in a {parent}", text.chars().count());
        assert!(text.ends_with('…') || text.chars().count() < limit);
    }
    let parent = json["type"].as_str().unwrap_or(parent);
    match json {
        Value::Array(items) => items.iter().for_each(|item| check_limits(item, parent)),
        Value::Object(items) => items.values().for_each(|item| check_limits(item, parent)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    for (list, max) in [("fields", 10), ("elements", 25), ("blocks", 50)] {
        let length = json[list].as_array().map_or(0, Vec::len);
        assert!(length <= max || json.get("fallback").is_some(), "{length} {list}");
    }
}

#[test]
fn the_style_follows_the_source_and_the_form() {
    use sandbell_chat_text::testing;
    let sent = |notification: &Notification, style: &str| {
        let host = FakeHost::new();
        host.send::<Slack>(&json!({ "webhook_url": HOOK, "style": style }), notification).unwrap();
        host.request().json()
    };
    assert_eq!(sent(&testing::diun("new"), "auto")["attachments"][0]["author_name"], "Diun");
    assert_eq!(sent(&testing::quay(), "auto")["username"], "quayiobot");
    assert_eq!(sent(&testing::cloudforet(), "auto")["attachments"][0]["footer"], "SpaceONE");
    assert_eq!(sent(&testing::argus(), "auto")["mrkdwn"], true);
    assert!(sent(&Notification::example(), "auto")["blocks"].is_array());
    assert!(sent(&testing::quay(), "own")["blocks"].is_array());
    assert_eq!(sent(&Notification::example(), "quay")["username"], "quayiobot");
}

#[test]
fn a_template_takes_the_place_of_the_message() {
    let template = ("template_body", "*{{ .Object.Name }}* {{ .Entry.Provider | upper }}");
    let change = |notification: &mut Notification| notification.source.system = "api".to_owned();
    let message = sent(&[template], change);
    assert_eq!(message["attachments"][0]["blocks"][0]["text"]["text"], "*dummy-809!random fortune* API");
    let host = FakeHost::new();
    let config = json!({ "webhook_url": HOOK, "template_body": "{{ .Entry.Nope }}" });
    let error = host.send::<Slack>(&config, &Notification::example()).unwrap_err();
    assert_eq!(error.code, code::CONFIG);
    assert_snapshot!(error, @r#"cannot render notif body: template: body:1:9: executing "body" at <.Entry.Nope>: can't evaluate field Nope in type model.NotifEntry"#);
    let refused =
        |config: Value| FakeHost::new().configure::<Slack>(&config).map(|_| ()).unwrap_err().to_string();
    assert_snapshot!(refused(json!({ "webhook_url": HOOK, "template_body": "{{" })), @"`template_body` cannot parse body template: template: body:1: unclosed action");
    assert_snapshot!(refused(json!({})), @"`webhook_url` must be set, unless there is a `token`");
    assert_snapshot!(refused(json!({ "webhook_url": HOOK, "token": "x" })), @"`token` cannot be set beside `webhook_url`; remove one of them");
}

#[test]
fn a_bot_posts_where_the_contact_is() {
    let host = FakeHost::new();
    host.reply(200, &[], r#"{"ok":true}"#);
    let config = json!({ "token": "xoxb-s3cret", "channel": "#ops", "style": "cloudforet" });
    host.send::<Slack>(&config, &sandbell_chat_text::testing::cloudforet()).unwrap();
    let request = host.request();
    assert_eq!(request.url, "https://slack.com/api/chat.postMessage");
    assert_eq!((&request.json()["channel"], &request.json()["blocks"]), (&json!("#monitoring"), &json!([])));
    let mut notification = Notification::example();
    notification.contact.addresses.clear();
    let error = FakeHost::new().send::<Slack>(&json!({ "token": "x" }), &notification).unwrap_err();
    assert_eq!(
        error,
        SendError::address("contact Icinga Admin has no slack channel, and the form names none")
    );
}
