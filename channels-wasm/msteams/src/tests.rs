//! What Teams gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, SentRequest, describe, form};

use super::*;

const HOOK: &str = "https://prod-1.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=x";

fn request(more: &Value, change: impl FnOnce(&mut Notification)) -> SentRequest {
    let mut config = more.clone();
    config["webhook_url"] = HOOK.into();
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Teams>(&config, &notification).unwrap();
    host.request()
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Teams>(&json!({ "webhook_url": HOOK }), &Notification::example())
}

fn busy(notification: &mut Notification) {
    notification.event.message = "first *line*\n\n<second> & line\r\nthird".to_owned();
    notification.event.username = "j_doe".to_owned();
}

/// One line for each value that holds no list, and for each item of a list.
fn outline(json: &Value) -> String {
    let has_list = |json: &Value| json.as_object().is_some_and(|map| map.values().any(Value::is_array));
    let line = |key: &str, value: &Value| match value {
        Value::Array(_) => format!("{key}:\n{}", outline(value)),
        Value::Object(_) if has_list(value) && key == "content" => outline(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            format!("{key}: {value}")
        }
    };
    let item = |item: &Value| {
        let is_deep = item["content"].is_object() || item["facts"].is_array();
        if is_deep { outline(item) } else { format!("- {item}") }
    };
    let lines: Vec<_> = match json {
        Value::Array(items) => items.iter().map(item).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| line(key, value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![json.to_string()],
    };
    lines.join("\n")
}

fn bare(notification: &mut Notification) {
    notification.incident = None;
    notification.object.name.clear();
    notification.object.url = "javascript:alert(1)".to_owned();
    notification.object.tags.clear();
    notification.event.message.clear();
    notification.event.time.clear();
    notification.contact.addresses.clear();
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Wird in Teams unter Workflows > „Webhookwarnungen an einen Kanal senden“ angelegt, oder die eines Connectors. Wer sie kennt, kann schreiben.","en_US":"Created in Teams under Workflows > \"Send webhook alerts to a channel\", or that of a connector. Whoever knows it can post."},"label":{"de_DE":"Webhook-URL","en_US":"Webhook URL"},"name":"webhook_url","required":true,"type":"secret"}
    {"default":"adaptive_card","help":{"de_DE":"Workflows nehmen Adaptive Cards. Nachrichtenkarten sind die ältere Form, für Connectors.","en_US":"Workflows take adaptive cards. Message cards are the older form, for connectors."},"label":{"de_DE":"Kartentyp","en_US":"Card Type"},"name":"card_type","options":{"adaptive_card":"Adaptive Card","message_card":"Message Card"},"type":"option"}
    {"default":true,"help":{"de_DE":"Führt in der Karte Tags, Zeit und Urheber auf.","en_US":"Lists tags, time and author in the card."},"label":{"de_DE":"Fakten","en_US":"Facts"},"name":"render_facts","type":"bool"}
    {"default":"auto","help":{"de_DE":"Wessen Karte es ist: Sandbells eigene, oder die des Teams-Kanals von Diun, Cloudforet oder Argus. Ohne Angabe die des Systems, von dem die Benachrichtigung kam.","en_US":"Whose card it is: Sandbell's own, or that of the Teams channel of Diun, Cloudforet or Argus. By default that of the system that the notification came from."},"label":{"de_DE":"Stil","en_US":"Style"},"name":"style","options":{"argus":"Argus","auto":"By source","cloudforet":"Cloudforet","diun":"Diun","own":"Sandbell"},"type":"option"}
    {"help":{"de_DE":"Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle von Diuns Text; der eigene Stil wird dadurch zu Diuns.","en_US":"A Go template in Markdown, with Diun's helpers, in the place of Diun's text; the own style becomes Diun's by it."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Teams>(), @"
    Microsoft Teams by Sandbell
    addresses: msteams
    wants http POST {webhook_url}: Posts each notification to the webhook, and to nothing else.
    ");
}

#[test]
fn the_webhook_is_never_seen() {
    let request = request(&json!({}), |_| ());
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "<secret:webhook_url>"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.timeout_ms, Some(15_000));
}

