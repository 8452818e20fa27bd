//! What Megabird gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};
use sandbell_sdk::{Address, Source};

use super::*;

fn config() -> Value {
    json!({ "access_key": "s3cret", "sender": "@spaceone", "template_id": "T1", "phone_number": "010-1234-5678" })
}

fn address(notification: &mut Notification, address: &str) {
    notification.contact.addresses.push(Address { kind: "phone".to_owned(), address: address.to_owned() });
}

fn from_cloudforet() -> Notification {
    let mut notification = Notification::example();
    notification.source = Source { system: "cloudforet".to_owned(), payload: "{}".to_owned() };
    notification.object.tags = vec![
        ("Project".to_owned(), "스페이스원 웹서버".to_owned()),
        ("Triggered by".to_owned(), "aws-sns".to_owned()),
    ];
    notification
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""access_key" "sender" "template_id" "phone_number" "api_url""#);
    assert_snapshot!(describe::<KakaoBiz>(), @"
    Kakao Alimtalk by Sandbell
    addresses: phone
    wants http POST {api_url}/alimtalk/send: Hands each notification to Megabird, which hands it to Kakao.
    ");
}

#[test]
fn the_request_is_cloudforets() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], "{}");
    let mut notification = from_cloudforet();
    address(&mut notification, "+82 10 1111 2222, 01033334444");
    assert_eq!(host.send::<KakaoBiz>(&config(), &notification).unwrap(), Receipt::new());
    assert_snapshot!(host.request(), @r#"
    POST https://api.megabird.co.kr:8080/v1/openapi/alimtalk/send
    Authorization: <secret:access_key>
    Content-Type: application/json

    {"chnId":"@spaceone","messageReceiverList":[{"mbnum":"01011112222","var1Vl":"스페이스원 웹서버","var2Vl":"aws-sns","var3Vl":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},{"mbnum":"01033334444","var1Vl":"스페이스원 웹서버","var2Vl":"aws-sns","var3Vl":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}],"subTxtUseYn":"N","tmplId":"T1","var1Vl":"프로젝트명","var2Vl":"웹훅명","var3Vl":"링크"}
    "#);
}

#[test]
fn variables_are_tags_or_what_there_is() {
    let mut notification = from_cloudforet();
    notification.object.tags.pop();
    assert_eq!(variables(&notification), ("스페이스원 웹서버".to_owned(), "내부 시스템".to_owned()));
    assert_eq!(
        variables(&Notification::example()),
        ("dummy-809!random fortune".to_owned(), "[#1437] dummy-809!random fortune is crit".to_owned())
    );
    notification.object.tags = vec![("Project".to_owned(), "é\n".repeat(3000))];
    assert_eq!(variables(&notification).0.chars().count(), 100);
}

#[test]
fn numbers_are_korean_mobiles() {
    for (text, want) in [
        ("010-1234-5678", Some("01012345678")),
        ("+821012345678", Some("01012345678")),
        ("0111234567", Some("0111234567")),
        ("02-123-4567", None),
        ("+4790012345", None),
        ("010123456789", None),
        ("0101234567a", None),
        ("", None),
    ] {
        assert_eq!(korean_mobile(text).as_deref(), want, "{text}");
    }
}

#[test]
fn a_contact_without_a_number_is_refused() {
    let host = FakeHost::new();
    let config = json!({ "access_key": "s", "sender": "@a", "template_id": "T1" });
    let mut notification = Notification::example();
    let error = host.send::<KakaoBiz>(&config, &notification).unwrap_err();
    assert_eq!(
        error,
        SendError::address("contact Icinga Admin has no phone number, and the channel names none")
    );
    address(&mut notification, "jdoe");
    let error = host.send::<KakaoBiz>(&config, &notification).unwrap_err();
    assert_snapshot!(error, @"the address `jdoe` is no number; write a Korean mobile number like `01012345678` or `+821012345678`");
    notification.contact.addresses.clear();
    address(&mut notification, &"01012345678,".repeat(101));
    let error = host.send::<KakaoBiz>(&config, &notification).unwrap_err();
    assert_eq!(error, SendError::address("contact Icinga Admin has more than 100 phone numbers"));
    assert!(host.requests().is_empty());
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (201, "", Never, code::PROTOCOL, "HTTP 201 Created: only 200 means that it was sent"),
        (400, "bad template", Never, code::REJECTED, "HTTP 400 Bad Request: bad template"),
        (401, "", Never, code::AUTH, "HTTP 401 Unauthorized"),
        (429, "", Later, code::RATE_LIMITED, "HTTP 429 Too Many Requests"),
        (500, "<html>", Later, code::UNREACHABLE, "HTTP 500 Internal Server Error: <html>"),
    ] {
        let host = FakeHost::new();
        host.reply(status, &[("Retry-After", "30")], body);
        let error = host.send::<KakaoBiz>(&config(), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        assert_eq!(error.after, (status == 429).then_some(Duration::from_secs(30)));
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let refused =
        |config: Value| FakeHost::new().configure::<KakaoBiz>(&config).map(|_| ()).unwrap_err().to_string();
    assert_snapshot!(refused(json!({ "access_key": "x", "sender": "@a" })), @"`template_id` is required and has no value");
    let mut config = config();
    config["phone_number"] = "1".into();
    assert_snapshot!(refused(config), @"`phone_number` has `1`; write a Korean mobile number like `01012345678` or `+821012345678`");
}
