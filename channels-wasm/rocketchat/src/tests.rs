//! What Rocket.Chat gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config(url: &str) -> Value {
    json!({ "url": url, "user_id": "u1", "token": "s3cret" })
}

fn send(host: &FakeHost) -> Result<Receipt, SendError> {
    host.send::<RocketChat>(&config("https://chat.example.com"), &Notification::example())
}

#[test]
fn the_form_is_icingas() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Adresse des Rocket.Chat-Servers, z. B. https://chat.example.com.","en_US":"Address of the Rocket.Chat server, e.g. `https://chat.example.com`."},"label":{"de_DE":"Rocket.Chat-URL","en_US":"Rocket.Chat URL"},"name":"url","required":true,"type":"string"}
    {"help":{"de_DE":"ID des Benutzers, der schreibt. Rocket.Chat zeigt sie zusammen mit dem Token an.","en_US":"ID of the user who posts; Rocket.Chat shows it together with the token."},"label":{"de_DE":"Benutzer-ID","en_US":"User ID"},"name":"user_id","required":true,"type":"string"}
    {"help":{"de_DE":"Wird in Rocket.Chat unter Mein Konto > Persönliche Zugangstoken angelegt.","en_US":"Created in Rocket.Chat under My Account > Personal Access Tokens."},"label":{"de_DE":"Persönliches Zugangstoken","en_US":"Personal Access Token"},"name":"token","required":true,"type":"secret"}
    {"help":{"de_DE":"Für Kontakte ohne eigene Adresse (Adresstyp rocketchat): #raum, @benutzer oder die ID eines Raums.","en_US":"For contacts without an address of their own (address type `rocketchat`): `#room`, `@user` or a room's ID."},"label":{"de_DE":"Raum","en_US":"Room"},"name":"channel","type":"string"}
    {"default":"auto","help":{"de_DE":"Wessen Nachricht es ist: die von Icingas Kanal oder die von Diuns. Ohne Angabe Diuns für das, was Diun sandte.","en_US":"Whose message it is: that of Icinga's channel or that of Diun's. By default Diun's for what Diun sent."},"label":{"de_DE":"Stil","en_US":"Style"},"name":"style","options":{"auto":"By source","diun":"Diun","icinga":"Icinga"},"type":"option"}
    {"default":true,"help":{"de_DE":"Diuns Stil: zeigt den Text und seine Felder in einem Anhang.","en_US":"Diun's style: shows the text and its fields in an attachment."},"label":{"de_DE":"Anhang","en_US":"Attachment"},"name":"render_attachment","type":"bool"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle der ersten Zeile.","en_US":"A Go template with Diun's helpers, in the place of the first line."},"label":{"de_DE":"Titel-Template","en_US":"Title Template"},"name":"template_title","type":"string"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<RocketChat>(), @r"
    Rocket.Chat by Sandbell
    addresses: rocketchat
    wants http POST {url}/api/v1/chat.postMessage: Posts each notification as the user of the token.
    ");
}

#[test]
fn the_request_is_icingas() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], r#"{"success":true,"message":{"_id":"m1"}}"#);
    assert_eq!(send(&host).unwrap(), Receipt::new().id("m1"));
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r##"
    POST https://chat.example.com/api/v1/chat.postMessage
    X-Auth-Token: <secret:token>
    X-User-Id: u1
    Content-Type: application/json

    {"channel":"#monitoring","text":"[#1437] dummy-809!random fortune is crit\n\nMessage: Something <went> wrong & broke\n\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\n\nTags:\nhost: dummy-809\nservice: random fortune\n\nIncident: https://icinga.example.com/notifications/incident?id=1437"}
    "##);
}

#[test]
fn slashes_at_the_end_of_the_url_do_no_harm() {
    for url in ["https://chat.example.com/", " https://chat.example.com// "] {
        let host = FakeHost::new();
        host.send::<RocketChat>(&config(url), &Notification::example()).unwrap();
        assert_eq!(host.request().url, "https://chat.example.com/api/v1/chat.postMessage");
    }
}

#[test]
fn a_url_without_a_scheme_is_refused_before_anything_is_sent() {
    let error = FakeHost::new().configure::<RocketChat>(&config("chat.example.com")).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`url` must start with `https://` or `http://`");
}

