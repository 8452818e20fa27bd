//! What bad input gets: a clear answer, and the host goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::client::{Client, host, notification, rocketchat};
use crate::host::Host;
use crate::served::Served;

fn raw(client: &Client, path: &str, body: &str) -> String {
    client.send("POST", path, Some(("application/json", body.as_bytes()))).problem()
}

#[test]
fn a_body_that_cannot_be_read_is_told_where() {
    let served = Served::of(Host::new());
    let operator = Client::operator(&served);
    let refused = |body: &str| raw(&operator, "/notifications", body);
    assert_snapshot!(refused(""), @"");
    assert_snapshot!(refused("{\n  \"event\" {}\n}"), @"");
    assert_snapshot!(refused(r#"{"event":{"message":"x"}"#), @"");
    assert_snapshot!(refused("{} {}"), @"");
    assert_snapshot!(refused("[]"), @"");
    assert_snapshot!(refused(r#"{"evnt":{}}"#), @"");
    assert_snapshot!(refused(r#"{"event":{"message":7}}"#), @"");
    assert_snapshot!(refused(r#"{"event":{"message":"a","message":"b"}}"#), @"");
    assert_snapshot!(refused(r#"{"object":{"tags":{"a":"1","a":"2"}}}"#), @"");
    assert_snapshot!(refused(r#"{"event":{"time":"yesterday"}}"#), @"");
    assert_snapshot!(refused(r#"{"event":{"severity":"bad"}}"#), @"");
    assert_snapshot!(refused(&json!({ "event": { "kind": "x".repeat(257) } }).to_string()), @"");
    assert_snapshot!(refused(r#"{"channels":["nope"]}"#), @"");
    assert_snapshot!(refused(r#"{"channels":[]}"#), @"");
    assert_snapshot!(refused("{}"), @"");
    assert_snapshot!(raw(&operator, "/notifications/batch", r#"{"notifications":[]}"#), @"");
    assert_snapshot!(raw(&operator, "/notifications/batch", r#"{"notifications":[{"channels":["a"]},{"event":{"message":7}}]}"#), @"");
    let bytes = operator.send("POST", "/notifications", Some(("application/json", b"{\"a\xff\":1}")));
    assert_snapshot!(bytes.problem(), @"");
    assert_eq!(refused(&"[".repeat(100_000)).split(' ').next(), Some("400"));
}

#[test]
fn a_request_that_is_not_one_of_these_is_told_what_is() {
    let served = Served::of(Host::new());
    let operator = Client::operator(&served);
    let get = |path: &str| operator.get(path).problem();
    assert_snapshot!(get("/nothing"), @"");
    assert_snapshot!(get("/deliveries?limit=0"), @"");
    assert_snapshot!(get("/deliveries?limit=x"), @"");
    assert_snapshot!(get("/deliveries?limt=1"), @"");
    assert_snapshot!(get("/deliveries?limit=1&limit=2"), @"");
    assert_snapshot!(get("/deliveries?state=lost"), @"");
    assert_snapshot!(get("/deliveries?cursor=x"), @"");
    assert_snapshot!(get("/deliveries?since=yesterday"), @"");
    assert_snapshot!(get("/deliveries?channel=nope"), @"");
    assert_snapshot!(get("/status?x=1"), @"");
    assert_snapshot!(get("/channels/Ops"), @"");
    assert_snapshot!(get("/channels/%FF"), @"");
    assert_snapshot!(get("/deliveries/dlv_1"), @"");
    assert_snapshot!(operator.delete("/status").problem(), @"");
    assert_snapshot!(operator.header("accept", "text/html").get("/status").problem(), @"");
    assert_snapshot!(operator.header("sandbell-tenant", "A B").get("/status").problem(), @"");
    assert_snapshot!(operator.header("sandbell-tenant", "nobody").get("/status").problem(), @"");
    let body = |media_type: &str| operator.send("POST", "/notifications", Some((media_type, b"{}"))).problem();
    assert_snapshot!(body("text/plain"), @"");
    assert_snapshot!(operator.send("POST", "/notifications", None).problem(), @"");
    let gzip = operator.header("content-encoding", "gzip");
    assert_snapshot!(gzip.post("/notifications", &json!({})).problem(), @"");
    assert_snapshot!(operator.post("/notifications?wait=2h", &json!({})).problem(), @"");
    assert_snapshot!(operator.header("idempotency-key", "a b").post("/notifications", &json!({})).problem(), @"");
    assert_eq!(operator.delete("/status").header("allow"), Some("GET,HEAD"));
}

#[test]
fn a_channel_that_is_wrong_is_told_which_option() {
    let (_served, operator) = host();
    let with = |change: &dyn Fn(&mut Json)| {
        let mut form = rocketchat("ops", "https://chat.example.com");
        change(&mut form);
        operator.post("/channels", &form).problem()
    };
    assert_snapshot!(with(&|form| form["name"] = json!("Ops room")), @"");
    assert_snapshot!(with(&|form| form["plugin"] = json!("telex")), @"");
    assert_snapshot!(with(&|form| form["settings"] = json!({ "url": "https://chat.example.com" })), @"");
    assert_snapshot!(with(&|form| form["settings"]["token"] = json!("hunter2")), @"");
    assert_snapshot!(with(&|form| form["settings"]["usr_id"] = json!("x")), @"");
    assert_snapshot!(with(&|form| form["settings"]["url"] = json!({})), @"");
    assert_snapshot!(with(&|form| form["settings"]["url"] = json!("chat.example.com")), @"");
    assert_snapshot!(with(&|form| form["secrets"] = json!({})), @"");
    assert_snapshot!(with(&|form| form["secrets"]["token"] = json!(7)), @"");
    assert_snapshot!(with(&|form| form["policy"] = json!({ "per_minute_max": 0 })), @"");
    assert_snapshot!(with(&|form| form["policy"] = json!({ "retry": { "age_max": "for ever" } })), @"");
    assert_snapshot!(operator.put("/channels/other", &rocketchat("ops", "https://x.example")).problem(), @"");
}

#[test]
fn a_body_over_the_limit_is_refused_however_it_comes() {
    let served = Served::of(Host::new());
    let operator = Client::operator(&served);
    let large = vec![b' '; 1024 * 1024 + 1];
    let refused = operator.send("POST", "/notifications", Some(("application/json", &large)));
    assert_snapshot!(refused.problem(), @"");
    // Without a length, in chunks.
    let mut request = b"POST /api/v1/notifications HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..17 {
        request.extend(format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536)).into_bytes());
    }
    request.extend(b"0\r\n\r\n");
    assert_eq!(operator.exchange(&request).expect(413).json()["code"], "too-large");
    operator.get("/status").expect(200);
}

#[test]
fn a_body_that_comes_slowly_is_not_waited_for() {
    let host = Host::new();
    let file = host.dir.path().join("sandbell.toml");
    std::fs::write(&file, "[limits]\nrequest = \"1s\"\n").unwrap();
    let served = Served::with_config(host, &file);
    let mut stream = Client::operator(&served).connect();
    let started = Instant::now();
    stream
        .write_all(b"POST /api/v1/notifications HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("slow-body"), "{answer}");
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&started.elapsed()));
}

#[test]
fn a_token_that_opens_nothing_is_told_so_and_slowed_down() {
    let served = Served::of(Host::new());
    let operator = Client::operator(&served);
    let nobody = Client::nobody(&served);
    assert_snapshot!(nobody.get("/status").problem(), @"");
    assert_snapshot!(nobody.header("authorization", "Basic YTpi").get("/status").problem(), @"");
    let made = operator.post("/tokens", &json!({ "name": "ci", "scopes": ["read"] })).expect(201).json();
    let ci = Client::with_token(&served, made["token"].as_str().unwrap());
    ci.get("/status").expect(200);
    assert_snapshot!(operator.post("/tokens", &json!({ "name": "ci", "scopes": ["read"] })).problem(), @"");
    operator.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).expect(204);
    assert_snapshot!(ci.get("/status").problem(), @"");
    let unknown = Client::with_token(&served, &format!("sbt_{}", "A".repeat(43)));
    assert_snapshot!(unknown.get("/status").problem(), @"");
    let refused = (0..60).map(|_| unknown.get("/status")).find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_snapshot!(refused.problem(), @"");
    // Who has a good token is not slowed down by those who guess.
    let made = operator.post("/tokens", &json!({ "name": "ci", "scopes": ["read"] })).expect(201).json();
    Client::with_token(&served, made["token"].as_str().unwrap()).get("/status").expect(200);
}

#[test]
fn who_connects_and_says_nothing_keeps_nobody_out() {
    let (served, operator) = host();
    operator.post("/channels", &rocketchat("ops", "https://chat.example.com")).expect(201);
    let address = served.api().trim_start_matches("http://").to_owned();
    let made = operator.post("/tokens", &json!({ "name": "ci", "scopes": ["send"] })).expect(201).json();
    let ci = Client::with_token(&served, made["token"].as_str().unwrap());
    let silent: Vec<TcpStream> = (0..10_000).map_while(|_| TcpStream::connect(&address).ok()).collect();
    assert_eq!(silent.len(), 10_000, "this machine gives too few file handles");
    let started = Instant::now();
    ci.post("/notifications", &notification("ops", "x")).expect(202);
    operator.get("/status").expect(200);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(silent);
    ci.post("/notifications", &notification("ops", "x")).expect(202);
}
