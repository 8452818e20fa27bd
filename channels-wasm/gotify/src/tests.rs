//! What Gotify gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config() -> Value {
    json!({ "endpoint": "https://gotify.example.com", "token": "s3cret" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Gotify>(&config(), &Notification::example())
}

fn sent(config: &Value, change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(200, &[], r#"{"id":1}"#);
    host.send::<Gotify>(config, &notification).unwrap();
    host.request().json()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Adresse des Gotify-Servers, z. B. https://gotify.example.com.","en_US":"Address of the Gotify server, e.g. `https://gotify.example.com`."},"label":{"de_DE":"Gotify-URL","en_US":"Gotify URL"},"name":"endpoint","required":true,"type":"string"}
    {"help":{"de_DE":"Token der Anwendung. Gotify zeigt es unter Apps an.","en_US":"Token of the application, shown in Gotify under Apps."},"label":{"de_DE":"Anwendungstoken","en_US":"Application Token"},"name":"token","required":true,"type":"secret"}
    {"help":{"de_DE":"Von 0 bis 10: Ab 4 ertönt ein Ton, ab 8 erscheint ein Fenster. Ohne Angabe entscheidet der Schweregrad.","en_US":"From 0 to 10; from 4 a phone makes a sound, from 8 it pops up. Without it the severity decides."},"label":{"de_DE":"Priorität","en_US":"Priority"},"max":10,"min":0,"name":"priority","type":"number"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle des Titels.","en_US":"A Go template with Diun's helpers, in the place of the title."},"label":{"de_DE":"Titel-Template","en_US":"Title Template"},"name":"template_title","type":"string"}
    {"help":{"de_DE":"Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template in Markdown, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Gotify>(), @"
    Gotify by Sandbell
    addresses: gotify
    wants http POST {endpoint}/message: Pushes each notification to the application of the token.
    ");
}

#[test]
fn the_request_is_diuns() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], r#"{"id":25,"appid":5,"message":"x"}"#);
    let receipt = host.send::<Gotify>(&config(), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("25"));
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r#"
    POST https://gotify.example.com/message
    X-Gotify-Key: <secret:token>
    Content-Type: application/json

    {"extras":{"client::display":{"contentType":"text/markdown"},"client::notification":{"click":{"url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}}},"message":"Something \\<went\\> wrong & broke\n\n**host:** dummy-809  \n**service:** random fortune  \n**When:** 2024-07-12 12:47:30 +0200\n\n[Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)","priority":8,"title":"[#1437] dummy-809!random fortune is crit"}
    "#);
}

#[test]
fn the_form_or_the_severity_decides_the_priority() {
    let mut fixed = config();
    fixed["priority"] = json!("10");
    assert_eq!(sent(&fixed, |_| ())["priority"], 10);
    for (severity, want) in [
        (Some(Severity::Ok), 4),
        (Some(Severity::Debug), 0),
        (Some(Severity::Warning), 5),
        (Some(Severity::Emerg), 10),
        (None, 1),
    ] {
        let message = sent(&config(), |notification| {
            notification.incident = None;
            notification.event.severity = severity;
        });
        assert_eq!(message["priority"], want, "{severity:?}");
    }
    fixed["priority"] = json!(11);
    let error = FakeHost::new().configure::<Gotify>(&fixed).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "`priority` must be between 0 and 10");
}

#[test]
fn a_bare_notification_still_has_a_message() {
    let message = sent(&config(), |notification| {
        notification.incident = None;
        notification.object.name = "a_b".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
        notification.contact.addresses.clear();
    });
    assert_snapshot!(message, @r#"{"extras":{"client::display":{"contentType":"text/markdown"}},"message":"a\\_b","priority":1,"title":"a_b"}"#);
}

#[test]
fn long_texts_are_cut() {
    let message = sent(&config(), |notification| {
        notification.object.name = "é😀".repeat(9000);
        notification.event.message = "*é😀\n".repeat(9000);
    });
    let length = |key: &str| message[key].as_str().unwrap().chars().count();
    assert!(length("title") == 250 && (7900..=8000).contains(&length("message")));
    assert!(message["message"].as_str().unwrap().ends_with("incident?id=1437)"));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            401,
            r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}"#,
            Never,
            code::AUTH,
            "401 Unauthorized: you need to provide a valid access token",
        ),
        (
            400,
            r#"{"error":"Bad Request","errorCode":400}"#,
            Never,
            code::REJECTED,
            "400 Bad Request: no reason given",
        ),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (
            200,
            "<html>",
            Never,
            code::PROTOCOL,
            "HTTP 200 OK: <html>: no answer of Gotify; is the URL that of its API?",
        ),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], "").unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
}

#[test]
fn a_dry_run_judges_no_answer() {
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Gotify>(&config(), &notification).unwrap(), Receipt::new());
}

#[test]
fn slashes_at_the_end_do_no_harm_and_other_urls_are_refused() {
    let mut slashes = config();
    slashes["endpoint"] = json!(" https://gotify.example.com/sub// ");
    let host = FakeHost::new();
    host.reply(200, &[], r#"{"id":1}"#);
    host.send::<Gotify>(&slashes, &Notification::example()).unwrap();
    assert_eq!(host.request().url, "https://gotify.example.com/sub/message");
    slashes["endpoint"] = json!("gotify.example.com");
    let error = host.configure::<Gotify>(&slashes).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`endpoint` must start with `https://` or `http://` and name a host");
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = json!({ "endpoint": "https://gotify.example.com", "token": "x" });
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    config["template_title"] = json!("{{ .Entry.Status }}");
    let host = FakeHost::new();
    host.reply(200, &[], r#"{"id":1}"#);
    host.send::<Gotify>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    let sent = host.request().json();
    assert_eq!(
        (sent["title"].as_str(), sent["message"].as_str()),
        (Some("new"), Some("**LATEST** & myserver"))
    );
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Gotify>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Gotify>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
