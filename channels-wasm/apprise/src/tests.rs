//! What Apprise gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config() -> Value {
    json!({ "endpoint": "https://apprise.example.com/", "token": "k3y", "tags": "ops, db" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Apprise>(&config(), &Notification::example())
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Apprise>(&config(), &notification).unwrap();
    host.request().json()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Adresse des Apprise-API-Servers, z. B. https://apprise.example.com.","en_US":"Address of the Apprise API server, e.g. `https://apprise.example.com`."},"label":{"de_DE":"Apprise-API-URL","en_US":"Apprise API URL"},"name":"endpoint","required":true,"type":"string"}
    {"help":{"de_DE":"Schlüssel einer Konfiguration, die der Server aufbewahrt.","en_US":"Key of a configuration that the server keeps."},"label":{"de_DE":"Konfigurationsschlüssel","en_US":"Configuration Key"},"name":"token","type":"secret"}
    {"help":{"de_DE":"Mit einem Schlüssel: nur Dienste mit einem dieser Tags, durch Kommas getrennt.","en_US":"With a key: only services with one of these tags, separated by commas."},"label":{"de_DE":"Tags","en_US":"Tags"},"name":"tags","type":"string"}
    {"help":{"de_DE":"Ohne Schlüssel: Apprise-URLs der Dienste, durch Kommas getrennt. Sie enthalten Passwörter.","en_US":"Without a key: Apprise URLs of the services, separated by commas. They hold passwords."},"label":{"de_DE":"Apprise-URLs","en_US":"Apprise URLs"},"name":"urls","type":"secret"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle des Titels.","en_US":"A Go template with Diun's helpers, in the place of the title."},"label":{"de_DE":"Titel-Template","en_US":"Title Template"},"name":"template_title","type":"string"}
    {"help":{"de_DE":"Ein Go-Template, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Apprise>(), @"
    Apprise by Sandbell
    addresses: apprise
    wants http POST {endpoint}/notify: Notifies the services whose URLs are in the form.
    wants http POST {endpoint}/notify/*: Notifies the services that the server keeps under the key.
    ");
}

#[test]
fn the_key_stands_in_the_url() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], r#"{"error":null}"#);
    assert_eq!(host.send::<Apprise>(&config(), &Notification::example()).unwrap(), Receipt::new());
    assert_eq!(host.request().timeout_ms, Some(20_000));
    assert_snapshot!(host.request(), @r#"
    POST https://apprise.example.com/notify/<secret:token>
    Content-Type: application/json

    {"body":"Something <went> wrong & broke\n\nhost: dummy-809\nservice: random fortune\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\nIncident: https://icinga.example.com/notifications/incident?id=1437","title":"[#1437] dummy-809!random fortune is crit","type":"failure","format":"text","tags":["ops","db"]}
    "#);
}

#[test]
fn without_a_key_the_services_stand_in_the_body() {
    let config = json!({ "endpoint": "https://apprise.example.com", "urls": "mailto://u:p@example.com" });
    let host = FakeHost::new();
    host.send::<Apprise>(&config, &Notification::example()).unwrap();
    let request = host.request();
    assert_eq!(request.url, "https://apprise.example.com/notify");
    assert_eq!(request.json()["urls"], "<secret:urls>");
    assert!(request.json().get("tags").is_none() && !request.body.contains("mailto"));
}

#[test]
fn the_type_follows_the_severity() {
    for (severity, want) in [
        (Some(Severity::Ok), "success"),
        (Some(Severity::Notice), "info"),
        (Some(Severity::Warning), "warning"),
        (Some(Severity::Err), "failure"),
        (None, "info"),
    ] {
        let message = sent(|notification| {
            notification.incident = None;
            notification.event.severity = severity;
        });
        assert_eq!(message["type"], want);
    }
}

#[test]
fn texts_are_cut_and_never_empty() {
    let message = sent(|notification| {
        notification.object.name = "é😀".repeat(9000);
        notification.event.message = "\"é😀\n".repeat(9000);
    });
    let length = |key: &str| message[key].as_str().unwrap().chars().count();
    assert!(length("title") == 250 && (7900..=8000).contains(&length("body")));
    let bare = sent(|notification| {
        notification.incident = None;
        notification.object.name = " ".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
        notification.contact.addresses.clear();
    });
    assert_eq!((&bare["title"], &bare["body"]), (&json!("Notification"), &json!("Notification")));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (204, "", Never, code::CONFIG, "Apprise keeps no configuration under the key"),
        (202, "", Never, code::PROTOCOL, "HTTP 202 Accepted"),
        (
            400,
            r#"{"error":"bad request","errorCode":400,"errorDescription":"invalid payload"}"#,
            Never,
            code::REJECTED,
            "400 bad request: invalid payload",
        ),
        (
            400,
            r#"{"error":"Bad FORM Payload provided"}"#,
            Never,
            code::REJECTED,
            "400 Bad Request: Bad FORM Payload provided",
        ),
        (
            424,
            r#"{"error":"One or more notification could not be sent"}"#,
            Later,
            code::UNREACHABLE,
            "424: One or more notification could not be sent",
        ),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (500, r#"{"error":"#, Later, code::UNREACHABLE, r#"HTTP 500 Internal Server Error: {"error":"#),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], "").unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let refused =
        |config: Value| FakeHost::new().configure::<Apprise>(&config).map(|_| ()).unwrap_err().to_string();
    assert_snapshot!(refused(json!({ "endpoint": "apprise.example.com" })), @"`endpoint` must start with `https://` or `http://` and name a host");
    assert_snapshot!(refused(json!({ "endpoint": "https://a.example/?x=y" })), @"`endpoint` must have no `?`, no `#` and no blanks");
    assert_snapshot!(refused(json!({ "endpoint": "https://a.example", "tags": "ops" })), @"`tags` need a configuration key, because Apprise URLs have no tags");
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = json!({ "endpoint": "https://apprise.example.com", "token": "key" });
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    config["template_title"] = json!("{{ .Entry.Status }}");
    let host = FakeHost::new();
    host.send::<Apprise>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    let sent = host.request().json();
    assert_eq!((sent["title"].as_str(), sent["body"].as_str()), (Some("new"), Some("**LATEST** & myserver")));
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Apprise>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Apprise>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
