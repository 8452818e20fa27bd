//! What a server can do to us: hang, reset, garbage, floods, bombs; and what connections are kept for.

use std::io::Write as _;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::peer::{Case, Web, get, listen, ok, read_request};
use crate::value::{HttpError, HttpRequest};

/// A server that reads a request and then writes `head` and `chunk` again and again.
async fn flood(head: &'static str, chunk: &[u8], pause: Duration) -> u16 {
    let chunk = chunk.to_vec();
    listen(move |mut stream| {
        let chunk = chunk.clone();
        async move {
            read_request(&mut stream).await;
            if stream.write_all(head.as_bytes()).await.is_err() {
                return;
            }
            while stream.write_all(&chunk).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await
}

async fn failed(port: u16, time: Duration) -> HttpError {
    let case = Case { time, ..Case::http(&[&format!("GET http://127.0.0.1:{port}/*")]) };
    let error = case.brokers().http(get(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!(!error.message.contains("GET") && error.message.len() < 300, "{error}");
    error
}

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn floods_end_at_their_limits() {
    let endless = flood("HTTP/1.1 200 OK\r\n\r\n", &vec![b'x'; 65536], Duration::ZERO).await;
    let error = failed(endless, LONG).await;
    assert_eq!((error.code, error.message.as_str()), ("too-large", "the answer has more than 1048576 bytes"));
    assert!(error.request_sent);

    let headers = flood("HTTP/1.1 200 OK\r\n", &b"x-flood: 1\r\n".repeat(1000), Duration::ZERO).await;
    assert_eq!(failed(headers, LONG).await.code, "protocol");

    let mut many = String::from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n");
    many.push_str(&"x: 1\r\n".repeat(80));
    many.push_str("\r\n");
    let web = Web::start(move |_, _| many.clone().into_bytes()).await;
    assert_eq!(failed(web.port, LONG).await.code, "too-large");

    let line = flood("HTTP/1.1 200 OK\r\nx: ", &vec![b'x'; 65536], Duration::ZERO).await;
    assert_eq!(failed(line, LONG).await.code, "protocol");
}

#[tokio::test]
async fn a_gzip_bomb_is_stopped_while_it_unfolds() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    let bomb = encoder.finish().unwrap();
    let web = Web::start(move |count, _| {
        let body: &[u8] = if count == 0 { &bomb } else { &bomb[..20] };
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    })
    .await;
    assert_eq!(failed(web.port, LONG).await.code, "too-large");
    let broken = failed(web.port, LONG).await;
    assert_eq!(broken.code, "protocol");
    assert!(broken.message.ends_with("is not what its content-encoding says"), "{broken}");
}

#[tokio::test]
async fn a_gzip_answer_is_unfolded() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"hello").unwrap();
    let body = encoder.finish().unwrap();
    let web = Web::start(move |_, _| {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    })
    .await;
    let case = Case::http(&[&format!("GET,HEAD {}*", web.url("/"))]);
    let answer = case.brokers().http(get(&web.url("/"))).await.unwrap();
    assert_eq!(answer.body, b"hello");
    assert!(answer.headers.iter().all(|(name, _)| name != "content-encoding"), "{answer:?}");
    let head = HttpRequest { method: "HEAD".to_owned(), ..get(&web.url("/")) };
    let answer = case.brokers().http(head).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn time_ends_what_nothing_else_ends() {
    let silent = listen(|stream| async move {
        tokio::time::sleep(LONG).await;
        drop(stream);
    })
    .await;
    let drip = flood("HTTP/1.1 200 OK\r\n\r\n", b"x", Duration::from_millis(20)).await;
    let headers = flood("HTTP/1.1 200 OK\r\n", b"x: 1\r\n", Duration::from_millis(20)).await;
    let interim = flood("", b"HTTP/1.1 102 Processing\r\n\r\n", Duration::from_millis(20)).await;
    for port in [silent, drip, headers, interim] {
        let started = Instant::now();
        let error = failed(port, SHORT).await;
        assert_eq!((error.code, error.request_sent), ("timeout", true), "{error}");
        assert!(started.elapsed() < Duration::from_secs(3));
    }
    // The guest lowers the limit; it cannot raise it.
    let case = Case::http(&[&format!("GET http://127.0.0.1:{silent}/")]);
    let request = HttpRequest { timeout: Some(SHORT), ..get(&format!("http://127.0.0.1:{silent}/")) };
    assert_eq!(case.brokers().http(request.clone()).await.unwrap_err().code, "timeout");
    let short = Case { time: SHORT, ..case };
    let request = HttpRequest { timeout: Some(Duration::MAX), ..request };
    assert_eq!(short.brokers().http(request).await.unwrap_err().code, "timeout");
}

#[tokio::test]
async fn broken_answers_are_told_apart() {
    let check = async |bytes: &'static [u8], want: &str| {
        let port = listen(move |mut stream| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(bytes).await;
        })
        .await;
        let error = failed(port, LONG).await;
        assert_eq!(error.message, want.replace("PORT", &port.to_string()));
        assert_eq!((error.code, error.request_sent), ("protocol", true));
    };
    check(
        b"garbage\r\n\r\n",
        "what `http://127.0.0.1:PORT` answered is no HTTP/1.1, or its head is too large",
    )
    .await;
    check(b"", "`http://127.0.0.1:PORT` closed the connection before the whole answer came").await;
    check(
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "the answer of `http://127.0.0.1:PORT` is not what its content-encoding says",
    )
    .await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = failed(free, LONG).await;
    assert_eq!(error.message, format!("no connection to `http://127.0.0.1:{free}`: connection refused"));
    assert_eq!((error.code, error.request_sent), ("connect", false));
}

#[tokio::test]
async fn an_attempt_has_a_budget() {
    let web = Web::start(|_, _| ok(&"x".repeat(900_000))).await;
    let case = Case::http(&[&format!("GET {}*", web.url("/"))]);
    let brokers = case.brokers();
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(brokers.http(get(&web.url("/"))).await.map_or_else(|error| error.code, |_| "kept"));
    }
    // 5 MiB hold five answers of 0.9 MB; the eleventh request is one too many.
    assert_eq!(codes[..5], ["kept"; 5]);
    assert_eq!(codes[5..10], ["too-large"; 5]);
    assert_eq!(codes[10..], ["denied"; 2]);
    // The next attempt has its own.
    assert!(case.brokers().http(get(&web.url("/"))).await.is_ok());
}

