//! What Elasticsearch gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const MADE: &str = r#"{"_index":"alerts","_id":"W0tpsmIBdwcYyG50zbta","_version":1,"result":"created"}"#;

fn config() -> Value {
    json!({ "address": "https://es.example.com:9200/", "username": "u", "password": "p", "index": "alerts", "client": "icinga" })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Elasticsearch>(&config(), &Notification::example())
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(201, &[], MADE);
    host.send::<Elasticsearch>(&config(), &notification).unwrap();
    host.request().json()
}

fn refused(key: &str, value: Value) -> String {
    let mut config = config();
    config[key] = value;
    FakeHost::new().configure::<Elasticsearch>(&config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"default":"http://localhost:9200","help":{"de_DE":"Adresse eines Knotens.","en_US":"Address of a node."},"label":{"de_DE":"Elasticsearch-URL","en_US":"Elasticsearch URL"},"name":"address","type":"string"}
    {"help":{"de_DE":"Zusammen mit einem Passwort.","en_US":"Together with a password."},"label":{"de_DE":"Benutzername","en_US":"User Name"},"name":"username","type":"string"}
    {"label":{"de_DE":"Passwort","en_US":"Password"},"name":"password","type":"secret"}
    {"default":"diun","help":{"de_DE":"Steht in jedem Dokument, um mehrere Absender zu unterscheiden.","en_US":"Stored in every document, to tell several senders apart."},"label":{"de_DE":"Client","en_US":"Client"},"name":"client","type":"string"}
    {"default":"diun-notifications","help":{"de_DE":"Index oder Data Stream, dem die Dokumente hinzugefügt werden.","en_US":"Index or data stream that the documents are added to."},"label":{"de_DE":"Index","en_US":"Index"},"name":"index","type":"string"}
    "#);
    assert_snapshot!(describe::<Elasticsearch>(), @"
    Elasticsearch by Sandbell
    addresses: elasticsearch
    wants http POST {address}/{index}/_doc: Adds a document for each notification to the index.
    ");
}

#[test]
fn a_document_is_added() {
    let host = FakeHost::new().strict();
    host.reply(201, &[], MADE);
    let receipt = host.send::<Elasticsearch>(&config(), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("W0tpsmIBdwcYyG50zbta"));
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r#"
    POST https://es.example.com:9200/alerts/_doc
    Content-Type: application/json
    Authorization: Basic <base64:u:<secret:password>>

    {"@timestamp":"2024-07-12T12:47:30.123+02:00","client":"icinga","contact":"Icinga Admin","delivery_id":"dlv_01JX","event":{"kind":"","username":""},"extra":[],"incident":{"id":1437,"severity":"crit","url":"https://icinga.example.com/notifications/incident?id=1437"},"links":[],"message":"Something <went> wrong & broke","object":{"name":"dummy-809!random fortune","tags":[{"key":"host","value":"dummy-809"},{"key":"service","value":"random fortune"}],"url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},"severity":"crit","source":"icinga","title":"[#1437] dummy-809!random fortune is crit"}
    "#);
}

#[test]
fn what_diun_sent_is_stored_as_it_was() {
    let message = sent(|notification| {
        notification.source.system = "diun".to_owned();
        notification.source.payload =
            r#"{"diun_version":"4.33.0","status":"new","image":"docker.io/library/alpine:latest","created":null,"metadata":null}"#.to_owned();
    });
    assert_snapshot!(message, @r#"{"@timestamp":"2024-07-12T12:47:30.123+02:00","client":"icinga","created":null,"diun_version":"4.33.0","image":"docker.io/library/alpine:latest","metadata":null,"status":"new"}"#);
    for payload in ["", "[]", "{}", "<html>"] {
        let message = sent(|notification| {
            notification.source.system = "diun".to_owned();
            notification.source.payload = payload.to_owned();
        });
        assert_eq!(message["title"], "[#1437] dummy-809!random fortune is crit", "{payload}");
    }
}

#[test]
fn a_bare_notification_has_no_time_that_is_none() {
    let message = sent(|notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url.clear();
        notification.object.tags = vec![("a.b".to_owned(), "é😀\u{1}".to_owned())];
        notification.event.message.clear();
        notification.event.time = "yesterday".to_owned();
        notification.contact.addresses.clear();
    });
    assert_snapshot!(message, @r#"{"client":"icinga","contact":"Icinga Admin","delivery_id":"dlv_01JX","event":{"kind":"","username":""},"extra":[],"incident":null,"links":[],"message":"","object":{"name":"","tags":[{"key":"a.b","value":"é😀\u0001"}],"url":""},"severity":null,"source":"icinga","title":"Notification"}"#);
}

#[test]
fn defaults_are_diuns() {
    let host = FakeHost::new();
    host.reply(201, &[], MADE);
    host.send::<Elasticsearch>(&json!({}), &Notification::example()).unwrap();
    let request = host.request();
    assert_eq!(request.url, "http://localhost:9200/diun-notifications/_doc");
    assert_eq!((request.header("authorization"), &request.json()["client"]), (None, &json!("diun")));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"error":{"root_cause":[],"type":"mapper_parsing_exception","reason":"failed to parse"},"status":400}"#,
            Never,
            code::REJECTED,
            "400 mapper_parsing_exception: failed to parse",
        ),
        (
            401,
            r#"{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}"#,
            Never,
            code::AUTH,
            "401 security_exception: unable to authenticate",
        ),
        (
            404,
            r#"{"error":"no handler"}"#,
            Never,
            code::REJECTED,
            r#"HTTP 404 Not Found: {"error":"no handler"}"#,
        ),
        (200, "<html>", Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of Elasticsearch"),
        (503, "", Later, code::UNREACHABLE, "HTTP 503 Service Unavailable"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let busy = r#"{"error":{"type":"es_rejected_execution_exception","reason":"full"},"status":429}"#;
    let error = outcome(429, &[("Retry-After", "30")], busy).unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Elasticsearch>(&config(), &notification).unwrap(), Receipt::new());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused("address", json!("localhost:9200")), @"`address` must start with `https://` or `http://` and name a host");
    assert_snapshot!(refused("username", Value::Null), @"`username` is missing beside the password");
    assert_snapshot!(refused("password", Value::Null), @"`password` is missing beside the user name");
    assert_snapshot!(refused("username", json!("a:b")), @"`username` must have no `:`");
    for index in ["Alerts", "a/b", "_all", ".security", "-a", "a*", "é", &"x".repeat(256)] {
        let want =
            "`index` must be the name of an index: small letters, digits, `-`, `_` and `.`, not at the start";
        assert_eq!(refused("index", json!(index)), want);
    }
}
