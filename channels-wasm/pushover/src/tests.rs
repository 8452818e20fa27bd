//! What Pushover gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const SENT: &str = r#"{"status":1,"request":"647d2300-702c"}"#;

fn config() -> Value {
    json!({ "token": "azGD", "recipient": "uQiR" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Pushover>(&config(), &Notification::example())
}

/// The form's fields, one on each line, percent-decoded as far as the test needs it.
fn sent(more: &[(&str, Value)], change: impl FnOnce(&mut Notification)) -> String {
    let mut config = config();
    for (key, value) in more {
        config[key] = value.clone();
    }
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(200, &[], SENT);
    host.send::<Pushover>(&config, &notification).unwrap();
    host.request().body.replace('&', "\n")
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Pushover>(config).map(|_| ()).unwrap_err().to_string()
}

fn address(notification: &mut Notification, address: &str) {
    let address = Address { kind: "pushover".to_owned(), address: address.to_owned() };
    notification.contact.addresses.push(address);
}

/// Characters of a field's value before it was percent-encoded.
fn length(fields: &str, name: &str) -> usize {
    let start = format!("{name}=");
    let value = fields.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
    // A continuation byte of UTF-8 is no character of its own.
    let is_continued = |hex: &&str| matches!(hex.as_bytes()[0], b'8' | b'9' | b'A' | b'B');
    let encoded: Vec<_> = value.match_indices('%').map(|(at, _)| &value[at + 1..at + 3]).collect();
    value.len() - 2 * encoded.len() - encoded.iter().filter(|hex| is_continued(hex)).count()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Token der Anwendung, von pushover.net.","en_US":"Of the application, from pushover.net."},"label":{"de_DE":"API-Token","en_US":"API Token"},"name":"token","required":true,"type":"secret"}
    {"help":{"de_DE":"Schlüssel des Benutzers oder der Gruppe, für Kontakte ohne eigenen (Adresstyp pushover).","en_US":"Key of the user or group, for contacts without one of their own (address type `pushover`)."},"label":{"de_DE":"Empfänger","en_US":"Recipient"},"name":"recipient","type":"secret"}
    {"help":{"de_DE":"Von -2 (nichts wird gezeigt) bis 2 (klingelt, bis jemand bestätigt). Ohne Angabe entscheidet der Schweregrad, bis 1.","en_US":"From -2 (nothing is shown) to 2 (rings until somebody confirms). Without it the severity decides, up to 1."},"label":{"de_DE":"Priorität","en_US":"Priority"},"max":2,"min":-2,"name":"priority","type":"number"}
    {"help":{"de_DE":"Name eines Tons, z. B. siren. Ohne Angabe der des Benutzers.","en_US":"Name of a sound, e.g. `siren`. Without it the user's own."},"label":{"de_DE":"Ton","en_US":"Sound"},"name":"sound","type":"string"}
    {"default":"60","help":{"de_DE":"Bei Priorität 2: nach wie vielen Sekunden es erneut klingelt.","en_US":"With priority 2: after how many seconds it rings again."},"label":{"de_DE":"Erneut klingeln nach","en_US":"Ring Again After"},"max":10800,"min":30,"name":"retry","type":"number"}
    {"default":"3600","help":{"de_DE":"Bei Priorität 2: nach wie vielen Sekunden es nicht mehr klingelt.","en_US":"With priority 2: after how many seconds it stops ringing."},"label":{"de_DE":"Aufgeben nach","en_US":"Give Up After"},"max":10800,"min":30,"name":"expire","type":"number"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle des Titels.","en_US":"A Go template with Diun's helpers, in the place of the title."},"label":{"de_DE":"Titel-Template","en_US":"Title Template"},"name":"template_title","type":"string"}
    {"help":{"de_DE":"Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template in Markdown, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Pushover>(), @"
    Pushover by Sandbell
    addresses: pushover
    wants http POST https://api.pushover.net/1/messages.json: Pushes each notification through Pushover.
    ");
}

#[test]
fn a_message_is_a_form() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], SENT);
    let receipt = host.send::<Pushover>(&config(), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("647d2300-702c"));
    let request = host.request();
    assert_eq!((request.url.as_str(), request.timeout_ms), (URL, Some(10_000)));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_snapshot!(request.body.replace('&', "\n"), @"
    token=<secret:token>
    user=<secret:recipient>
    title=%5B%231437%5D%20dummy-809%21random%20fortune%20is%20crit
    message=Something%20%26lt%3Bwent%26gt%3B%20wrong%20%26amp%3B%20broke%0A%0A%3Cb%3Ehost%3A%3C%2Fb%3E%20dummy-809%0A%3Cb%3Eservice%3A%3C%2Fb%3E%20random%20fortune%0A%3Cb%3EWhen%3A%3C%2Fb%3E%202024-07-12%2012%3A47%3A30%20%2B0200%0A%0A%3Ca%20href%3D%22https%3A%2F%2Ficinga.example.com%2Ficingadb%2Fservice%3Fname%3Drandom%2520fortune%26amp%3Bhost.name%3Ddummy-809%22%3EObject%3C%2Fa%3E%20%C2%B7%20%3Ca%20href%3D%22https%3A%2F%2Ficinga.example.com%2Fnotifications%2Fincident%3Fid%3D1437%22%3EIncident%3C%2Fa%3E
    html=1
    priority=1
    url=https%3A%2F%2Ficinga.example.com%2Ficingadb%2Fservice%3Fname%3Drandom%2520fortune%26host.name%3Ddummy-809
    url_title=Object
    timestamp=1720781250
    ");
}

#[test]
fn an_emergency_says_how_long_it_rings() {
    let fields = sent(&[("priority", json!(2)), ("retry", json!(30)), ("sound", json!("siren"))], |_| ());
    for field in ["priority=2", "retry=30", "expire=3600", "sound=siren"] {
        assert!(fields.lines().any(|line| line == field), "{field}");
    }
    let severity = |severity: Severity| {
        sent(&[], |notification| {
            notification.incident = None;
            notification.event.severity = Some(severity);
        })
    };
    for (level, want) in [
        (Severity::Debug, "priority=-2"),
        (Severity::Info, "priority=-1"),
        (Severity::Ok, "priority=0"),
        (Severity::Emerg, "priority=1"),
    ] {
        let fields = severity(level);
        assert!(fields.lines().any(|line| line == want) && !fields.contains("retry="), "{want}");
    }
}

#[test]
fn the_contacts_keys_come_before_the_forms() {
    let fields = sent(&[], |notification| {
        address(notification, "u1");
        address(notification, " g2 ");
    });
    assert!(fields.contains("user=u1%2Cg2\n"));
    let host = FakeHost::new();
    let mut notification = Notification::example();
    let error = host.send::<Pushover>(&json!({ "token": "x" }), &notification).unwrap_err();
    let want = "contact Icinga Admin has no pushover key, and the channel names none";
    assert_eq!(error, SendError::address(want));
    address(&mut notification, "u1,u2");
    let error = host.send::<Pushover>(&config(), &notification).unwrap_err();
    assert_eq!(error, SendError::address("the address `u1,u2` is no key of a Pushover user or group"));
    notification.contact.addresses.clear();
    (0..51).for_each(|_| address(&mut notification, "u1"));
    let error = host.send::<Pushover>(&config(), &notification).unwrap_err();
    assert_eq!(error, SendError::address("contact Icinga Admin has more than 50 pushover keys"));
    assert!(host.requests().is_empty());
}

#[test]
fn pushovers_limits_are_kept() {
    for text in ["<é😀>\n".repeat(3000), "a".repeat(9000)] {
        let fields = sent(&[], |notification| {
            notification.object.name.clone_from(&text);
            notification.event.message.clone_from(&text);
            notification.object.url = format!("https://x.example/{}", "y".repeat(600));
        });
        assert_eq!(length(&fields, "title"), 250);
        assert!((900..=1024).contains(&length(&fields, "message")), "{}", length(&fields, "message"));
        assert!(fields.contains("url=https%3A%2F%2Ficinga.example.com%2Fnotifications"));
    }
    let bare = sent(&[], |notification| {
        notification.incident = None;
        notification.object.name = "<db>".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(bare, @"
    token=<secret:token>
    user=<secret:recipient>
    title=%3Cdb%3E
    message=%26lt%3Bdb%26gt%3B
    html=1
    priority=0
    ");
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"token":"invalid","errors":["application token is invalid"],"status":0,"request":"x"}"#,
            Never,
            code::AUTH,
            "Pushover API call failed with status 0: application token is invalid",
        ),
        (
            400,
            r#"{"user":"invalid","errors":["user identifier is not a valid user","or group"],"status":0}"#,
            Never,
            code::ADDRESS,
            "Pushover API call failed with status 0: user identifier is not a valid user, or group",
        ),
        (
            400,
            r#"{"errors":["message cannot be blank"],"status":0}"#,
            Never,
            code::REJECTED,
            "Pushover API call failed with status 0: message cannot be blank",
        ),
        (200, r#"{"status":0}"#, Never, code::REJECTED, "Pushover API call failed with status 0"),
        (200, "<html>", Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of Pushover"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (
            500,
            r#"{"status":0,"errors":["internal server error"]}"#,
            Later,
            code::UNREACHABLE,
            "Pushover API call failed with status 0: internal server error",
        ),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let quota = r#"{"status":0,"errors":["application is over its message quota"]}"#;
    let error = outcome(429, &[("Retry-After", "30")], quota).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
}

#[test]
fn a_dry_run_judges_no_answer() {
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Pushover>(&config(), &notification).unwrap(), Receipt::new());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({})), @"`token` is required and has no value");
    assert_snapshot!(refused(&json!({ "token": "x", "priority": 3 })), @"`priority` must be between -2 and 2");
    assert_snapshot!(refused(&json!({ "token": "x", "retry": 10 })), @"`retry` must be between 30 and 10800");
    assert_snapshot!(refused(&json!({ "token": "x", "sound": "a b" })), @"`sound` must be the name of a sound, e.g. `siren`");
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = config();
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    config["template_title"] = json!("{{ .Entry.Status }}");
    let host = FakeHost::new();
    host.reply(200, &[], SENT);
    host.send::<Pushover>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    let body = host.request().body;
    assert!(body.contains("title=new&message=%3Cb%3ELATEST%3C%2Fb%3E%20%26amp%3B%20myserver&"), "{body}");
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Pushover>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Pushover>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
