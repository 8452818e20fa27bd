//! What Hipchat gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config() -> Value {
    json!({ "notification_token": "s3cret", "room_id": " 1234567 ", "endpoint": "https://hipchat.example.com/" })
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<HipChat>(&config(), &notification).unwrap();
    host.request().json()
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""notification_token" "room_id" "endpoint""#);
    assert_snapshot!(describe::<HipChat>(), @"
    HipChat by Sandbell
    addresses: hipchat
    wants http POST {endpoint}/v2/room/{room_id}/notification: Writes each notification to the room.
    ");
}

#[test]
fn the_request_is_quays() {
    let host = FakeHost::new().strict();
    host.reply(204, &[], "");
    let mut notification = Notification::example();
    notification.object.tags.truncate(1);
    notification.incident.as_mut().unwrap().url.clear();
    assert_eq!(host.send::<HipChat>(&config(), &notification).unwrap(), Receipt::new());
    assert_snapshot!(host.request(), @r#"
    POST https://hipchat.example.com/v2/room/1234567/notification?auth_token=<secret:notification_token>
    Content-Type: application/json

    {"color":"red","message":"<b>[#1437] dummy-809!random fortune is crit</b><br/>Something &lt;went&gt; wrong &amp; broke<br/><br/><b>host:</b> dummy-809<br/><b>When:</b> 2024-07-12 12:47:30 +0200<br/><br/><a href=\"https://icinga.example.com/icingadb/service?name=random%20fortune&amp;host.name=dummy-809\">Object</a>","message_format":"html","notify":true}
    "#);
}

#[test]
fn quays_levels_have_quays_colours() {
    for (severity, color, notify) in [
        (Some(Severity::Info), "gray", false),
        (Some(Severity::Warning), "yellow", false),
        (Some(Severity::Err), "red", true),
        (Some(Severity::Ok), "green", false),
        (None, "purple", false),
    ] {
        let message = sent(|notification| notification.incident.as_mut().unwrap().severity = severity);
        assert_eq!((message["color"].as_str(), message["notify"].as_bool()), (Some(color), Some(notify)));
    }
}

#[test]
fn hipchats_limit_is_kept() {
    for text in ["<é😀>\n".repeat(3000), "\na".repeat(9000), "a".repeat(20_000)] {
        let message = sent(|notification| {
            notification.object.name.clone_from(&text);
            notification.event.message.clone_from(&text);
        });
        let length = message["message"].as_str().unwrap().chars().count();
        assert!((1500..=10_000).contains(&length), "{length}");
        assert!(!message["message"].as_str().unwrap().contains('\n'));
    }
    let bare = sent(|notification| {
        notification.incident = None;
        notification.object.name = "<db>".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_eq!(bare["message"], "<b>&lt;db&gt;</b>");
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    let said = |words: &str| format!(r#"{{"error":{{"code":1,"message":"{words}","type":"x"}}}}"#);
    for (status, body, retry, code, message) in [
        (401, said("Invalid OAuth session"), Never, code::AUTH, "401 Unauthorized: Invalid OAuth session"),
        (404, said("Room not found"), Never, code::ADDRESS, "404 Not Found: Room not found"),
        (400, said("Invalid message"), Never, code::REJECTED, "400 Bad Request: Invalid message"),
        (
            429,
            said("Rate limit exceeded"),
            Later,
            code::RATE_LIMITED,
            "429 Too Many Requests: Rate limit exceeded",
        ),
        (502, "<html>".to_owned(), Later, code::UNREACHABLE, "HTTP 502 Bad Gateway: <html>"),
    ] {
        let host = FakeHost::new();
        host.reply(status, &[("Retry-After", "30")], &body);
        let error = host.send::<HipChat>(&config(), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        assert_eq!(error.after, (status == 429).then_some(Duration::from_secs(30)));
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let refused =
        |config: Value| FakeHost::new().configure::<HipChat>(&config).map(|_| ()).unwrap_err().to_string();
    assert_snapshot!(refused(json!({})), @"`notification_token` is required and has no value");
    assert_snapshot!(refused(json!({ "notification_token": "x" })), @"`room_id` is required and has no value");
    assert_snapshot!(refused(json!({ "notification_token": "x", "room_id": "a/b" })), @"`room_id` must be the number of a room, e.g. `1234567`");
    assert_snapshot!(refused(json!({ "notification_token": "x", "room_id": "1", "endpoint": "hipchat" })), @"`endpoint` must start with `https://` or `http://` and name a host");
}
