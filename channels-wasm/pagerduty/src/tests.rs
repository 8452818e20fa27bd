//! What `PagerDuty` gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const QUEUED: &str = r#"{"status":"success","message":"Event processed","dedup_key":"icinga-incident-1437"}"#;

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<PagerDuty>(&json!({ "routing_key": "R0" }), &Notification::example())
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(202, &[], QUEUED);
    host.send::<PagerDuty>(&json!({ "routing_key": "R0" }), &notification).unwrap();
    host.request().json()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Schlüssel einer Integration vom Typ „Events API v2“.","en_US":"Of an integration of the type \"Events API v2\"."},"label":{"de_DE":"Integrationsschlüssel","en_US":"Integration Key"},"name":"routing_key","required":true,"type":"secret"}
    {"default":"events","help":{"de_DE":"Wo sich das Konto befindet.","en_US":"Where the account is."},"label":{"de_DE":"Region","en_US":"Service Region"},"name":"region","options":{"events":"US","events.eu":"EU"},"type":"option"}
    "#);
    assert_snapshot!(describe::<PagerDuty>(), @"
    PagerDuty by Sandbell
    addresses: pagerduty
    wants http POST https://{region}.pagerduty.com/v2/enqueue: Triggers, acknowledges and resolves alerts of the integration.
    ");
}

#[test]
fn an_event_triggers_an_alert() {
    let host = FakeHost::new().strict();
    host.reply(202, &[], QUEUED);
    let mut notification = Notification::example();
    notification.event.kind = "state".to_owned();
    let receipt = host.send::<PagerDuty>(&json!({ "routing_key": "R0" }), &notification).unwrap();
    assert_eq!(receipt, Receipt::new().id("icinga-incident-1437"));
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r#"
    POST https://events.pagerduty.com/v2/enqueue
    Content-Type: application/json

    {"routing_key":"<secret:routing_key>","event_action":"trigger","dedup_key":"icinga-incident-1437","client":"Sandbell","links":[{"href":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809","text":"Object"},{"href":"https://icinga.example.com/notifications/incident?id=1437","text":"Incident"}],"payload":{"class":"state","custom_details":{"Message":"Something <went> wrong & broke","When":"2024-07-12 12:47:30 +0200","host":"dummy-809","service":"random fortune"},"severity":"critical","source":"dummy-809!random fortune","summary":"[#1437] state dummy-809!random fortune is crit","timestamp":"2024-07-12T12:47:30.123+02:00"}}
    "#);
}

#[test]
fn the_region_is_the_grant() {
    let host = FakeHost::new();
    host.reply(202, &[], QUEUED);
    let config = json!({ "routing_key": "R0", "region": "events.eu" });
    host.send::<PagerDuty>(&config, &Notification::example()).unwrap();
    assert_eq!(host.request().url, "https://events.eu.pagerduty.com/v2/enqueue");
    let config = json!({ "routing_key": "R0", "region": "evil.example/" });
    let error = FakeHost::new().configure::<PagerDuty>(&config).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`region` must be one of `events`, `events.eu`");
}

#[test]
fn an_alert_is_acknowledged_and_resolved_under_its_key() {
    let acknowledged = sent(|notification| notification.event.kind = "acknowledgement-set".to_owned());
    let resolved = sent(|notification| {
        notification.incident.as_mut().unwrap().severity = Some(Severity::Ok);
    });
    assert_eq!(acknowledged["event_action"], "acknowledge");
    assert_eq!(resolved["event_action"], "resolve");
    for event in [&acknowledged, &resolved] {
        assert_eq!(event["dedup_key"], "icinga-incident-1437");
    }
}

#[test]
fn a_bare_notification_is_a_valid_event() {
    let event = sent(|notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time = "yesterday".to_owned();
        notification.contact.addresses.clear();
        notification.source.system.clear();
    });
    assert_snapshot!(event, @r#"{"client":"Sandbell","dedup_key":"dlv_01JX","event_action":"trigger","links":[],"payload":{"custom_details":{"When":"yesterday"},"severity":"info","source":"Sandbell","summary":"Notification"},"routing_key":"<secret:routing_key>"}"#);
}

#[test]
fn long_texts_are_cut() {
    let text = "é😀\"\n".repeat(9000);
    let event = sent(|notification| {
        notification.object.name.clone_from(&text);
        notification.event.message.clone_from(&text);
        notification.object.tags = (0..90).map(|n| (format!("{n}{text}"), text.clone())).collect();
    });
    let payload = &event["payload"];
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!((length(&payload["summary"]), length(&payload["source"])), (1024, 250));
    assert_eq!(length(&payload["custom_details"]["Message"]), 8000);
    assert!(payload["custom_details"].as_object().unwrap().len() <= 51);
    assert!(event.to_string().len() < 512 * 1024);
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":["'payload.summary' is missing or blank"]}"#,
            Never,
            code::REJECTED,
            "400 Bad Request: Event object is invalid; 'payload.summary' is missing or blank",
        ),
        (
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#,
            Never,
            code::AUTH,
            "400 Bad Request: Event object is invalid; Length of 'routing_key' is incorrect (should be 32 characters)",
        ),
        (403, "", Never, code::AUTH, "HTTP 403 Forbidden"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (202, "<html>", Never, code::PROTOCOL, "HTTP 202 Accepted: <html>: no answer of PagerDuty"),
        (500, "", Later, code::UNREACHABLE, "HTTP 500 Internal Server Error"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let busy = r#"{"status":"throttle exceeded","message":"Requests for this service have been throttled"}"#;
    let error = outcome(429, &[("Retry-After", "30")], busy).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
    assert_eq!(error.message, "429 Too Many Requests: Requests for this service have been throttled");
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    let receipt = FakeHost::new().send::<PagerDuty>(&json!({ "routing_key": "R0" }), &notification);
    assert_eq!(receipt.unwrap(), Receipt::new());
}
