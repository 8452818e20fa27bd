//! OAuth 2.0: a token is fetched once, placed without being seen, and ends with its channel.

use insta::assert_snapshot;
use sandbell_domain::{Exchange, Mode};

use super::peer::{Case, Web, field, literal, ok, post, secret};
use crate::Brokers;
use crate::value::{Atom, Body, Derived, HttpRequest, Part};

const TOKEN: &str = "tok-hunter3-secret";

/// A server that gives tokens, and wants the right one.
async fn web(answer: &'static str) -> Web {
    Web::start(move |_, request| match request {
        request if request.starts_with("POST /token") && answer.starts_with('{') => ok(answer),
        request if request.starts_with("POST /token") => format!("HTTP/1.1 {answer}")
            .replace("LENGTH", &answer.rsplit("\r\n").next().unwrap().len().to_string())
            .into_bytes(),
        request => ok(&format!(
            "echo: {}",
            request.lines().find(|line| line.starts_with("authorization")).unwrap_or("none")
        )),
    })
    .await
}

fn case(web: &Web) -> Case {
    Case::http(&[&format!("POST {}", web.url("/*"))])
}

fn asking(web: &Web) -> HttpRequest {
    let body = [literal("grant_type=client_credentials&client_secret="), vec![secret("bot")]].concat();
    HttpRequest { body: Body::Text(body), ..post(&web.url("/token"), "") }
}

fn using(web: &Web, token: &str) -> HttpRequest {
    let bearer = vec![Part::Literal("Bearer ".to_owned()), secret(token)];
    HttpRequest { headers: vec![field("authorization", bearer)], ..post(&web.url("/send"), "hi") }
}

async fn error(brokers: &Brokers, request: HttpRequest) -> String {
    let error = brokers.http_token(request, false).await.unwrap_err();
    format!("{} {:?}: {}", error.code, error.retry_after, error.message)
}

#[tokio::test]
async fn a_token_is_fetched_once_and_never_shown() {
    let web =
        web(r#"{"access_token":"tok-hunter3-secret","expires_in":"3600","refresh_token":"tok-hunter4"}"#)
            .await;
    let case = case(&web);
    let channel = case.open();
    let brokers = case.attempt(&channel);
    let name = brokers.http_token(asking(&web), false).await.unwrap();
    assert!(name.starts_with("token:") && !name.contains("hunter"), "{name}");
    let answer = brokers.http(using(&web, &name)).await.unwrap();
    // The server got it; who asked did not, even though it was echoed.
    assert!(web.seen()[1].contains(&format!("authorization: Bearer {TOKEN}")), "{:?}", web.seen());
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        format!("echo: authorization: Bearer [redacted:{name}]")
    );
    let record = format!("{:?}", brokers.take_record().exchanges);
    assert!(!record.contains("hunter"), "{record}");
    let bytes = format!("{:?}", TOKEN.as_bytes());
    assert!(!record.contains(bytes.trim_matches(['[', ']'])), "{record}");

    // Another attempt of the channel has the same, without asking; a renewed one asks.
    let brokers = case.attempt(&channel);
    assert_eq!(brokers.http_token(asking(&web), false).await.unwrap(), name);
    assert_eq!(web.seen().len(), 2);
    assert_eq!(brokers.http_token(asking(&web), true).await.unwrap(), name);
    assert_eq!(web.seen().len(), 3);
    // An attempt that did not ask has none, and another channel has its own.
    let refused = case.attempt(&channel).http(using(&web, &name)).await.unwrap_err();
    assert_eq!(refused.code, "secret");
    case.brokers().http_token(asking(&web), false).await.unwrap();
    assert_eq!(web.seen().len(), 4);
}

#[tokio::test]
async fn a_refusal_is_said_in_the_servers_words() {
    let said = async |answer: &'static str| {
        let web = web(answer).await;
        error(&case(&web).brokers(), asking(&web)).await
    };
    assert_snapshot!(said("400 Bad Request\r\ncontent-length: LENGTH\r\n\r\n{\"error\":\"invalid_client\",\"error_description\":\"no \\u001b such 123:abc-XYZ\"}").await, @r"auth None: the server gave no token: 400 invalid_client: no \u{1b} such [redacted:bot]");
    assert_snapshot!(said("401 Unauthorized\r\ncontent-length: LENGTH\r\n\r\n<html>").await, @"auth None: the server gave no token: 401");
    assert_snapshot!(said("429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: LENGTH\r\n\r\n{}").await, @"rate-limited Some(30s): the server gave no token: 429");
    assert_snapshot!(said("503 Service Unavailable\r\ncontent-length: LENGTH\r\n\r\nx").await, @"protocol None: the server gave no token: 503");
    assert_snapshot!(said("{}").await, @"protocol None: the answer holds no access token; is this the URL of the token endpoint?");
    assert_snapshot!(said("{\"access_token\":\"a\\nb\"}").await, @"protocol None: the answer holds no access token; is this the URL of the token endpoint?");
}

#[tokio::test]
async fn a_token_needs_the_grant_and_a_dry_run_needs_no_server() {
    let web = web("{}").await;
    let elsewhere = Case::http(&["POST https://a.example/"]);
    assert!(error(&elsewhere.brokers(), asking(&web)).await.starts_with("denied"));
    assert_snapshot!(error(&Case::default().brokers(), asking(&web)).await, @"denied None: http is not granted: the plugin has no want of http that applies to this configuration");
    let dry = Case { mode: Mode::DryRun, ..case(&web) };
    let brokers = dry.brokers();
    let name = brokers.http_token(asking(&web), false).await.unwrap();
    brokers.http(using(&web, &name)).await.unwrap();
    assert!(web.seen().is_empty());
    let record = brokers.take_record();
    let Exchange::Http(exchange) = &record.exchanges[1] else { panic!("{record:?}") };
    assert!(
        exchange.headers.contains(&("authorization".to_owned(), format!("Bearer <secret:{name}>"))),
        "{exchange:?}"
    );
}

#[tokio::test]
async fn signatures_are_counted() {
    let web = web("{}").await;
    let case = Case { secrets: vec![("key", "no key".to_owned())], ..case(&web) };
    let brokers = case.brokers();
    let atoms = ["", "{}", "{}"].map(|text| Atom::Literal(text.to_owned()));
    let signed = |count: usize| {
        let part = Part::Derived(Derived { how: "jwt-es256".to_owned(), of: atoms.to_vec() });
        HttpRequest { body: Body::Text(vec![part; count]), ..post(&web.url("/send"), "") }
    };
    let said = async |count| {
        let error = brokers.http(signed(count)).await.unwrap_err();
        format!("{}: {}", error.code, error.message)
    };
    assert_snapshot!(said(19).await, @"secret: the secret is no private key for ES256; enter it as PEM, whole, in PKCS #8");
    assert_snapshot!(said(2).await, @"denied: an attempt may have at most 20 tokens signed");
}
