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
