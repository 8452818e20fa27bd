//! What Flowdock gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn config() -> Value {
    json!({ "flow_api_token": "s3cret", "source": "Quay", "from_address": "support@quay.example" })
}

fn sent(change: impl FnOnce(&mut Notification)) -> Value {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Flowdock>(&config(), &notification).unwrap();
    host.request().json()
}

fn refused(change: &[(&str, &str)]) -> String {
    let mut config = config();
    for (key, value) in change {
        config[key] = json!(value);
    }
    FakeHost::new().configure::<Flowdock>(&config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""flow_api_token" "from_address" "source" "endpoint""#);
    assert_snapshot!(describe::<Flowdock>(), @"
    Flowdock by Sandbell
    addresses: flowdock
    wants http POST {endpoint}/v1/messages/team_inbox/*: Posts each notification to the team inbox of the token's flow.
    ");
}

#[test]
fn the_request_is_quays() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], "{}");
    let mut notification = Notification::example();
    notification.object.name = "devtable/api".to_owned();
    notification.event.kind = "repo_push".to_owned();
    notification.event.title = Some("Repository devtable/api updated".to_owned());
    notification.event.username = "devtable".to_owned();
    notification.object.tags.clear();
    notification.incident = None;
    assert_eq!(host.send::<Flowdock>(&config(), &notification).unwrap(), Receipt::new());
    assert_eq!(host.request().timeout_ms, Some(10_000));
    assert_snapshot!(host.request(), @r##"
    POST https://api.flowdock.com/v1/messages/team_inbox/<secret:flow_api_token>
    Content-Type: application/json

    {"content":"Something &lt;went&gt; wrong &amp; broke<br/><br/><b>When:</b> 2024-07-12 12:47:30 +0200<br/><b>Author:</b> devtable<br/><br/><a href=\"https://icinga.example.com/icingadb/service?name=random%20fortune&amp;host.name=dummy-809\">Object</a>","from_address":"support@quay.example","from_name":"devtable","link":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809","project":"devtable api","source":"Quay","subject":"Repository devtable/api updated","tags":["#repo_push"]}
    "##);
}

#[test]
fn a_bare_notification_and_a_long_one_fit() {
    let bare = sent(|notification| {
        notification.incident = None;
        notification.object.name = "ä/ß".to_owned();
        notification.object.url = "javascript:alert(1)".to_owned();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(bare, @r#"{"content":"ä/ß","from_address":"support@quay.example","from_name":"Quay","source":"Quay","subject":"ä/ß"}"#);
    let long = sent(|notification| {
        let text = "<é😀>\n".repeat(3000);
        notification.object.name.clone_from(&text);
        notification.event.message.clone_from(&text);
        notification.event.kind = text;
    });
    assert!(long["content"].as_str().unwrap().len() <= 8000);
    assert!(long.to_string().len() <= 9000, "{}", long.to_string().len());
    assert!(!long["subject"].as_str().unwrap().contains('\n'));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"message":"Validation error","errors":{"subject":["can't be blank"]}}"#,
            Never,
            code::REJECTED,
            r#"400 Bad Request: Validation error {"subject":["can't be blank"]}"#,
        ),
        (401, r#"{"message":"Unauthorized"}"#, Never, code::AUTH, "401 Unauthorized: Unauthorized"),
        (404, r#"{"message":"not found"}"#, Never, code::AUTH, "404 Not Found: not found"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (500, "", Later, code::UNREACHABLE, "HTTP 500 Internal Server Error"),
        (429, r#"{"message":"slow"}"#, Later, code::RATE_LIMITED, "429 Too Many Requests: slow"),
    ] {
        let host = FakeHost::new();
        host.reply(status, &[("Retry-After", "30")], body);
        let error = host.send::<Flowdock>(&config(), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        assert_eq!(error.after, (status == 429).then_some(Duration::from_secs(30)));
        assert!(!error.message.contains("s3cret"));
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let error = FakeHost::new().configure::<Flowdock>(&json!({})).map(|_| ()).unwrap_err();
    assert_snapshot!(error, @"`flow_api_token` is required and has no value");
    assert_snapshot!(refused(&[("from_address", "jdoe")]), @"`from_address` must be a mail address like `ops@example.com`");
    assert_snapshot!(refused(&[("endpoint", "api.flowdock.com")]), @"`endpoint` must start with `https://` or `http://` and name a host");
}
