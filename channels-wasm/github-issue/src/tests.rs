//! What GitHub gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const ISSUE: &str = r#"{"id":1,"number":42,"html_url":"https://github.com/example/operations/issues/42"}"#;
const COMMENT: &str = r#"{"id":7}"#;

fn config(more: &[(&str, &str)]) -> Value {
    let mut config =
        json!({ "repository": "example/operations", "token": "github_pat_s3cret", "labels": "alert, prod" });
    for (key, value) in more {
        config[key] = json!(value);
    }
    config
}

fn host(answers: &[(u16, &str)]) -> FakeHost {
    let host = FakeHost::new().strict();
    for (status, body) in answers {
        host.reply(*status, &[], body);
    }
    host
}

fn closed() -> Notification {
    let mut notification = Notification::example();
    notification.incident.as_mut().unwrap().severity = Some(Severity::Ok);
    notification
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<GitHub>(config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let names: Vec<_> =
        form::<Config>().as_array().unwrap().iter().map(|option| option["name"].to_string()).collect();
    assert_snapshot!(names.join(" "), @r#""repository" "token" "labels" "close" "api_url""#);
    assert_snapshot!(describe::<GitHub>(), @"
    GitHub Issues by Sandbell
    addresses: github
    wants http GET,POST {api_url}/repos/{repository}/issues: Finds and opens the issue of an incident.
    wants http POST,PATCH {api_url}/repos/{repository}/issues/*: Comments on it and closes it.
    ");
}

#[test]
fn the_first_notification_opens_an_issue() {
    let host = host(&[(200, "[]"), (201, ISSUE)]);
    let mut notification = Notification::example();
    notification.event.message = "@everyone see #1\n```\nend".to_owned();
    let receipt = host.send::<GitHub>(&config(&[]), &notification).unwrap();
    assert_eq!(
        receipt,
        Receipt::new().id("42").link("#42", "https://github.com/example/operations/issues/42")
    );
    let requests = host.requests();
    assert_snapshot!(requests[0], @"
    GET https://api.github.com/repos/example/operations/issues?labels=icinga-incident-1437&state=open&sort=created&direction=asc&per_page=1
    Authorization: Bearer <secret:token>
    Accept: application/vnd.github+json
    X-GitHub-Api-Version: 2022-11-28
    ");
    let issue = requests[1].json();
    assert_eq!(
        (requests[1].method.as_str(), issue["title"].as_str()),
        ("POST", Some("[#1437] dummy-809!random fortune is crit"))
    );
    assert_eq!(issue["labels"], json!(["alert", "prod", "icinga-incident-1437"]));
    assert_snapshot!(issue["body"].as_str().unwrap(), @"
    ````text
    @everyone see #1
    ```
    end
    ````

    - `host`: `dummy-809`
    - `service`: `random fortune`
    - `When`: `2024-07-12 12:47:30 +0200`

    [Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)
    ");
}

#[test]
fn later_ones_are_comments_and_the_last_closes() {
    let found = format!("[{ISSUE}]");
    let going = host(&[(200, &found), (201, COMMENT)]);
    let receipt = going.send::<GitHub>(&config(&[]), &Notification::example()).unwrap();
    assert_eq!((receipt.provider_id.as_deref(), receipt.detail.as_deref()), (Some("42"), Some("commented")));
    assert!(
        going.requests()[1].json()["body"]
            .as_str()
            .unwrap()
            .starts_with("**`[#1437] dummy-809!random fortune is crit`**")
    );

    let ended = host(&[(200, &found), (201, COMMENT), (200, ISSUE)]);
    let receipt = ended.send::<GitHub>(&config(&[]), &closed()).unwrap();
    assert_eq!(receipt.detail.as_deref(), Some("commented and closed"));
    let requests = ended.requests();
    assert_eq!(requests[1].url, "https://api.github.com/repos/example/operations/issues/42/comments");
    assert_eq!(
        (requests[2].method.as_str(), requests[2].json()["state"].as_str()),
        ("PATCH", Some("closed"))
    );

    let open = host(&[(200, &found), (201, COMMENT)]);
    let mut stays = config(&[]);
    stays["close"] = false.into();
    assert_eq!(open.send::<GitHub>(&stays, &closed()).unwrap().detail.as_deref(), Some("commented"));

    let stuck = host(&[(200, &found), (201, COMMENT), (502, "")]);
    let receipt = stuck.send::<GitHub>(&config(&[]), &closed()).unwrap();
    assert_eq!(receipt.detail.as_deref(), Some("commented, but not closed: HTTP 502 Bad Gateway"));
}

#[test]
fn what_was_never_open_is_not_closed_and_what_has_no_thread_is_opened() {
    let none = host(&[(200, "[]")]);
    let receipt = none.send::<GitHub>(&config(&[]), &closed()).unwrap();
    assert_eq!(receipt.detail.as_deref(), Some("there is no open issue to close"));
    let lone = host(&[(201, ISSUE)]);
    let mut notification = Notification::example();
    notification.incident = None;
    lone.send::<GitHub>(&config(&[]), &notification).unwrap();
    assert_eq!(lone.request().json()["labels"], json!(["alert", "prod"]));
}

#[test]
fn githubs_limits_are_kept() {
    for text in ["`é😀\n".repeat(30_000), "a".repeat(200_000), "`".repeat(70_000)] {
        let host = host(&[(200, "[]"), (201, ISSUE)]);
        let mut notification = Notification::example();
        notification.object.name.clone_from(&text);
        notification.object.tags = vec![(text.clone(), text.clone()); 90];
        notification.event.message = text;
        host.send::<GitHub>(&config(&[]), &notification).unwrap();
        let issue = host.requests()[1].json();
        assert!(issue["title"].as_str().unwrap().chars().count() <= 256);
        assert!(issue["body"].as_str().unwrap().chars().count() <= 65_536);
    }
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, headers, body, retry, code, message) in [
        (
            401,
            None,
            r#"{"message":"Bad credentials"}"#,
            Never,
            code::AUTH,
            "401 Unauthorized: Bad credentials",
        ),
        (
            403,
            None,
            r#"{"message":"Resource not accessible"}"#,
            Never,
            code::AUTH,
            "403 Forbidden: Resource not accessible",
        ),
        (
            404,
            None,
            r#"{"message":"Not Found"}"#,
            Never,
            code::AUTH,
            "404 Not Found: Not Found; is the repository right, and may the token write its issues?",
        ),
        (
            410,
            None,
            r#"{"message":"Issues are disabled for this repo"}"#,
            Never,
            code::CONFIG,
            "410 Gone: Issues are disabled for this repo",
        ),
        (
            422,
            None,
            r#"{"message":"Validation Failed","errors":[{"field":"title"}]}"#,
            Never,
            code::REJECTED,
            r#"422 Unprocessable Entity: Validation Failed [{"field":"title"}]"#,
        ),
        (200, None, "<html>", Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of GitHub"),
        (502, None, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let host = FakeHost::new();
        host.reply(status, headers.unwrap_or_default(), body);
        let error = host.send::<GitHub>(&config(&[]), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        assert!(!error.message.contains("s3cret"));
    }
    for (headers, seconds) in [([("X-RateLimit-Remaining", "0")], 60), ([("Retry-After", "30")], 30)] {
        let host = FakeHost::new();
        host.reply(403, &headers, r#"{"message":"API rate limit exceeded"}"#);
        let error = host.send::<GitHub>(&config(&[]), &Notification::example()).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.after),
            (code::RATE_LIMITED, Some(Duration::from_secs(seconds)))
        );
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({})), @"`repository` is required and has no value");
    for repository in ["operations", "example/", "a/b/c", "../x", "a b/c"] {
        assert_eq!(
            refused(&config(&[("repository", repository)])),
            "`repository` must be owner and name, e.g. `example/operations`"
        );
    }
    assert_snapshot!(refused(&config(&[("labels", &"x".repeat(51))])), @"`labels` must be at most 20, of at most 50 characters each");
    assert_snapshot!(refused(&config(&[("api_url", "api.github.com")])), @"`api_url` must start with `https://` or `http://` and name a host");
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<GitHub>(&config(&[]), &notification).unwrap(), Receipt::new());
}
