//! What Opsgenie gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::testing::{FakeHost, SentRequest, describe, form};

use super::*;

const QUEUED: &str = r#"{"result":"Request will be processed","took":0.302,"requestId":"43a29c5c"}"#;

fn config() -> Value {
    json!({ "api_key": "k", "responders": "Operations, jdoe@example.com", "tags": "icinga" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Opsgenie>(&config(), &Notification::example())
}

fn request(change: impl FnOnce(&mut Notification)) -> SentRequest {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(202, &[], QUEUED);
    host.send::<Opsgenie>(&config(), &notification).unwrap();
    host.request()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Schlüssel einer API-Integration.","en_US":"Of an API integration."},"label":{"de_DE":"API-Schlüssel","en_US":"API Key"},"name":"api_key","required":true,"type":"secret"}
    {"default":"api","help":{"de_DE":"Wo sich das Konto befindet.","en_US":"Where the account is."},"label":{"de_DE":"Region","en_US":"Region"},"name":"region","options":{"api":"US","api.eu":"EU"},"type":"option"}
    {"help":{"de_DE":"Wer zuständig ist, durch Kommas getrennt: Namen von Teams oder Adressen von Benutzern, sofern der Kontakt keine eigenen hat (Adresstyp opsgenie). Ohne beides entscheidet die Integration.","en_US":"Who is responsible, separated by commas: names of teams or addresses of users, unless the contact has some of its own (address type `opsgenie`). Without both the integration decides."},"hints":{"placeholder":"Operations, jdoe@example.com"},"label":{"de_DE":"Verantwortliche","en_US":"Responders"},"name":"responders","type":"string"}
    {"help":{"de_DE":"Durch Kommas getrennt.","en_US":"Separated by commas."},"label":{"de_DE":"Tags","en_US":"Tags"},"name":"tags","type":"string"}
    "#);
    assert_snapshot!(describe::<Opsgenie>(), @"
    Opsgenie by Sandbell
    addresses: opsgenie
    wants http POST https://{region}.opsgenie.com/v2/alerts: Creates alerts.
    wants http POST https://{region}.opsgenie.com/v2/alerts/*: Acknowledges and closes the alerts that it created.
    ");
}

#[test]
fn an_alert_is_created() {
    let host = FakeHost::new().strict();
    host.reply(202, &[], QUEUED);
    let receipt = host.send::<Opsgenie>(&config(), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("43a29c5c"));
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r#"
    POST https://api.opsgenie.com/v2/alerts
    Content-Type: application/json
    Authorization: GenieKey <secret:api_key>

    {"alias":"icinga-incident-1437","description":"Something <went> wrong & broke\n\nhost: dummy-809\nservice: random fortune\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\nIncident: https://icinga.example.com/notifications/incident?id=1437","details":{"When":"2024-07-12 12:47:30 +0200","host":"dummy-809","service":"random fortune"},"entity":"dummy-809!random fortune","message":"[#1437] dummy-809!random fortune is crit","priority":"P2","responders":[{"name":"Operations","type":"team"},{"type":"user","username":"jdoe@example.com"}],"source":"icinga","tags":["icinga"]}
    "#);
}

#[test]
fn an_alert_is_acknowledged_and_closed_under_its_alias() {
    let acknowledged = request(|notification| {
        notification.event.kind = "acknowledgement-set".to_owned();
        notification.event.message = "on it".to_owned();
    });
    assert_eq!(
        acknowledged.url,
        "https://api.opsgenie.com/v2/alerts/icinga-incident-1437/acknowledge?identifierType=alias"
    );
    assert!(acknowledged.json()["note"].as_str().unwrap().starts_with("on it\n"));
    let closed = request(|notification| {
        notification.incident.as_mut().unwrap().severity = Some(Severity::Ok);
    });
    assert_eq!(
        closed.url,
        "https://api.opsgenie.com/v2/alerts/icinga-incident-1437/close?identifierType=alias"
    );
}

#[test]
fn the_region_is_the_grant() {
    let host = FakeHost::new();
    host.reply(202, &[], QUEUED);
    let config = json!({ "api_key": "k", "region": "api.eu" });
    host.send::<Opsgenie>(&config, &Notification::example()).unwrap();
    assert_eq!(host.request().url, "https://api.eu.opsgenie.com/v2/alerts");
    let many = json!({ "api_key": "k", "tags": "a,".repeat(21) });
    let error = host.configure::<Opsgenie>(&many).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`tags` must be at most 20");
}

#[test]
fn the_contacts_responders_come_before_the_forms() {
    let alert = request(|notification| {
        let address = Address { kind: "opsgenie".to_owned(), address: "Night Shift".to_owned() };
        notification.contact.addresses.push(address);
    });
    assert_eq!(alert.json()["responders"], json!([{ "type": "team", "name": "Night Shift" }]));
}

#[test]
fn opsgenies_limits_are_kept() {
    let text = "é😀\"\n".repeat(9000);
    let alert = request(|notification| {
        notification.object.name.clone_from(&text);
        notification.event.message.clone_from(&text);
        notification.object.tags = (0..90).map(|n| (format!("{n}{text}"), text.clone())).collect();
    })
    .json();
    let length = |value: &Value| value.as_str().unwrap().encode_utf16().count();
    assert!((129..=130).contains(&length(&alert["message"])));
    assert!(length(&alert["description"]) <= 15_000 && length(&alert["entity"]) <= 512);
    let details = alert["details"].as_object().unwrap();
    let total: usize = details.iter().map(|(key, value)| length(&json!(key)) + length(value)).sum();
    assert!((7000..=8000).contains(&total), "{total}");
    let bare = request(|notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(bare.json(), @r#"{"alias":"dlv_01JX","description":"","details":{},"message":"Notification","priority":"P3","responders":[{"name":"Operations","type":"team"},{"type":"user","username":"jdoe@example.com"}],"source":"icinga","tags":["icinga"]}"#);
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            422,
            r#"{"message":"Request body is not processable.","errors":{"message":"must not be blank"},"took":0.0}"#,
            Never,
            code::REJECTED,
            r#"422 Unprocessable Entity: Request body is not processable. {"message":"must not be blank"}"#,
        ),
        (
            403,
            r#"{"message":"Key format is not valid!","took":0.0}"#,
            Never,
            code::AUTH,
            "403 Forbidden: Key format is not valid!",
        ),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (202, "<html>", Never, code::PROTOCOL, "HTTP 202 Accepted: <html>: no answer of Opsgenie"),
        (503, "", Later, code::UNREACHABLE, "HTTP 503 Service Unavailable"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let busy = r#"{"message":"You are making too many requests!"}"#;
    let error = outcome(429, &[("Retry-After", "30")], busy).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Opsgenie>(&config(), &notification).unwrap(), Receipt::new());
}
