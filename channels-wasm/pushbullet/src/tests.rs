//! What Pushbullet gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const SENT: &str = r#"{"active":true,"iden":"ujpah72o0sjAoRtnM0jc"}"#;

fn config(targets: &str) -> Value {
    json!({ "token": "o.s3cret", "targets": targets })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Pushbullet>(&config(""), &Notification::example())
}

fn address(notification: &mut Notification, address: &str) {
    notification
        .contact
        .addresses
        .push(Address { kind: "pushbullet".to_owned(), address: address.to_owned() });
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""token" "targets""#);
    assert_snapshot!(describe::<Pushbullet>(), @"
    Pushbullet by Sandbell
    addresses: pushbullet
    wants http POST https://api.pushbullet.com/v2/pushes: Pushes each notification through Pushbullet.
    ");
}

#[test]
fn a_push_is_a_link_with_a_text() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], SENT);
    let receipt = host.send::<Pushbullet>(&config(""), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("ujpah72o0sjAoRtnM0jc"));
    assert_snapshot!(host.request(), @r#"
    POST https://api.pushbullet.com/v2/pushes
    Access-Token: <secret:token>
    Content-Type: application/json

    {"body":"Something <went> wrong & broke\n\nhost: dummy-809\nservice: random fortune\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\nIncident: https://icinga.example.com/notifications/incident?id=1437","guid":"dlv_01JX-all devices","title":"[#1437] dummy-809!random fortune is crit","type":"link","url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}
    "#);
}

#[test]
fn each_target_gets_its_own_push_and_one_is_enough() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], SENT);
    host.reply(400, &[], r#"{"error":{"code":"invalid_user","message":"no such user"}}"#);
    host.reply(200, &[], SENT);
    let mut notification = Notification::example();
    address(&mut notification, "a@x.example #ops");
    address(&mut notification, "dev1");
    let receipt = host.send::<Pushbullet>(&config("dev0"), &notification).unwrap();
    assert_eq!(receipt.detail.as_deref(), Some("not delivered to #ops: Pushbullet answered `no such user`"));
    let requests = host.requests();
    let field = |index: usize, key: &str| requests[index].json()[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        [field(0, "email"), field(1, "channel_tag"), field(2, "device_iden")],
        ["a@x.example", "ops", "dev1"]
    );
    assert_ne!(field(0, "guid"), field(1, "guid"));
}

#[test]
fn a_bare_notification_and_a_long_one_fit() {
    let host = FakeHost::new();
    host.reply(200, &[], SENT);
    let mut notification = Notification::example();
    notification.event.message = "<é😀>\n".repeat(3000);
    notification.object.name.clone_from(&notification.event.message);
    notification.object.url.clear();
    notification.incident = None;
    host.send::<Pushbullet>(&config(""), &notification).unwrap();
    let push = host.request().json();
    assert_eq!(push["type"], "note");
    assert_eq!(push["title"].as_str().unwrap().chars().count(), 250);
    assert!(push["body"].as_str().unwrap().chars().count() <= 4000);
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    let said = |code: &str| format!(r#"{{"error":{{"code":"{code}","type":"x","message":"no"}}}}"#);
    for (status, body, retry, code, message) in [
        (401, said("invalid_access_token"), Never, code::AUTH, "Pushbullet answered `no`"),
        (400, said("invalid_user"), Never, code::ADDRESS, "Pushbullet answered `no`"),
        (400, said("pushbullet_pro_required"), Never, code::RATE_LIMITED, "Pushbullet answered `no`"),
        (200, said("other"), Never, code::REJECTED, "Pushbullet answered `no`"),
        (200, "<html>".to_owned(), Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of Pushbullet"),
        (500, said("server"), Later, code::UNREACHABLE, "Pushbullet answered `no`"),
        (502, String::new(), Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let error = outcome(status, &[], &body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], &said("ratelimited")).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let refused =
        |config: Value| FakeHost::new().configure::<Pushbullet>(&config).map(|_| ()).unwrap_err().to_string();
    assert_snapshot!(refused(json!({})), @"`token` is required and has no value");
    assert_snapshot!(refused(config("a/b")), @"`targets` has `a/b`; write a mail address, the `#tag` of a channel or the ID of a device");
    let mut notification = Notification::example();
    address(&mut notification, "a/b");
    let error = FakeHost::new().send::<Pushbullet>(&config(""), &notification).unwrap_err();
    assert_eq!(error.code, code::ADDRESS);
    assert_snapshot!(error, @"the address `a/b` has `a/b`; write a mail address, the `#tag` of a channel or the ID of a device");
    notification.delivery.dry_run = true;
    notification.contact.addresses.clear();
    assert_eq!(FakeHost::new().send::<Pushbullet>(&config(""), &notification).unwrap(), Receipt::new());
}
