//! The live tail.

use std::io::{BufRead as _, BufReader, Write as _};

use sandbell_peers::{Receiver, Reply};
use serde_json::{Value as Json, json};

use super::client::{Client, host, notification, rocketchat};

/// The next event: its name and its data. Comments keep the connection alive and say nothing.
fn event(lines: &mut impl Iterator<Item = String>) -> (String, Json) {
    let (mut name, mut data) = (String::new(), Json::Null);
    for line in lines {
        if let Some(text) = line.strip_prefix("event: ") {
            text.clone_into(&mut name);
        } else if let Some(text) = line.strip_prefix("data: ") {
            data = serde_json::from_str(text).unwrap();
        } else if line.is_empty() && !name.is_empty() {
            return (name, data);
        }
    }
    panic!("the tail ended");
}

fn tail(client: &Client, query: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = client.connect();
    let head = client.head();
    write!(stream, "GET /api/v1/deliveries/tail{query} HTTP/1.1\r\nhost: x\r\n{head}\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(|line| line.unwrap());
    let head = lines.next().unwrap();
    assert_eq!(head, "HTTP/1.1 200 OK");
    let mut lines = lines.skip_while(|line| !line.is_empty());
    lines.next();
    lines
}

#[test]
fn what_becomes_of_deliveries_is_told_as_it_happens() {
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/gone/api/v1/chat.postMessage" => Reply::new(401, "no"),
        _ => Reply::new(200, r#"{"success":true}"#),
    })
    .unwrap();
    let (served, operator) = host();
    for name in ["ok", "gone"] {
        operator.post("/channels", &rocketchat(name, &receiver.url(&format!("/{name}")))).expect(201);
    }
    operator.post("/tenants", &json!({ "name": "b" })).expect(201);
    let mut all = tail(&operator, "");
    let mut gone = tail(&operator, "?channel=gone");
    operator.post("/notifications?wait=20s", &notification("ok", "x")).expect(200);
    operator.post("/notifications?wait=20s", &notification("gone", "x")).expect(200);
    let (name, first) = event(&mut all);
    assert_eq!(
        (name.as_str(), &first["channel"], &first["verdict"]["state"]),
        ("delivery", &json!("ok"), &json!("delivered"))
    );
    for lines in [&mut all as &mut dyn Iterator<Item = String>, &mut gone] {
        let (_, dead) = event(&mut &mut *lines);
        assert_eq!(
            (&dead["channel"], &dead["verdict"]["reason"]),
            (&json!("gone"), &json!("permanent")),
            "{dead}"
        );
        assert_eq!(dead["failure"]["kind"], "permanent");
    }
    assert_eq!(operator.get("/deliveries/tail?channel=nope").expect(404).json()["code"], "not-found");
    drop(served);
    assert_eq!(event(&mut all), ("end".to_owned(), json!({ "reason": "the host is stopping" })));
}

#[test]
fn a_token_that_was_revoked_watches_no_longer() {
    let (served, operator) = host();
    let made = operator.post("/tokens", &json!({ "name": "eye", "scopes": ["read"] })).expect(201).json();
    let reader = Client::with_token(&served, made["token"].as_str().unwrap());
    let mut events = tail(&reader, "");
    operator.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).expect(204);
    assert_eq!(event(&mut events), ("end".to_owned(), json!({ "reason": "token `eye` was revoked" })));
}