#[test]
fn a_contact_without_an_address_is_refused_in_icingas_words() {
    let mut notification = Notification::example();
    notification.contact.addresses.retain(|address| address.kind != "rocketchat");
    let host = FakeHost::new();
    let error = host.send::<RocketChat>(&config("https://chat.example.com"), &notification).unwrap_err();
    let want = "contact user Icinga Admin does not specify a rocketchat channel or username";
    assert_eq!(error, SendError::address(want));
    assert!(host.requests().is_empty());
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            200,
            r#"{"success":false,"error":"[invalid-channel]"}"#,
            Never,
            code::REJECTED,
            "Rocket.Chat refused the message: [invalid-channel]",
        ),
        (
            200,
            r#"{"success":false}"#,
            Never,
            code::REJECTED,
            "Rocket.Chat refused the message: no reason given",
        ),
        (400, r#"{"success":false,"error":"no room"}"#, Never, code::REJECTED, "400 Bad Request: no room"),
        (401, "", Never, code::AUTH, "401 Unauthorized"),
        (
            401,
            r#"{"status":"error","message":"You must be logged in to do this."}"#,
            Never,
            code::AUTH,
            "401 Unauthorized: You must be logged in to do this.",
        ),
        (404, "<html>", Never, code::REJECTED, "404 Not Found"),
        (429, "", Later, code::RATE_LIMITED, "429 Too Many Requests"),
        (502, "<html>", Later, code::UNREACHABLE, "502 Bad Gateway"),
    ] {
        let host = FakeHost::new();
        host.reply(status, &[], body);
        let error = send(&host).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    for body in ["", "ok", r#"{"success":true}"#] {
        let host = FakeHost::new();
        host.reply(200, &[], body);
        assert_eq!(send(&host).unwrap(), Receipt::new(), "{body}");
    }
}

#[test]
fn no_answer_is_told_in_icingas_words_and_tried_again() {
    let host = FakeHost::new();
    host.fail(http::Error::new("connect", "connection refused"));
    let error = send(&host).unwrap_err();
    let want = "error while sending http request to rocketchat server: connection refused";
    assert_eq!(error, SendError::retry(want));
}

#[test]
fn diun_has_its_own_message() {
    use sandbell_chat_text::testing;
    let sent = |notification: &Notification, change: &[(&str, Value)]| {
        let mut config = config("https://chat.example.com");
        for (key, value) in change {
            config[key] = value.clone();
        }
        let host = FakeHost::new();
        host.send::<RocketChat>(&config, notification).unwrap();
        host.request().json()
    };
    assert_snapshot!(sent(&testing::diun("update"), &[]), @r##"{"alias":"Diun","attachments":[{"fields":[{"short":false,"title":"Hostname","value":"myserver"},{"short":false,"title":"Provider","value":"docker"},{"short":false,"title":"Created","value":"Mar 26, 2020 10:23:56 UTC"},{"short":false,"title":"Digest","value":"sha256:216e3ae7de4c"},{"short":false,"title":"Platform","value":"linux/amd64"},{"short":false,"title":"HubLink","value":"https://hub.docker.com/_/alpine"}],"text":"Docker tag docker.io/library/alpine:latest which you subscribed to through docker provider has been updated on docker.io registry (triggered by myserver host).","ts":"2024-07-12T12:47:30.123+02:00"}],"avatar":"https://raw.githubusercontent.com/crazy-max/diun/master/.res/diun.png","channel":"#monitoring","text":"docker.io/library/alpine:latest has been updated"}"##);
    let plain = sent(
        &testing::diun("new"),
        &[("render_attachment", json!(false)), ("template_body", json!("{{ .Entry.Image.Tag }}"))],
    );
    assert_eq!(plain["text"], "docker.io/library/alpine:latest is available\n\nlatest");
    assert!(plain.get("attachments").is_none());
    let other = sent(&Notification::example(), &[("style", json!("diun"))]);
    assert_eq!(other["attachments"][0]["text"], "Something <went> wrong & broke");
    assert!(sent(&testing::diun("new"), &[("style", json!("icinga"))]).get("alias").is_none());
    let titled =
        sent(&Notification::example(), &[("template_title", json!("T")), ("template_body", json!("B"))]);
    assert_eq!(titled["text"], "T\n\nB");
}

#[test]
fn texts_are_as_short_as_rocket_chat_wants_them() {
    let host = FakeHost::new();
    let mut notification = Notification::example();
    notification.event.message = "é😀\n".repeat(5000);
    host.send::<RocketChat>(&config("https://chat.example.com"), &notification).unwrap();
    assert_eq!(host.request().json()["text"].as_str().unwrap().chars().count(), 5000);
    let mut config = config("https://chat.example.com");
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<RocketChat>(&config).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`template_body` cannot parse body template: template: body:1: unclosed action");
}
