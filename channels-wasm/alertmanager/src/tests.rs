//! What Alertmanager gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config() -> Value {
    json!({ "url": "http://am.example.com:9093/sub/", "username": "u", "password": "p", "labels": "team=db, env = prod" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Alertmanager>(&config(), &Notification::example())
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Alertmanager>(&json!({ "url": "http://am.example.com:9093" }), &notification).unwrap();
    host.request().json()[0].clone()
}

fn refused(key: &str, value: Value) -> String {
    let mut config = config();
    config[key] = value;
    FakeHost::new().configure::<Alertmanager>(&config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Adresse des Alertmanagers, z. B. http://alertmanager.example.com:9093.","en_US":"Address of Alertmanager, e.g. `http://alertmanager.example.com:9093`."},"label":{"de_DE":"Alertmanager-URL","en_US":"Alertmanager URL"},"name":"url","required":true,"type":"string"}
    {"help":{"de_DE":"Zusammen mit einem Passwort.","en_US":"Together with a password."},"label":{"de_DE":"Benutzername","en_US":"User Name"},"name":"username","type":"string"}
    {"label":{"de_DE":"Passwort","en_US":"Password"},"name":"password","type":"secret"}
    {"help":{"de_DE":"Weitere Labels für jeden Alarm, als name=wert, durch Kommas getrennt.","en_US":"More labels for every alert, as `name=value`, separated by commas."},"hints":{"placeholder":"team=db,env=prod"},"label":{"de_DE":"Labels","en_US":"Labels"},"name":"labels","type":"string"}
    "#);
    assert_snapshot!(describe::<Alertmanager>(), @"
    Alertmanager by Sandbell
    addresses: alertmanager
    wants http POST {url}/api/v2/alerts: Posts an alert for each notification.
    ");
}

#[test]
fn an_alert_is_posted() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], "");
    assert_eq!(host.send::<Alertmanager>(&config(), &Notification::example()).unwrap(), Receipt::new());
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r#"
    POST http://am.example.com:9093/sub/api/v2/alerts
    Content-Type: application/json
    Authorization: Basic <base64:u:<secret:password>>

    [{"annotations":{"description":"Something <went> wrong & broke","incident_url":"https://icinga.example.com/notifications/incident?id=1437","object_url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809","severity":"crit","summary":"[#1437] dummy-809!random fortune is crit"},"generatorURL":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809","labels":{"alertname":"dummy-809!random fortune","env":"prod","host":"dummy-809","incident":"1437","service":"random fortune","source":"icinga","team":"db"},"startsAt":"2024-07-12T12:47:30.123+02:00"}]
    "#);
}

#[test]
fn what_is_ok_has_an_end_and_the_same_labels() {
    let begun = sent(|_| ());
    let ended = sent(|notification| {
        notification.incident.as_mut().unwrap().severity = Some(Severity::Ok);
        notification.event.time = "2024-07-12T13:00:00Z".to_owned();
        notification.event.message = "fine".to_owned();
    });
    assert_eq!(begun["labels"], ended["labels"]);
    assert_eq!((begun.get("endsAt"), &ended["endsAt"]), (None, &json!("2024-07-12T13:00:00Z")));
}

#[test]
fn tags_become_labels_that_prometheus_takes() {
    let alert = sent(|notification| {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        notification.object.tags = vec![
            pair("host-group/ä", "é😀"),
            pair("1st", "x"),
            pair("", "y"),
            pair("none", " "),
            pair("alertname", "forged"),
        ];
    });
    assert_snapshot!(alert["labels"], @r#"{"_":"y","_1st":"x","alertname":"dummy-809!random fortune","host_group__":"é😀","incident":"1437","source":"icinga"}"#);
}

#[test]
fn a_bare_notification_is_a_valid_alert() {
    let alert = sent(|notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time = "yesterday".to_owned();
        notification.contact.addresses.clear();
        notification.source.system.clear();
    });
    assert_snapshot!(alert, @r#"{"annotations":{"summary":"Notification"},"labels":{"alertname":"Sandbell"}}"#);
}

#[test]
fn long_texts_are_cut() {
    let text = "é😀\"\n".repeat(9000);
    let alert = sent(|notification| {
        notification.object.name.clone_from(&text);
        notification.event.message.clone_from(&text);
        notification.object.tags = (0..90).map(|n| (format!("{n}{text}"), text.clone())).collect();
    });
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!(length(&alert["annotations"]["description"]), 8000);
    let labels = alert["labels"].as_object().unwrap();
    assert!(labels.len() <= 33 && labels.values().all(|value| length(value) <= 500));
    assert!(labels.keys().all(|name| name.len() <= 500));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body) in [(200, ""), (204, "<html>")] {
        assert_eq!(outcome(status, &[], body).unwrap(), Receipt::new());
    }
    for (status, body, retry, code, message) in [
        (
            400,
            r#""start time must be before end time""#,
            Never,
            code::REJECTED,
            "400 Bad Request: start time must be before end time",
        ),
        (
            422,
            r#"{"code":601,"message":"0.labels in body is required"}"#,
            Never,
            code::REJECTED,
            "422 Unprocessable Entity: 0.labels in body is required",
        ),
        (401, "Unauthorized\n", Never, code::AUTH, "HTTP 401 Unauthorized: Unauthorized"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (500, "", Later, code::UNREACHABLE, "HTTP 500 Internal Server Error"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], "").unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused("url", json!("am.example.com")), @"`url` must start with `https://` or `http://` and name a host");
    assert_snapshot!(refused("password", Value::Null), @"`password` is missing beside the user name");
    assert_snapshot!(refused("username", Value::Null), @"`username` is missing beside the password");
    assert_snapshot!(refused("labels", json!("te-am=db")), @"`labels` has `te-am=db`; write `name=value`, the name of letters, digits and `_`");
    assert_snapshot!(refused("labels", json!("team")), @"`labels` has `team`; write `name=value`, the name of letters, digits and `_`");
}
