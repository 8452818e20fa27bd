//! What a homeserver gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const JOINED: &str = r#"{"room_id":"!abc:example.com"}"#;
const SENT: &str = r#"{"event_id":"$1"}"#;

fn config(more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "homeserver_url": "https://matrix.example.com/", "access_token": "s3cret", "room_id": "#ops:example.com",
    });
    for (key, value) in more {
        config[key] = json!(value);
    }
    config
}

fn outcome(answers: &[(u16, &str)]) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    for (status, body) in answers {
        host.reply(*status, &[], body);
    }
    host.send::<Matrix>(&config(&[]), &Notification::example())
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Matrix>(config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""homeserver_url" "user" "password" "access_token" "room_id" "msg_type" "template_body""#);
    assert_snapshot!(describe::<Matrix>(), @"
    Matrix by Sandbell
    addresses: matrix
    wants http POST {homeserver_url}/_matrix/client/v3/login: Logs in with user and password.
    wants http POST {homeserver_url}/_matrix/client/v3/join/*: Joins the rooms that it writes to.
    wants http PUT {homeserver_url}/_matrix/client/v3/rooms/*: Writes each notification.
    wants http POST {homeserver_url}/_matrix/client/v3/logout: Ends the session that the login began.
    ");
}

#[test]
fn a_password_makes_a_session_for_one_notification() {
    let host = FakeHost::new().strict();
    for body in [r#"{"access_token":"syt_1","user_id":"@diun:example.com"}"#, JOINED, SENT, "{}"] {
        host.reply(200, &[], body);
    }
    let config = json!({
        "homeserver_url": "https://matrix.example.com", "user": "diun", "password": "s3cret",
        "room_id": "!abc:example.com",
    });
    let receipt = host.send::<Matrix>(&config, &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("$1"));
    let requests: Vec<_> = host.requests().iter().map(ToString::to_string).collect();
    assert_snapshot!(requests.join("\n\n"), @r#"
    POST https://matrix.example.com/_matrix/client/v3/login
    Content-Type: application/json

    {"type":"m.login.password","identifier":{"type":"m.id.user","user":"diun"},"password":"<secret:password>","initial_device_display_name":"Sandbell"}

    POST https://matrix.example.com/_matrix/client/v3/join/%21abc%3Aexample.com
    Authorization: Bearer syt_1
    Content-Type: application/json

    {}

    PUT https://matrix.example.com/_matrix/client/v3/rooms/%21abc%3Aexample.com/send/m.room.message/dlv_01JX
    Authorization: Bearer syt_1
    Content-Type: application/json

    {"body":"[#1437] dummy-809!random fortune is crit\n\nSomething <went> wrong & broke\n\nhost: dummy-809\nservice: random fortune\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\nIncident: https://icinga.example.com/notifications/incident?id=1437","format":"org.matrix.custom.html","formatted_body":"<b>[#1437] dummy-809!random fortune is crit</b><br/><br/>Something &lt;went&gt; wrong &amp; broke<br/><br/><b>host:</b> dummy-809<br/><b>service:</b> random fortune<br/><b>When:</b> 2024-07-12 12:47:30 +0200<br/><br/><a href=\"https://icinga.example.com/icingadb/service?name=random%20fortune&amp;host.name=dummy-809\">Object</a> · <a href=\"https://icinga.example.com/notifications/incident?id=1437\">Incident</a>","msgtype":"m.notice"}

    POST https://matrix.example.com/_matrix/client/v3/logout
    Authorization: Bearer syt_1
    Content-Type: application/json

    {}
    "#);
}

#[test]
fn a_token_needs_no_login_and_an_alias_is_resolved() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], JOINED);
    host.reply(200, &[], SENT);
    host.send::<Matrix>(&config(&[("msg_type", "text")]), &Notification::example()).unwrap();
    let requests = host.requests();
    assert_eq!(requests[0].url, "https://matrix.example.com/_matrix/client/v3/join/%23ops%3Aexample.com");
    assert_eq!(requests[1].header("authorization"), Some("Bearer <secret:access_token>"));
    assert_eq!(requests[1].json()["msgtype"], "m.text");
}

#[test]
fn rooms_of_the_contact_come_first_and_one_is_enough() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], JOINED);
    host.reply(200, &[], SENT);
    host.reply(403, &[], r#"{"errcode":"M_FORBIDDEN","error":"You are not invited to this room."}"#);
    let mut notification = Notification::example();
    for address in ["!a:example.com", "!b:example.com"] {
        notification
            .contact
            .addresses
            .push(Address { kind: "matrix".to_owned(), address: address.to_owned() });
    }
    let receipt = host.send::<Matrix>(&config(&[]), &notification).unwrap();
    assert_snapshot!(receipt.detail.unwrap(), @"not delivered to !b:example.com: failed to submit message to Matrix: M_FORBIDDEN You are not invited to this room.");
}

#[test]
fn an_event_stays_within_its_limit() {
    for text in ["<é😀>\n".repeat(9000), "\"\n".repeat(20_000), "a".repeat(90_000)] {
        let host = FakeHost::new();
        host.reply(200, &[], JOINED);
        host.reply(200, &[], SENT);
        let mut notification = Notification::example();
        notification.object.name.clone_from(&text);
        notification.event.message = text;
        host.send::<Matrix>(&config(&[]), &notification).unwrap();
        let length = host.requests()[1].body.len();
        assert!((8_000..60_000).contains(&length), "{length}");
    }
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    let said = |word: &str| format!(r#"{{"errcode":"{word}","error":"no"}}"#);
    let message = |word: &str| format!("failed to submit message to Matrix: {word} no");
    for (status, body, retry, code, message) in [
        (401, said("M_UNKNOWN_TOKEN"), Never, code::AUTH, message("M_UNKNOWN_TOKEN")),
        (403, said("M_FORBIDDEN"), Never, code::ADDRESS, message("M_FORBIDDEN")),
        (404, said("M_NOT_FOUND"), Never, code::ADDRESS, message("M_NOT_FOUND")),
        (413, said("M_TOO_LARGE"), Never, code::REJECTED, message("M_TOO_LARGE")),
        (500, said("M_UNKNOWN"), Later, code::UNREACHABLE, message("M_UNKNOWN")),
        (502, "<html>".to_owned(), Later, code::UNREACHABLE, "HTTP 502 Bad Gateway: <html>".to_owned()),
        (
            200,
            "<html>".to_owned(),
            Never,
            code::PROTOCOL,
            "HTTP 200 OK: <html>: no answer of a Matrix homeserver".to_owned(),
        ),
    ] {
        let error = outcome(&[(status, &body)]).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message), (retry, code, message));
    }
    let limited = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too many","retry_after_ms":2500}"#;
    let error = outcome(&[(200, JOINED), (429, limited)]).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_millis(2500))));
}

#[test]
fn a_wrong_password_is_no_wrong_room() {
    let host = FakeHost::new().strict();
    host.reply(403, &[], r#"{"errcode":"M_FORBIDDEN","error":"Invalid username or password"}"#);
    let config = json!({ "user": "diun", "password": "s3cret", "room_id": "!abc:example.com" });
    let error = host.send::<Matrix>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::AUTH));
    assert!(!error.message.contains("s3cret"));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let one = "either user and password or an access token must be set";
    assert_eq!(refused(&json!({})), one);
    assert_eq!(refused(&json!({ "user": "a" })), one);
    assert_eq!(refused(&config(&[("user", "a"), ("password", "b")])), one);
    assert_snapshot!(refused(&config(&[("room_id", "ops")])), @"`room_id` has `ops`; write `!id:server` or `#alias:server`");
    assert_snapshot!(refused(&config(&[("msg_type", "x")])), @"`msg_type` must be one of `notice`, `text`");
    assert_snapshot!(refused(&config(&[("homeserver_url", "matrix.org")])), @"`homeserver_url` must start with `https://` or `http://` and name a host");
    let host = FakeHost::new();
    let error = host.send::<Matrix>(&config(&[("room_id", "")]), &Notification::example()).unwrap_err();
    assert_eq!(
        error,
        SendError::address("contact Icinga Admin has no matrix room, and the channel names none")
    );
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(host.send::<Matrix>(&config(&[]), &notification).unwrap(), Receipt::new());
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = config(&[]);
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    let host = FakeHost::new();
    host.reply(200, &[], JOINED);
    host.reply(200, &[], SENT);
    host.send::<Matrix>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    let sent = host.requests()[1].json();
    assert_eq!(sent["body"], "**LATEST** & myserver");
    assert_eq!(sent["formatted_body"], "<b>LATEST</b> &amp; myserver");
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Matrix>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Matrix>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
