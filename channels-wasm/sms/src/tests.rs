//! What the gateways get, and what their answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn mail_config(change: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "mail_to": "sms@gateway.example.com", "sender_mail": "argus@localhost", "host": "mail.example.com",
        "phone_number": "+47 900 12 345",
    });
    for (key, value) in change {
        config[key] = json!(value);
    }
    config
}

fn http_config() -> Value {
    json!({
        "gateway": "megabird", "url": "https://api.megabird.co.kr:8080/v1/openapi/sms/send", "access_key": "s3cret",
        "sender": "02-1234-5678", "phone_number": "+82 10 1111 2222", "length_max": "1000",
    })
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Sms>(config).map(|_| ()).unwrap_err().to_string()
}

fn address(notification: &mut Notification, kind: &str, address: &str) {
    notification.contact.addresses.push(Address { kind: kind.to_owned(), address: address.to_owned() });
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""gateway" "phone_number" "prefix" "length_max" "mail_to" "sender_mail" "host" "port" "encryption" "user" "password" "url" "access_key" "sender""#);
    assert_snapshot!(describe::<Sms>(), @"
    SMS by Sandbell
    addresses: sms, phone
    wants smtp {host}:{port}: Mails each notification to the SMS gateway.
    wants http POST {url}: Hands each notification to the SMS gateway.
    ");
}

#[test]
fn the_mail_is_argus() {
    let host = FakeHost::new();
    let mut notification = Notification::example();
    notification.source.system = "argus".to_owned();
    let receipt = host.send::<Sms>(&mail_config(&[]), &notification).unwrap();
    assert_eq!(receipt, Receipt::new().id("<1@fake.host>").detail("250 OK"));
    assert_snapshot!(host.mail(), @"
    Via: mail.example.com:25 none
    From: argus@localhost
    To: sms@gateway.example.com
    Subject: sms +4790012345

    Something <went> wrong & broke
    ");
}

#[test]
fn a_gateway_can_be_addressed_by_number() {
    let host = FakeHost::new();
    let mut notification = Notification::example();
    address(&mut notification, "sms", "+4790012345");
    address(&mut notification, "phone", "0049 151 1234567");
    let config = mail_config(&[
        ("mail_to", "{number}@sms.example.com"),
        ("user", "u"),
        ("password", "s3cret"),
        ("encryption", "tls"),
    ]);
    host.send::<Sms>(&config, &notification).unwrap();
    assert_snapshot!(host.mail(), @"
    Via: mail.example.com:25 tls, user u, password <secret:password>
    From: argus@localhost
    To: +4790012345@sms.example.com, +491511234567@sms.example.com
    Subject: sms +4790012345

    [#1437] dummy-809!random fortune is crit: Something <went> wrong & broke
    ");
    let host = FakeHost::new();
    let receipt = host.send::<Sms>(&mail_config(&[]), &notification).unwrap();
    assert_eq!(receipt.detail.as_deref(), Some("250 OK; 1 more numbers of the contact get nothing"));
}

#[test]
fn the_request_is_cloudforets() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], "{}");
    host.send::<Sms>(&http_config(), &Notification::example()).unwrap();
    assert_snapshot!(host.request(), @r#"
    POST https://api.megabird.co.kr:8080/v1/openapi/sms/send
    Authorization: <secret:access_key>
    Content-Type: application/json

    {"adIncluYn":"N","messageReceiverList":[{"mbnum":"01011112222"}],"msgCotn":"[#1437] dummy-809!random fortune is crit: Something <went> wrong & broke","msgTtl":"[#1437] dummy-809!r…","snPhnum":"0212345678","svcKndCd":"LMS"}
    "#);
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (400, r#"{"message":"bad number"}"#, Never, code::REJECTED, "400 Bad Request: bad number"),
        (401, "", Never, code::AUTH, "HTTP 401 Unauthorized"),
        (429, "", Later, code::RATE_LIMITED, "HTTP 429 Too Many Requests"),
        (500, "<html>", Later, code::UNREACHABLE, "HTTP 500 Internal Server Error: <html>"),
    ] {
        let host = FakeHost::new();
        host.reply(status, &[("Retry-After", "30")], body);
        let error = host.send::<Sms>(&http_config(), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        assert_eq!(error.after, (status == 429).then_some(Duration::from_secs(30)));
    }
    let host = FakeHost::new();
    host.refuse_mail(mail::Error::new("rejected", Some(451), "451 later"));
    let error = host.send::<Sms>(&mail_config(&[]), &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Later, code::REJECTED));
}

#[test]
fn a_contact_without_a_number_is_refused() {
    let host = FakeHost::new();
    let config = mail_config(&[("phone_number", "")]);
    let mut notification = Notification::example();
    let error = host.send::<Sms>(&config, &notification).unwrap_err();
    assert_eq!(
        error,
        SendError::address("contact Icinga Admin has no phone number, and the channel names none")
    );
    address(&mut notification, "sms", "90012345");
    let error = host.send::<Sms>(&config, &notification).unwrap_err();
    assert_snapshot!(error, @"the address `90012345` is no number; write a number with its country, like `+4790012345`");
    notification.contact.addresses.clear();
    (0..60).for_each(|index| address(&mut notification, "sms", &format!("+47900123{index:02}")));
    let error = host.send::<Sms>(&config, &notification).unwrap_err();
    assert_eq!(error, SendError::address("contact Icinga Admin has more than 50 phone numbers"));
    assert!(host.mails().is_empty());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({})), @"`host` is required by the gateway `mail`");
    assert_snapshot!(refused(&mail_config(&[("sender_mail", "")])), @"`sender_mail` is required by the gateway `mail`");
    assert_snapshot!(refused(&mail_config(&[("mail_to", "gateway")])), @"`mail_to` must be a mail address like `sms@gateway.example.com` or `{number}@gateway.example.com`");
    assert_snapshot!(refused(&mail_config(&[("user", "u")])), @"user and password must both be set or empty");
    assert_snapshot!(refused(&mail_config(&[("phone_number", "1")])), @"`phone_number` has `1`; write a number with its country, like `+4790012345`");
    assert_snapshot!(refused(&mail_config(&[("length_max", "5")])), @"`length_max` must be between 20 and 1000");
    assert_snapshot!(refused(&mail_config(&[("gateway", "pigeon")])), @"`gateway` must be one of `mail`, `megabird`");
    let without = |name: &str| {
        let mut config = http_config();
        config.as_object_mut().unwrap().remove(name);
        refused(&config)
    };
    assert_snapshot!(without("url"), @"`url` is required by the gateway `megabird`");
    assert_snapshot!(without("access_key"), @"`access_key` is required by the gateway `megabird`");
    assert_snapshot!(without("sender"), @"`sender` is required by the gateway `megabird`");
}
