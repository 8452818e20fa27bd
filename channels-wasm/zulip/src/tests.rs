//! What Zulip gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const SENT: &str = r#"{"result":"success","msg":"","id":42}"#;

fn config() -> Value {
    json!({ "site": "https://x.zulipchat.com/", "email": "bot@x.zulipchat.com", "api_key": "k", "channel": "ops" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Zulip>(&config(), &Notification::example())
}

/// The form's fields, one on each line.
fn sent(more: &[(&str, Value)], change: impl FnOnce(&mut Notification)) -> String {
    let mut config = config();
    for (key, value) in more {
        config[key] = value.clone();
    }
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(200, &[], SENT);
    host.send::<Zulip>(&config, &notification).unwrap();
    host.request().body.replace('&', "\n")
}

fn address(notification: &mut Notification, address: &str) {
    let address = Address { kind: "zulip".to_owned(), address: address.to_owned() };
    notification.contact.addresses.push(address);
}

fn refused(key: &str, value: Value) -> String {
    let mut config = config();
    config[key] = value;
    FakeHost::new().configure::<Zulip>(&config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Adresse des Zulip-Servers, z. B. https://example.zulipchat.com.","en_US":"Address of the Zulip server, e.g. `https://example.zulipchat.com`."},"label":{"de_DE":"Zulip-URL","en_US":"Zulip URL"},"name":"site","required":true,"type":"string"}
    {"help":{"de_DE":"Mailadresse des Bots. Zulip zeigt sie unter Einstellungen > Bots an.","en_US":"Mail address of the bot, shown in Zulip under Settings > Bots."},"label":{"de_DE":"Adresse des Bots","en_US":"Bot Address"},"name":"email","required":true,"type":"string"}
    {"help":{"de_DE":"API-Schlüssel des Bots. Zulip zeigt ihn neben der Adresse an.","en_US":"API key of the bot, shown beside its address."},"label":{"de_DE":"API-Schlüssel","en_US":"API Key"},"name":"api_key","required":true,"type":"secret"}
    {"help":{"de_DE":"Kanal, in den geschrieben wird, sofern der Kontakt keine eigene Adresse hat (Adresstyp zulip).","en_US":"Channel to write to, unless the contact has an address of its own (address type `zulip`)."},"label":{"de_DE":"Kanal","en_US":"Channel"},"name":"channel","type":"string"}
    {"help":{"de_DE":"Thema im Kanal. Ohne Angabe hat jedes Objekt ein eigenes.","en_US":"Topic within the channel. Without it each object has its own."},"label":{"de_DE":"Thema","en_US":"Topic"},"name":"topic","type":"string"}
    "#);
    assert_snapshot!(describe::<Zulip>(), @"
    Zulip by Sandbell
    addresses: zulip
    wants http POST {site}/api/v1/messages: Writes each notification as the bot of the key.
    ");
}

#[test]
fn a_message_goes_to_the_objects_topic() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], SENT);
    let receipt = host.send::<Zulip>(&config(), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("42"));
    let request = host.request();
    assert_eq!(request.url, "https://x.zulipchat.com/api/v1/messages");
    assert_eq!(request.header("authorization"), Some("Basic <base64:bot@x.zulipchat.com:<secret:api_key>>"));
    assert_eq!(request.timeout_ms, Some(10_000));
    assert_snapshot!(request.body.replace('&', "\n"), @"
    content=%2A%2A%60%5B%231437%5D%20dummy-809%21random%20fortune%20is%20crit%60%2A%2A%0A%60%60%60text%0ASomething%20%3Cwent%3E%20wrong%20%26%20broke%0A%0Ahost%3A%20dummy-809%0Aservice%3A%20random%20fortune%0AWhen%3A%202024-07-12%2012%3A47%3A30%20%2B0200%0A%60%60%60%0A%5BObject%5D%28https%3A%2F%2Ficinga.example.com%2Ficingadb%2Fservice%3Fname%3Drandom%2520fortune%26host.name%3Ddummy-809%29%20%C2%B7%20%5BIncident%5D%28https%3A%2F%2Ficinga.example.com%2Fnotifications%2Fincident%3Fid%3D1437%29
    type=stream
    to=%22ops%22
    topic=dummy-809%21random%20fortune
    ");
}

#[test]
fn the_contacts_address_comes_before_the_forms() {
    let fields = sent(&[("topic", json!("alerts"))], |_| ());
    assert!(fields.ends_with("type=stream\nto=%22ops%22\ntopic=alerts"), "{fields}");
    let fields = sent(&[("topic", json!("alerts"))], |notification| address(notification, "#db>disk"));
    assert!(fields.ends_with("type=stream\nto=%22db%22\ntopic=disk"), "{fields}");
    let fields = sent(&[], |notification| {
        address(notification, "a@x.example");
        address(notification, "b@x.example");
    });
    assert!(fields.ends_with("type=direct\nto=%5B%22a%40x.example%22%2C%22b%40x.example%22%5D"), "{fields}");
    let host = FakeHost::new();
    let mut notification = Notification::example();
    let nowhere = json!({ "site": "https://x.example", "email": "bot@x.example", "api_key": "k" });
    let error = host.send::<Zulip>(&nowhere, &notification).unwrap_err();
    let want = "contact Icinga Admin has no zulip address, and the channel names none";
    assert_eq!(error, SendError::address(want));
    address(&mut notification, "jdoe");
    let error = host.send::<Zulip>(&config(), &notification).unwrap_err();
    assert_snapshot!(error, @"contact Icinga Admin has the address `jdoe`; write `user@example.com`, `#channel` or `#channel>topic`");
    assert_eq!(error.code, code::ADDRESS);
    assert!(host.requests().is_empty());
}

#[test]
fn a_topic_is_cut_and_nothing_is_empty() {
    let fields = sent(&[], |notification| notification.object.name = "a".repeat(9000));
    assert!(fields.ends_with(&format!("topic={}%E2%80%A6", "a".repeat(59))), "{fields}");
    let bare = sent(&[], |notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(bare, @"
    content=%2A%2A%60Notification%60%2A%2A
    type=stream
    to=%22ops%22
    topic=Notification
    ");
}

#[test]
fn what_the_source_says_stands_in_code() {
    let mut notification = Notification::example();
    notification.event.message = "@**all** look at\n#**ops** `x`".to_owned();
    notification.links = vec![sandbell_sdk::Link {
        label: "@**all** [x](y)".to_owned(),
        url: "https://x.example/(a)".to_owned(),
    }];
    assert_snapshot!(content::content(&notification), @"
    **`[#1437] dummy-809!random fortune is crit`**
    ```text
    @**all** look at
    #**ops** `x`

    host: dummy-809
    service: random fortune
    When: 2024-07-12 12:47:30 +0200
    ```
    [Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437) · [all x y](https://x.example/%28a%29)
    ");
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"result":"error","msg":"Channel 'ops' does not exist","code":"STREAM_DOES_NOT_EXIST"}"#,
            Never,
            code::ADDRESS,
            "Zulip answered `Channel 'ops' does not exist`",
        ),
        (
            400,
            r#"{"result":"error","msg":"Invalid email 'a@x'","code":"BAD_REQUEST"}"#,
            Never,
            code::ADDRESS,
            "Zulip answered `Invalid email 'a@x'`",
        ),
        (
            401,
            r#"{"result":"error","msg":"Invalid API key","code":"INVALID_API_KEY"}"#,
            Never,
            code::AUTH,
            "Zulip answered `Invalid API key`",
        ),
        (200, r#"{"result":"error","msg":"no"}"#, Never, code::REJECTED, "Zulip answered `no`"),
        (400, r#"{"result":"error"}"#, Never, code::REJECTED, "Zulip answered `no reason given`"),
        (200, "<html>", Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of Zulip"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    for (headers, body, seconds) in [
        (
            vec![],
            r#"{"result":"error","msg":"API usage exceeded rate limit","code":"RATE_LIMIT_HIT","retry-after":28.7}"#,
            Some(29),
        ),
        (vec![("Retry-After", "7")], r#"{"result":"error","msg":"slow"}"#, Some(7)),
        (vec![("Retry-After", "7")], "<html>", Some(7)),
        (vec![], r#"{"result":"error","msg":"slow","retry-after":"soon"}"#, None),
    ] {
        let error = outcome(429, &headers, body).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.after),
            (code::RATE_LIMITED, seconds.map(Duration::from_secs))
        );
    }
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Zulip>(&config(), &notification).unwrap(), Receipt::new());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused("site", json!("x.zulipchat.com")), @"`site` must start with `https://` or `http://` and name a host");
    assert_snapshot!(refused("email", json!("bot")), @"`email` must be the mail address of a bot");
    assert_snapshot!(refused("api_key", Value::Null), @"`api_key` is required and has no value");
}