#[test]
fn an_adaptive_card_says_what_happened() {
    let message = request(&json!({}), busy).json();
    assert_eq!(message["type"], "message");
    assert_snapshot!(outline(&message["attachments"]), @r#"
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json"
    actions:
    - {"title":"Object","type":"Action.OpenUrl","url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}
    - {"title":"Incident","type":"Action.OpenUrl","url":"https://icinga.example.com/notifications/incident?id=1437"}
    body:
    - {"inlines":[{"color":"Attention","size":"Large","text":"[#1437] dummy-809!random fortune is crit","type":"TextRun","weight":"Bolder"}],"type":"RichTextBlock"}
    - {"inlines":[{"text":"first *line*","type":"TextRun"}],"spacing":"Default","type":"RichTextBlock"}
    - {"inlines":[{"text":"<second> & line","type":"TextRun"}],"spacing":"Default","type":"RichTextBlock"}
    - {"inlines":[{"text":"third","type":"TextRun"}],"spacing":"None","type":"RichTextBlock"}
    facts:
    - {"title":"host","value":"dummy-809"}
    - {"title":"service","value":"random fortune"}
    - {"title":"When","value":"2024-07-12 12:47:30 +0200"}
    - {"title":"Author","value":"j\\_doe"}
    type: "FactSet"
    fallbackText: "[#1437] dummy-809!random fortune is crit"
    msteams: {"width":"Full"}
    type: "AdaptiveCard"
    version: "1.2"
    contentType: "application/vnd.microsoft.card.adaptive"
    contentUrl: null
    "#);
}

#[test]
fn a_message_card_says_the_same_in_the_older_form() {
    let message = request(&json!({ "card_type": "message_card" }), busy).json();
    assert_snapshot!(outline(&message), @r#"
    @context: "https://schema.org/extensions"
    @type: "MessageCard"
    potentialAction:
    - {"@type":"OpenUri","name":"Object","targets":[{"os":"default","uri":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}]}
    - {"@type":"OpenUri","name":"Incident","targets":[{"os":"default","uri":"https://icinga.example.com/notifications/incident?id=1437"}]}
    sections:
    activityTitle: "[#1437] dummy-809!random fortune is crit"
    facts:
    - {"name":"host","value":"dummy-809"}
    - {"name":"service","value":"random fortune"}
    - {"name":"When","value":"2024-07-12 12:47:30 +0200"}
    - {"name":"Author","value":"j_doe"}
    markdown: false
    text: "first *line*<br><br>&lt;second&gt; &amp; line<br>third"
    summary: "[#1437] dummy-809!random fortune is crit"
    themeColor: "FF5566"
    "#);
}

#[test]
fn a_bare_notification_has_no_empty_parts() {
    assert_snapshot!(request(&json!({}), bare).json()["attachments"][0]["content"]["body"], @r#"[{"inlines":[{"color":"Default","size":"Large","text":"Notification","type":"TextRun","weight":"Bolder"}],"type":"RichTextBlock"}]"#);
    assert_snapshot!(request(&json!({ "card_type": "message_card" }), bare).json(), @r#"{"@context":"https://schema.org/extensions","@type":"MessageCard","potentialAction":[],"sections":[{"activityTitle":"Notification","facts":[],"markdown":false}],"summary":"Notification","themeColor":"AAAAAA"}"#);
    let message = request(&json!({ "render_facts": "n" }), |_| ()).body;
    assert!(!message.contains("FactSet") && message.contains("Action.OpenUrl"));
}

#[test]
fn a_message_is_never_longer_than_teams_takes() {
    for card_type in ["adaptive_card", "message_card"] {
        for text in ["\"\\\n".repeat(9000), "😀".repeat(9000), "\u{1}".repeat(9000), "<".repeat(9000)] {
            let request = request(&json!({ "card_type": card_type }), |notification| {
                notification.object.name.clone_from(&text);
                notification.event.message = format!("x{text}x");
                notification.object.tags = vec![(format!("k{text}"), format!("v{text}")); 40];
                let url = format!("https://x.example/{}", "y".repeat(900));
                notification.links = vec![sandbell_sdk::Link { label: format!("l{text}"), url }; 9];
            });
            assert!(request.body.len() <= 28_000, "{card_type} {}", request.body.len());
        }
    }
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body) in [(200, "1"), (202, ""), (200, "<html>")] {
        assert_eq!(outcome(status, &[], body).unwrap(), Receipt::new());
    }
    let said = |status: u16| {
        format!(
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} with ContextId x"
        )
    };
    for (status, body, retry, code, message) in [
        (200, said(429), Later, code::RATE_LIMITED, said(429)),
        (200, said(403), Never, code::AUTH, said(403)),
        (200, said(413), Never, code::REJECTED, said(413)),
        (200, said(503), Later, code::UNREACHABLE, said(503)),
        (
            400,
            "Summary or Text is required.".to_owned(),
            Never,
            code::REJECTED,
            "HTTP 400 Bad Request: Summary or Text is required.".to_owned(),
        ),
        (401, String::new(), Never, code::AUTH, "HTTP 401 Unauthorized".to_owned()),
        (429, String::new(), Later, code::RATE_LIMITED, "HTTP 429 Too Many Requests".to_owned()),
        (502, "<html>".to_owned(), Later, code::UNREACHABLE, "HTTP 502 Bad Gateway: <html>".to_owned()),
    ] {
        let error = outcome(status, &[], &body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message), (retry, code, message));
    }
    for (status, body) in [(429, String::new()), (200, said(429))] {
        let error = outcome(status, &[("Retry-After", "30")], &body).unwrap_err();
        assert_eq!(error.after, Some(Duration::from_secs(30)));
    }
}

#[test]
fn the_style_follows_the_source_and_the_form() {
    use sandbell_chat_text::testing;
    let sent = |notification: Notification, more: Value| request(&more, |it| *it = notification).json();
    assert_snapshot!(sent(testing::diun("update"), json!({}))["attachments"][0]["content"], @r#"{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","body":[{"color":"Accent","text":"Docker tag [`docker.io/library/alpine:latest`](https://hub.docker.com/_/alpine) updated.","type":"TextBlock","weight":"Bolder","wrap":true},{"facts":[{"title":"Hostname","value":"myserver"},{"title":"Created","value":"Mar 26, 2020 10:23:56 UTC"},{"title":"Digest","value":"sha256:216e3ae7de4c"},{"title":"Platform","value":"linux/amd64"},{"title":"HubLink","value":"https://hub.docker.com/_/alpine"}],"type":"FactSet"},{"size":"Small","text":"Provider: docker","type":"TextBlock","wrap":true}],"type":"AdaptiveCard","version":"1.2"}"#);
    assert_snapshot!(sent(testing::diun("new"), json!({ "card_type": "message_card" })), @r#"{"@context":"http://schema.org/extensions","@type":"MessageCard","sections":[{"activitySubtitle":"Provider: docker","activityTitle":"Docker tag [`docker.io/library/alpine:latest`](https://hub.docker.com/_/alpine) available.","facts":[{"name":"Hostname","value":"myserver"},{"name":"Created","value":"Mar 26, 2020 10:23:56 UTC"},{"name":"Digest","value":"sha256:216e3ae7de4c"},{"name":"Platform","value":"linux/amd64"},{"name":"HubLink","value":"https://hub.docker.com/_/alpine"}]}],"summary":"Docker tag [`docker.io/library/alpine:latest`](https://hub.docker.com/_/alpine) available.","themeColor":"68CA00"}"#);
    assert_snapshot!(sent(testing::cloudforet(), json!({}))["attachments"][0]["content"], @r#"{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","actions":[{"title":"Acknowledge","type":"Action.OpenUrl","url":"https://monitoring.example.com/ack"}],"body":[{"color":"Attention","size":"Large","text":"[This is sample notification](https://console.example.com/alert)","type":"TextBlock","weight":"Bolder","wrap":true},{"isSubtle":true,"text":"June 27, 2022 09:22 AM (UTC)","type":"TextBlock","wrap":true},{"isSubtle":false,"text":"1 out of \\[0.52\\] was \\<less\\> than & the threshold","type":"TextBlock","wrap":true},{"facts":[{"title":"project_id","value":"project-xxxxx"},{"title":"resource_id","value":"net/af83"}],"type":"FactSet"},{"altText":"","type":"Image","url":"https://picsum.photos/200/300"}],"type":"AdaptiveCard","version":"1.5"}"#);
    assert_snapshot!(sent(testing::argus(), json!({})), @r##"{"@context":"https://schema.org/extensions","@type":"MessageCard","sections":[{"activityImage":null,"activityTitle":"'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00","text":"db \\<is\\> down\n\n**Status** Incident start  \n**Actor** labsource  \n**start\\_time** 2026-11-22T06:00:00+01:00  \n**end\\_time** Still open  \n**source\\_incident\\_id** 17  \n**details\\_url** <https://zino.example.com/17>  \n**description** db is down  \n**level** 1  \n**tags** host=db1, site=oslo"}],"summary":"'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00","themeColor":"#A32037"}"##);
    let own = sent(testing::diun("new"), json!({ "style": "own" }));
    assert_eq!(own["attachments"][0]["content"]["msteams"]["width"], "Full");
    let template = json!({ "template_body": "**{{ .Event.Message | upper }}**", "render_facts": false });
    let mut plain = Notification::example();
    plain.source.system = "api".to_owned();
    let body = &sent(plain, template)["attachments"][0]["content"]["body"];
    assert_eq!(
        (body[0]["text"].as_str(), body.as_array().unwrap().len()),
        (Some("**SOMETHING <WENT> WRONG & BROKE**"), 1)
    );
}

#[test]
fn every_style_stays_below_what_teams_takes() {
    for style in ["own", "diun", "cloudforet", "argus"] {
        for card_type in ["adaptive_card", "message_card"] {
            let request = request(&json!({ "style": style, "card_type": card_type }), |notification| {
                let text = "\"_é😀\n".repeat(9000);
                notification.object.name.clone_from(&text);
                notification.event.message.clone_from(&text);
                notification.object.tags = vec![(text.clone(), text); 50];
            });
            assert!(request.body.len() < 28_000, "{style} {card_type} {}", request.body.len());
        }
    }
    let config = json!({ "webhook_url": HOOK, "template_body": "{{" });
    let error = FakeHost::new().configure::<Teams>(&config).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`template_body` cannot parse body template: template: body:1: unclosed action");
}
