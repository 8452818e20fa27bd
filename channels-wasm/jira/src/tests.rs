//! What Jira gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Link;
use sandbell_sdk::testing::{FakeHost, SentRequest, describe, form};

use super::*;

const MADE: &str =
    r#"{"id":"10000","key":"OPS-24","self":"https://example.atlassian.net/rest/api/3/issue/10000"}"#;

fn config(more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "url": "https://example.atlassian.net/", "email": "jdoe@example.com", "api_token": "s3cret", "key": "OPS",
    });
    for (key, value) in more {
        config[key] = json!(value);
    }
    config
}

fn request(more: &[(&str, &str)], change: impl FnOnce(&mut Notification)) -> SentRequest {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.reply(201, &[], MADE);
    host.send::<Jira>(&config(more), &notification).unwrap();
    host.request()
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Jira>(config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""url" "email" "api_token" "key" "issuetype" "labels""#);
    assert_snapshot!(describe::<Jira>(), @"
    Jira by Sandbell
    addresses: jira
    wants http POST {url}/rest/api/3/issue: Opens an issue for each notification.
    ");
}

#[test]
fn the_issue_is_cloudforets() {
    let host = FakeHost::new().strict();
    host.reply(201, &[], MADE);
    let mut notification = Notification::example();
    notification.incident = None;
    notification.event.message = "first *line*\nsecond\n\nthird".to_owned();
    notification.links =
        vec![Link { label: "Acknowledge".to_owned(), url: "https://monitoring.example.com/ack".to_owned() }];
    let receipt = host.send::<Jira>(&config(&[]), &notification).unwrap();
    assert_eq!(
        receipt,
        Receipt::new().id("OPS-24").link("OPS-24", "https://example.atlassian.net/browse/OPS-24")
    );
    let request = host.request();
    assert_eq!(request.header("authorization"), Some("Basic <base64:jdoe@example.com:<secret:api_token>>"));
    let fields = &request.json()["fields"];
    assert_snapshot!(format!("{}\n{}\n{}", fields["project"], fields["issuetype"], fields["summary"]), @r#"
    {"key":"OPS"}
    {"name":"Task"}
    "dummy-809!random fortune"
    "#);
    let blocks: Vec<_> =
        fields["description"]["content"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(blocks.join("\n"), @r#"
    {"content":[{"text":"first *line*","type":"text"},{"type":"hardBreak"},{"text":"second","type":"text"}],"type":"paragraph"}
    {"content":[{"text":"third","type":"text"}],"type":"paragraph"}
    {"content":[{"content":[{"attrs":{},"content":[{"content":[{"text":"host","type":"text"}],"type":"paragraph"}],"type":"tableHeader"},{"attrs":{},"content":[{"content":[{"text":"dummy-809","type":"text"}],"type":"paragraph"}],"type":"tableCell"}],"type":"tableRow"},{"content":[{"attrs":{},"content":[{"content":[{"text":"service","type":"text"}],"type":"paragraph"}],"type":"tableHeader"},{"attrs":{},"content":[{"content":[{"text":"random fortune","type":"text"}],"type":"paragraph"}],"type":"tableCell"}],"type":"tableRow"},{"content":[{"attrs":{},"content":[{"content":[{"text":"When","type":"text"}],"type":"paragraph"}],"type":"tableHeader"},{"attrs":{},"content":[{"content":[{"text":"2024-07-12 12:47:30 +0200","type":"text"}],"type":"paragraph"}],"type":"tableCell"}],"type":"tableRow"}],"type":"table"}
    {"content":[{"marks":[{"attrs":{"href":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},"type":"link"}],"text":"Object","type":"text"}],"type":"paragraph"}
    {"attrs":{"panelType":"warning"},"content":[{"content":[{"marks":[{"attrs":{"href":"https://monitoring.example.com/ack"},"type":"link"}],"text":"Acknowledge","type":"text"}],"type":"paragraph"}],"type":"panel"}
    "#);
}

#[test]
fn an_incident_is_a_label() {
    assert_eq!(request(&[], |_| ()).json()["fields"]["labels"], json!(["icinga-incident-1437"]));
    let request = request(&[("labels", "alert, prod"), ("issuetype", " Bug ")], |notification| {
        notification.incident = None;
    });
    assert_eq!(request.json()["fields"]["labels"], json!(["alert", "prod"]));
    assert_eq!(request.json()["fields"]["issuetype"]["name"], "Bug");
}

#[test]
fn jiras_limits_are_kept() {
    for text in ["<é😀>\n\n".repeat(9000), "a\n".repeat(20_000), "a".repeat(90_000)] {
        let request = request(&[], |notification| {
            notification.object.name.clone_from(&text);
            notification.event.message.clone_from(&text);
            notification.object.tags = vec![(text.clone(), text.clone()); 50];
            notification.links = vec![Link { label: text.clone(), url: "https://x.example".to_owned() }; 30];
        });
        let json = request.json();
        let length = json["fields"]["summary"].as_str().unwrap().chars().count();
        assert!((250..=255).contains(&length), "{length}");
        let length = json["fields"]["description"].to_string().chars().count();
        assert!((3_000..32_767).contains(&length), "{length}");
    }
    let bare = request(&[], |notification| {
        notification.incident = None;
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(bare.json()["fields"]["description"], @r#"{"content":[{"content":[{"text":"–","type":"text"}],"type":"paragraph"}],"type":"doc","version":1}"#);
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"errorMessages":[],"errors":{"project":"valid project is required"}}"#,
            Never,
            code::CONFIG,
            "400 Bad Request: project: valid project is required",
        ),
        (
            400,
            r#"{"errorMessages":["Field 'x' is required"],"errors":{"summary":"too long"}}"#,
            Never,
            code::REJECTED,
            "400 Bad Request: Field 'x' is required, summary: too long",
        ),
        (
            401,
            "Client must be authenticated",
            Never,
            code::AUTH,
            "HTTP 401 Unauthorized: Client must be authenticated",
        ),
        (201, "<html>", Never, code::PROTOCOL, "HTTP 201 Created: <html>: no answer of Jira"),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
        (429, "", Later, code::RATE_LIMITED, "HTTP 429 Too Many Requests"),
    ] {
        let host = FakeHost::new();
        host.reply(status, &[("Retry-After", "30")], body);
        let error = host.send::<Jira>(&config(&[]), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        assert_eq!(error.after, (status == 429).then_some(Duration::from_secs(30)));
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({})), @"`url` is required and has no value");
    assert_snapshot!(refused(&config(&[("url", "example.atlassian.net")])), @"`url` must start with `https://` or `http://` and name a host");
    assert_snapshot!(refused(&config(&[("key", "O P")])), @"`key` must be the key of a project, e.g. `OPS`");
    assert_snapshot!(refused(&config(&[("email", "a:b")])), @"`email` must be the mail address of a user");
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Jira>(&config(&[]), &notification).unwrap(), Receipt::new());
}
