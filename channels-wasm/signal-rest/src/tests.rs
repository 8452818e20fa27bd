//! What the API gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config() -> Value {
    json!({ "endpoint": "https://signal.example.com/v2/send", "number": "+491511", "recipients": "+491512, group.abc=" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Signal>(&config(), &Notification::example())
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Signal>(&config(), &notification).unwrap();
    host.request().json()
}

fn refused(key: &str, value: &str) -> String {
    let mut config = config();
    config[key] = value.into();
    FakeHost::new().configure::<Signal>(&config).map(|_| ()).unwrap_err().to_string()
}

fn address(notification: &mut Notification, address: &str) {
    let address = Address { kind: "signal".to_owned(), address: address.to_owned() };
    notification.contact.addresses.push(address);
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"default":"http://localhost:8080/v2/send","help":{"de_DE":"Wo signal-cli-rest-api Nachrichten annimmt.","en_US":"Where signal-cli-rest-api takes messages."},"label":{"de_DE":"API-URL","en_US":"API URL"},"name":"endpoint","type":"string"}
    {"help":{"de_DE":"Die Nummer, die dort registriert ist und sendet, z. B. +4915112345678.","en_US":"The number that is registered there and sends, e.g. `+4915112345678`."},"hints":{"placeholder":"+4915112345678"},"label":{"de_DE":"Absendernummer","en_US":"Sender Number"},"name":"number","required":true,"type":"string"}
    {"help":{"de_DE":"Wer die Nachricht bekommt, sofern der Kontakt keine eigene Adresse hat (Adresstyp signal): Nummern, Benutzernamen oder group.ID, durch Kommas oder Leerzeichen getrennt.","en_US":"Who gets the message, unless the contact has an address of its own (address type `signal`): numbers, user names or `group.ID`, separated by commas or blanks."},"label":{"de_DE":"Empfänger","en_US":"Recipients"},"name":"recipients","type":"string"}
    {"help":{"de_DE":"Wird als Header Authorization gesendet, für einen Proxy vor der API, z. B. Bearer ….","en_US":"Sent as the header `Authorization`, for a proxy in front of the API, e.g. `Bearer …`."},"label":{"de_DE":"Authorization-Header","en_US":"Authorization Header"},"name":"authorization","type":"secret"}
    {"help":{"de_DE":"Ein Go-Template, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Signal>(), @"
    Signal by Sandbell
    addresses: signal
    wants http POST {endpoint}: Hands each notification to signal-cli-rest-api.
    ");
}

#[test]
fn the_request_is_diuns() {
    let mut config = config();
    config["authorization"] = "Bearer x".into();
    let host = FakeHost::new().strict();
    host.reply(201, &[], r#"{"timestamp":"1720781250123"}"#);
    let receipt = host.send::<Signal>(&config, &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("1720781250123"));
    assert_eq!(host.request().timeout_ms, Some(20_000));
    assert_snapshot!(host.request(), @r#"
    POST https://signal.example.com/v2/send
    Content-Type: application/json
    Authorization: <secret:authorization>

    {"message":"[#1437] dummy-809!random fortune is crit\n\nSomething <went> wrong & broke\n\nhost: dummy-809\nservice: random fortune\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\nIncident: https://icinga.example.com/notifications/incident?id=1437","number":"+491511","recipients":["+491512","group.abc="],"text_mode":"normal"}
    "#);
}

#[test]
fn the_contacts_addresses_come_before_the_forms() {
    let message = sent(|notification| {
        address(notification, "+1555");
        address(notification, "jdoe.42");
    });
    assert_eq!(message["recipients"], json!(["+1555", "jdoe.42"]));
    let host = FakeHost::new();
    let mut notification = Notification::example();
    let bare = json!({ "endpoint": "https://signal.example.com/v2/send", "number": "+491511" });
    let error = host.send::<Signal>(&bare, &notification).unwrap_err();
    let want = "contact Icinga Admin has no signal address, and the channel names none";
    assert_eq!(error, SendError::address(want));
    address(&mut notification, "0151123");
    let error = host.send::<Signal>(&config(), &notification).unwrap_err();
    let want = "contact Icinga Admin has `0151123`; write `+`, the country and the number";
    assert_eq!(error, SendError::address(want));
    assert!(host.requests().is_empty());
}

#[test]
fn texts_are_cut_and_never_empty() {
    let message = sent(|notification| {
        notification.object.name = "é😀".repeat(3000);
        notification.event.message = "*é😀\n".repeat(3000);
    });
    let text = message["message"].as_str().unwrap();
    assert!((1900..=2000).contains(&text.len()) && text.contains('…'));
    let bare = sent(|notification| {
        notification.incident = None;
        notification.object.name = " ".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_eq!(bare["message"], "Notification");
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body) in [(201, "{}"), (200, ""), (204, "<html>")] {
        assert_eq!(outcome(status, &[], body).unwrap(), Receipt::new());
    }
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"error":"Failed to send message: Unregistered user \"+491512\"\n"}"#,
            Never,
            code::ADDRESS,
            r#"400 Bad Request: Failed to send message: Unregistered user "+491512""#,
        ),
        (400, r#"{"error":"no"}"#, Never, code::REJECTED, "400 Bad Request: no"),
        (401, "", Never, code::AUTH, "HTTP 401 Unauthorized"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (500, "", Later, code::UNREACHABLE, "HTTP 500 Internal Server Error"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], r#"{"error":"rate limit"}"#).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused("number", "0151123"), @"`number` must be a number like `+4915112345678`");
    assert_snapshot!(refused("number", ""), @"`number` is required and has no value");
    assert_snapshot!(refused("recipients", "0151123"), @"`recipients` has `0151123`; write `+`, the country and the number");
    assert_snapshot!(refused("recipients", &"+491511,".repeat(51)), @"`recipients` has more than 50 recipients");
    assert_snapshot!(refused("recipients", &"x".repeat(129)), @"`recipients` has a recipient of more than 128 characters");
    assert_snapshot!(refused("endpoint", "localhost:8080"), @"`endpoint` must start with `https://` or `http://` and name a host");
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = json!({ "endpoint": "https://signal.example.com/v2/send", "number": "+4915112345678", "recipients": "+4915187654321" });
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    let host = FakeHost::new();
    host.send::<Signal>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    assert_eq!(host.request().json()["message"], "**LATEST** & myserver");
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Signal>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Signal>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
