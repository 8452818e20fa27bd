//! What ntfy gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const TAKEN: &str = r#"{"id":"Gh6a","time":1,"event":"message","topic":"ops"}"#;

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Ntfy>(&json!({ "topic": "ops" }), &Notification::example())
}

fn sent(config: &Value, change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(200, &[], TAKEN);
    host.send::<Ntfy>(config, &notification).unwrap();
    host.request().json()
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Ntfy>(config).map(|_| ()).unwrap_err().to_string()
}

fn address(address: &str) -> impl FnOnce(&mut Notification) {
    let address = Address { kind: "ntfy".to_owned(), address: address.to_owned() };
    |notification| notification.contact.addresses.push(address)
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"default":"https://ntfy.sh","help":{"de_DE":"Adresse des ntfy-Servers.","en_US":"Address of the ntfy server."},"label":{"de_DE":"ntfy-URL","en_US":"ntfy URL"},"name":"endpoint","type":"string"}
    {"help":{"de_DE":"Wohin veröffentlicht wird, sofern der Kontakt kein eigenes Thema hat (Adresstyp ntfy). Wer ein ungeschütztes Thema kennt, kann es lesen.","en_US":"Where to publish, unless the contact has a topic of its own (address type `ntfy`). Whoever knows a topic that is not protected can read it."},"label":{"de_DE":"Thema","en_US":"Topic"},"name":"topic","type":"string"}
    {"help":{"de_DE":"Ein Zugriffstoken für geschützte Themen.","en_US":"An access token, for topics that are protected."},"label":{"de_DE":"Zugriffstoken","en_US":"Access Token"},"name":"token","type":"secret"}
    {"help":{"de_DE":"Von 1 bis 5; bei 5 klingelt es, bis jemand hinsieht. Ohne Angabe entscheidet der Schweregrad.","en_US":"From 1 to 5; 5 rings until somebody looks. Without it the severity decides."},"label":{"de_DE":"Priorität","en_US":"Priority"},"max":5,"min":1,"name":"priority","type":"number"}
    {"help":{"de_DE":"Wörter neben der Nachricht, durch Kommas getrennt. Für die, die ntfy kennt, zeigt es ein Emoji, z. B. package. Ohne Angabe entscheidet der Schweregrad.","en_US":"Words beside the message, separated by commas; ntfy shows an emoji for those it knows, e.g. `package`. Without them the severity decides."},"hints":{"placeholder":"warning,skull"},"label":{"de_DE":"Schlagwörter","en_US":"Tags"},"name":"tags","type":"string"}
    {"help":{"de_DE":"URL eines PNG- oder JPEG-Bildes, das neben der Nachricht gezeigt wird.","en_US":"URL of a PNG or JPEG that is shown beside the message."},"label":{"de_DE":"Symbol-URL","en_US":"Icon URL"},"name":"icon","type":"string"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle des Titels.","en_US":"A Go template with Diun's helpers, in the place of the title."},"label":{"de_DE":"Titel-Template","en_US":"Title Template"},"name":"template_title","type":"string"}
    {"help":{"de_DE":"Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template in Markdown, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Ntfy>(), @"
    ntfy by Sandbell
    addresses: ntfy
    wants http POST {endpoint}: Publishes each notification to the topic.
    ");
}

#[test]
fn a_message_is_published_as_json() {
    let config = json!({
        "endpoint": "https://ntfy.example.com", "topic": "ops", "token": "tk_1", "tags": "a, b,,", "priority": 2,
        "icon": "https://x.example/a.png",
    });
    let host = FakeHost::new().strict();
    host.reply(200, &[], TAKEN);
    assert_eq!(host.send::<Ntfy>(&config, &Notification::example()).unwrap(), Receipt::new().id("Gh6a"));
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r#"
    POST https://ntfy.example.com
    Content-Type: application/json
    Authorization: Bearer <secret:token>

    {"actions":[{"action":"view","label":"Object","url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},{"action":"view","label":"Incident","url":"https://icinga.example.com/notifications/incident?id=1437"}],"click":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809","icon":"https://x.example/a.png","markdown":true,"message":"Something \\<went\\> wrong & broke\n\n**host:** dummy-809  \n**service:** random fortune  \n**When:** 2024-07-12 12:47:30 +0200\n\n[Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)","priority":2,"tags":["a","b"],"title":"[#1437] dummy-809!random fortune is crit","topic":"ops"}
    "#);
}

#[test]
fn the_source_and_the_severity_decide_what_the_form_leaves_open() {
    let host = FakeHost::new();
    host.reply(200, &[], TAKEN);
    host.send::<Ntfy>(&json!({ "topic": "ops" }), &Notification::example()).unwrap();
    assert_eq!(host.request().url, "https://ntfy.sh");
    assert_eq!(host.request().header("authorization"), None);
    let facts = |severity: Option<Severity>, system: &str| {
        let message = sent(&json!({ "topic": "ops" }), |notification| {
            notification.incident = None;
            notification.event.severity = severity;
            notification.source.system = system.to_owned();
        });
        format!("{} {}", message["priority"], message["tags"])
    };
    assert_eq!(facts(Some(Severity::Crit), "icinga"), r#"5 ["rotating_light"]"#);
    assert_eq!(facts(Some(Severity::Warning), "icinga"), r#"4 ["warning"]"#);
    assert_eq!(facts(Some(Severity::Ok), "icinga"), r#"3 ["white_check_mark"]"#);
    assert_eq!(facts(Some(Severity::Debug), "icinga"), r#"1 ["information_source"]"#);
    assert_eq!(facts(None, "quay"), "3 []");
    assert_eq!(facts(None, "diun"), r#"3 ["package"]"#);
}

#[test]
fn the_contacts_topic_comes_before_the_channels() {
    assert_eq!(sent(&json!({ "topic": "ops" }), address("jdoe"))["topic"], "jdoe");
    assert_eq!(sent(&json!({}), address("jdoe"))["topic"], "jdoe");
    let host = FakeHost::new();
    let error = host.send::<Ntfy>(&json!({}), &Notification::example()).unwrap_err();
    let want = "contact Icinga Admin has no ntfy topic, and the channel names none";
    assert_eq!(error, SendError::address(want));
    let mut notification = Notification::example();
    address("a/b\n")(&mut notification);
    let error = host.send::<Ntfy>(&json!({ "topic": "ops" }), &notification).unwrap_err();
    let want = r"the topic `a/b\n` must have 1 to 64 letters, digits, `-` or `_`";
    assert_eq!(error, SendError::address(want));
    assert!(host.requests().is_empty());
}

#[test]
fn a_bare_notification_still_has_a_message() {
    let message = sent(&json!({ "topic": "ops" }), |notification| {
        notification.incident = None;
        notification.object.name = "a_b".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(message, @r#"{"markdown":true,"message":"a\\_b","priority":3,"tags":[],"title":"a_b","topic":"ops"}"#);
}

#[test]
fn ntfys_limits_are_kept() {
    let message = sent(&json!({ "topic": "ops" }), |notification| {
        notification.object.name = "é😀".repeat(3000);
        notification.event.message = "*é😀\n".repeat(3000);
        notification.links =
            vec![sandbell_sdk::Link { label: "é".repeat(90), url: "https://x.example".to_owned() }; 9];
    });
    assert!(message["title"].as_str().unwrap().len() <= 250);
    assert!((3900..=4096).contains(&message["message"].as_str().unwrap().len()));
    let actions = message["actions"].as_array().unwrap();
    assert_eq!((actions.len(), actions[2]["label"].as_str().unwrap().chars().count()), (3, 40));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            401,
            r#"{"code":40101,"http":401,"error":"unauthorized","link":"https://ntfy.sh/docs/publish/#authentication"}"#,
            Never,
            code::AUTH,
            "401 Unauthorized: unauthorized (40101), see https://ntfy.sh/docs/publish/#authentication",
        ),
        (
            403,
            r#"{"code":40301,"http":403,"error":"forbidden"}"#,
            Never,
            code::AUTH,
            "403 Forbidden: forbidden (40301)",
        ),
        (400, "<html>", Never, code::REJECTED, "HTTP 400 Bad Request: <html>"),
        (
            429,
            r#"{"code":42901,"http":429,"error":"limit reached: too many requests","link":""}"#,
            Later,
            code::RATE_LIMITED,
            "429 Too Many Requests: limit reached: too many requests (42901)",
        ),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
        (
            200,
            "<html>",
            Never,
            code::PROTOCOL,
            "HTTP 200 OK: <html>: no answer of ntfy; is the URL that of its server?",
        ),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], "").unwrap_err();
    assert_eq!(error.after, Some(Duration::from_secs(30)));
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    let receipt = FakeHost::new().send::<Ntfy>(&json!({ "topic": "ops" }), &notification);
    assert_eq!(receipt.unwrap(), Receipt::new());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({ "topic": "a b" })), @"`topic` must have 1 to 64 letters, digits, `-` or `_`");
    assert_snapshot!(refused(&json!({ "topic": "x".repeat(65) })), @"`topic` must have 1 to 64 letters, digits, `-` or `_`");
    assert_snapshot!(refused(&json!({ "endpoint": "ntfy.sh" })), @"`endpoint` must start with `https://` or `http://` and name a host");
    assert_snapshot!(refused(&json!({ "priority": 6 })), @"`priority` must be between 1 and 5");
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = json!({ "topic": "ops" });
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    config["template_title"] = json!("{{ .Entry.Status }}");
    let host = FakeHost::new();
    host.reply(200, &[], r#"{"id":"1"}"#);
    host.send::<Ntfy>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    let sent = host.request().json();
    assert_eq!(
        (sent["title"].as_str(), sent["message"].as_str()),
        (Some("new"), Some("**LATEST** & myserver"))
    );
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Ntfy>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Ntfy>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
