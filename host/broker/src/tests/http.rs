//! HTTP: what is sent, what is refused, what comes back.

use sandbell_domain::{Exchange, Mode};

use super::peer::{Case, Web, field, get, literal, ok, post, secret};
use crate::value::{Body, HttpRequest};

/// The recorded exchange as a request on the wire.
fn as_sent(exchange: &Exchange) -> String {
    let Exchange::Http(exchange) = exchange else { panic!("not HTTP") };
    let url: url::Url = exchange.url.parse().unwrap();
    let target = &url[url::Position::BeforePath..];
    let mut text = format!("{} {target} HTTP/1.1\r\n", exchange.method);
    for (name, value) in &exchange.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    format!("{text}\r\n{}", String::from_utf8_lossy(&exchange.body))
}

#[tokio::test]
async fn a_dry_run_shows_the_bytes_that_a_real_one_sends() {
    let web = Web::start(|_, _| ok("fine")).await;
    let rule = format!("POST,GET,DELETE {}*", web.url("/"));
    let requests = [
        get(&web.url("/ä/b c?x=ü".replace(' ', "%20").as_str())),
        HttpRequest {
            query: vec![field("q", literal("a b&c"))],
            headers: vec![
                field("content-type", literal("application/json")),
                field("X-One", literal("1")),
                field("x-two", literal("2")),
                field("x-one", literal("3")),
            ],
            ..post(&web.url("/p?x=1"), "{\"a\":1}")
        },
        HttpRequest { method: "POST".to_owned(), ..get(&web.url("/empty")) },
        HttpRequest { method: "DELETE".to_owned(), ..get(&web.url("/")) },
        HttpRequest {
            headers: vec![field("user-agent", literal("mine")), field("accept", literal("text/plain"))],
            ..get(&web.url("/"))
        },
    ];
    let mut case = Case::http(&[&rule]);
    for (index, request) in requests.iter().enumerate() {
        case.mode = Mode::DryRun;
        let dry = case.brokers();
        let answer = dry.http(request.clone()).await.unwrap();
        assert_eq!((answer.status, answer.body.len(), web.seen().len()), (200, 0, index));
        case.mode = Mode::Send;
        let real = case.brokers();
        assert_eq!(real.http(request.clone()).await.unwrap().body, b"fine");
        let sent = web.seen()[index].clone();
        assert_eq!(as_sent(&dry.take_record().exchanges[0]), sent);
        assert_eq!(as_sent(&real.take_record().exchanges[0]), sent);
    }
}

#[tokio::test]
async fn a_secret_is_on_the_wire_and_nowhere_else() {
    let web = Web::start(|_, request| ok(request)).await;
    let case = Case::http(&[&format!("POST {}*", web.url("/"))]);
    let brokers = case.brokers();
    let mut request = post(&web.url("/bot"), "");
    request.url.push(secret("bot"));
    request.headers.push(field("x-token", vec![secret("token")]));
    request.body = Body::Text(vec![secret("token")]);
    let answer = brokers.http(request).await.unwrap();
    let sent = &web.seen()[0];
    assert!(sent.starts_with("POST /bot123:abc-XYZ HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("\r\nx-token: hunter2/+\"secret\"\r\n"), "{sent}");
    assert!(sent.ends_with("\r\n\r\nhunter2/+\"secret\""), "{sent}");
    let echoed = String::from_utf8(answer.body).unwrap();
    let record = format!("{:?}", brokers.take_record());
    for text in [&echoed, &record] {
        assert!(!text.contains("hunter2") && !text.contains("abc-XYZ"), "{text}");
    }
    assert!(echoed.contains("x-token: [redacted:token]"), "{echoed}");
    assert!(record.contains("/bot<secret:bot>"), "{record}");
}