#[tokio::test]
async fn connections_are_kept_for_their_channel_alone() {
    let web = Web::start(|_, _| ok("")).await;
    let case = Case::http(&[&format!("GET {}*", web.url("/"))]);
    let egress = case.egress();
    let first = egress.channel(&case.channel()).unwrap();
    let second = egress.channel(&case.channel()).unwrap();
    for channel in [&first, &first, &second, &first, &second] {
        case.attempt(channel).http(get(&web.url("/"))).await.unwrap();
    }
    assert_eq!(*web.connections.lock().unwrap(), [0, 0, 1, 0, 1]);
}

#[tokio::test]
async fn answers_keep_the_order_of_their_requests() {
    let web = Web::start(|_, request| ok(request.split(' ').nth(1).unwrap())).await;
    let case = Case::http(&[&format!("GET {}*", web.url("/"))]);
    let requests = (0..8).map(|index| get(&web.url(&format!("/{index}")))).collect();
    let answers = case.brokers().http_all(requests).await;
    let bodies: Vec<_> =
        answers.into_iter().map(|answer| String::from_utf8(answer.unwrap().body).unwrap()).collect();
    assert_eq!(bodies, ["/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7"]);
}

#[tokio::test]
async fn only_the_proxy_of_the_grant_is_used() {
    let proxy = Web::start(|_, _| ok("proxied")).await;
    let case =
        Case { proxy: Some(proxy.url("/")), networks: vec![], ..Case::http(&["GET http://a.example/*"]) };
    let answer = case.brokers().http(get("http://a.example/x")).await.unwrap();
    assert_eq!(answer.body, b"proxied");
    assert!(proxy.seen()[0].starts_with("GET http://a.example/x HTTP/1.1\r\n"), "{}", proxy.seen()[0]);
    // An address that is written out is checked here even so.
    let case = Case { http: vec!["GET http://10.0.0.1/".to_owned()], ..case };
    assert_eq!(case.brokers().http(get("http://10.0.0.1/")).await.unwrap_err().code, "denied");
}

#[tokio::test]
async fn a_dropped_call_ends() {
    let (sender, mut closed) = tokio::sync::mpsc::channel(1);
    let port = listen(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_request(&mut stream).await;
            // Ends when the other side is gone.
            read_request(&mut stream).await;
            let _ = sender.send(()).await;
        }
    })
    .await;
    let case = Case::http(&[&format!("GET http://127.0.0.1:{port}/")]);
    let brokers = case.brokers();
    let call = brokers.http(get(&format!("http://127.0.0.1:{port}/")));
    assert!(tokio::time::timeout(SHORT, call).await.is_err());
    drop(brokers);
    tokio::time::timeout(LONG, closed.recv()).await.unwrap().unwrap();
}

/// Runs another test of this file in a process whose environment names a proxy.
#[tokio::test]
async fn the_environments_proxy_is_never_asked() {
    let trap = Web::start(|_, _| ok("trapped")).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "tests::answers::answers_keep_the_order_of_their_requests"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, trap.url("/"));
    }
    let output = child.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(trap.seen().is_empty());
}
