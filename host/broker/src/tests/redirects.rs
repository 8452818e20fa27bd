//! Redirects: every hop is allowed anew, and secrets stay where they were meant to go.

use super::peer::{Case, Web, field, get, literal, ok, post, secret};
use crate::value::{Body, HttpRequest};

fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

async fn redirecting(status: u16, location: &str) -> Web {
    let location = location.to_owned();
    Web::start(move |count, _| if count == 0 { redirect(status, &location) } else { ok("there") }).await
}

fn secretive(url: &str) -> HttpRequest {
    HttpRequest {
        headers: vec![
            field("content-type", literal("text/plain")),
            field("x-plain", literal("1")),
            field("x-token", vec![secret("token")]),
            field("authorization", literal("Basic YTpi")),
        ],
        ..post(url, "body")
    }
}

#[tokio::test]
async fn on_the_same_origin_everything_goes_along() {
    for (status, method, body) in
        [(302, "GET", ""), (303, "GET", ""), (307, "POST", "body"), (308, "POST", "body")]
    {
        let web = redirecting(status, "/next?a=b#part").await;
        let case = Case::http(&[&format!("GET,POST {}*", web.url("/"))]);
        let brokers = case.brokers();
        let answer = brokers.http(secretive(&web.url("/"))).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"there".as_slice()));
        let seen = &web.seen()[1];
        assert!(seen.starts_with(&format!("{method} /next?a=b HTTP/1.1\r\n")), "{seen}");
        assert!(
            seen.contains("\r\nx-token: hunter2") && seen.ends_with(&format!("\r\n\r\n{body}")),
            "{seen}"
        );
        assert_eq!(seen.contains("content-type"), method == "POST");
        assert!(!seen.to_lowercase().contains("referer"), "{seen}");
        assert_eq!(brokers.take_record().exchanges.len(), 2);
    }
}

#[tokio::test]
async fn on_another_origin_secrets_stay_behind() {
    let other = Web::start(|_, _| ok("other")).await;
    let web = redirecting(307, &other.url("/x")).await;
    let rules = [format!("POST {}*", web.url("/")), format!("POST {}*", other.url("/"))];
    let case = Case::http(&[&rules[0], &rules[1]]);
    assert_eq!(case.brokers().http(secretive(&web.url("/"))).await.unwrap().body, b"other");
    let seen = &other.seen()[0];
    assert!(seen.contains("\r\nx-plain: 1\r\n") && seen.ends_with("\r\n\r\nbody"), "{seen}");
    assert!(!seen.contains("x-token") && !seen.contains("authorization"), "{seen}");

    let web = redirecting(307, &other.url("/x")).await;
    let case = Case::http(&[&format!("POST {}*", web.url("/")), &rules[1]]);
    let request = HttpRequest { body: Body::Text(vec![secret("token")]), ..post(&web.url("/"), "") };
    let error = case.brokers().http(request).await.unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "`{}` redirects to `{}`, and a body with a secret in it is not sent to another server",
            web.url("/"),
            other.url("/x")
        )
    );
    assert_eq!((error.code, error.request_sent, other.seen().len()), ("denied", true, 1));
}

#[tokio::test]
async fn a_hop_that_is_not_granted_is_refused_by_name() {
    let web = redirecting(302, "http://10.0.0.1:9/admin").await;
    let case = Case::http(&[&format!("GET {}*", web.url("/"))]);
    let error = case.brokers().http(get(&web.url("/"))).await.unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "the server redirects, and `GET http://10.0.0.1:9/admin` is not granted; the missing want is \
             `http GET http://10.0.0.1:9/admin`, granted is `GET {}*`",
            web.url("/")
        )
    );
    assert_eq!((error.code, error.request_sent), ("denied", true));

    // Granted by name, but at an address that nobody opened.
    let web = redirecting(302, "http://inside.example.com/").await;
    let case = Case {
        names: vec![("inside.example.com", vec!["10.0.0.1".parse().unwrap()])],
        ..Case::http(&[&format!("GET {}*", web.url("/")), "GET http://inside.example.com/*"])
    };
    let error = case.brokers().http(get(&web.url("/"))).await.unwrap_err();
    assert!(
        error
            .message
            .starts_with("the server redirects, and `inside.example.com` is 10.0.0.1, a private address"),
        "{error}"
    );
    assert_eq!((error.code, error.request_sent), ("denied", true));
}

#[tokio::test]
async fn a_loop_ends() {
    let web = Web::start(|_, _| redirect(302, "/again")).await;
    let case = Case::http(&[&format!("GET {}*", web.url("/"))]);
    let error = case.brokers().http(get(&web.url("/"))).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("protocol", "the server redirected more than 5 times"));
    assert_eq!(web.seen().len(), 6);
}

#[tokio::test]
async fn a_location_that_echoes_a_secret_is_shown_without_it() {
    let web = redirecting(302, "http://evil.example/?stolen=123:abc-XYZ").await;
    let case = Case::http(&[&format!("GET {}*", web.url("/"))]);
    let brokers = case.brokers();
    let error = brokers.http(get(&web.url("/"))).await.unwrap_err();
    assert!(error.message.contains("http://evil.example/?stolen=[redacted:bot]"), "{error}");
    assert!(!format!("{:?}", brokers.take_record()).contains("abc-XYZ"));
}
