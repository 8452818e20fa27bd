//! What bad input gets: a clear answer, and the host goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::client::{Client, Served, host, notification, rocketchat};

fn raw(client: &Client, path: &str, body: &str) -> String {
    client.send("POST", path, Some(("application/json", body.as_bytes()))).problem()
}

#[test]
fn a_body_that_cannot_be_read_is_told_where() {
    let served = Served::empty("");
    let operator = Client::operator(&served);
    let refused = |body: &str| raw(&operator, "/notifications", body);
    assert_snapshot!(refused(""), @"400 broken-json: the body is empty [write a JSON object]");
    assert_snapshot!(refused("{\n  \"event\" {}\n}"), @"400 broken-json 2:11: the body is no JSON: expected `:`");
    assert_snapshot!(refused(r#"{"event":{"message":"x"}"#), @"400 broken-json 1:24: the body is no JSON: EOF while parsing an object");
    assert_snapshot!(refused("{} {}"), @"400 broken-json 1:4: the body is no JSON: trailing characters");
    assert_snapshot!(refused("[]"), @"422 invalid-field 1:0: invalid type: sequence, expected an object");
    assert_snapshot!(refused(r#"{"evnt":{}}"#), @"422 invalid-field /evnt 1:7: unknown field `evnt`, expected one of `channels`, `contacts`, `object`, `incident`, `event`, `links`, `extra`");
    assert_snapshot!(refused(r#"{"event":{"message":7}}"#), @"422 invalid-field /event/message 1:21: invalid type: integer `7`, expected a string");
    assert_snapshot!(refused(r#"{"event":{"message":"a","message":"b"}}"#), @"422 invalid-field /event 1:33: duplicate field `message`");
    assert_snapshot!(refused(r#"{"object":{"tags":{"a":"1","a":"2"}}}"#), @"422 invalid-field /object/tags 1:30: duplicate key `a`");
    assert_snapshot!(refused(r#"{"event":{"time":"yesterday"}}"#), @"422 invalid-field /event/time: event.time: `yesterday` is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z");
    assert_snapshot!(refused(r#"{"event":{"severity":"bad"}}"#), @"422 invalid-field /event/severity 1:26: unknown variant `bad`, expected one of `ok`, `debug`, `info`, `notice`, `warning`, `err`, `crit`, `alert`, `emerg`");
    assert_snapshot!(refused(&json!({ "event": { "kind": "x".repeat(257) } }).to_string()), @"422 invalid-field /event/kind: event.kind: has 257 characters; at most 256 are allowed");
    assert_snapshot!(refused(r#"{"channels":["nope"]}"#), @"422 no-channel /channels/0: there is no channel `nope` [`GET /api/v1/channels` lists the channels]");
    assert_snapshot!(refused(r#"{"channels":[]}"#), @"422 invalid-field /channels: channels: names no channel; name at least one, or leave it out");
    assert_snapshot!(refused("{}"), @"422 no-address /contacts: no enabled channel takes an address of this kind; the contact has none [name the channels in `channels`, or give the contact an address that a channel takes]");
    assert_snapshot!(raw(&operator, "/notifications/batch", r#"{"notifications":[]}"#), @"422 invalid-field /notifications: notifications: has 0 entries; 1 to 100 are allowed");
    assert_snapshot!(raw(&operator, "/notifications/batch", r#"{"notifications":[{"channels":["a"]},{"event":{"message":7}}]}"#), @"422 invalid-field /notifications/1/event/message: invalid type: integer `7`, expected a string");
    let bytes = operator.send("POST", "/notifications", Some(("application/json", b"{\"a\xff\":1}")));
    assert_snapshot!(bytes.problem(), @"400 broken-json 1:4: the body is no JSON: invalid unicode code point");
    let deep = format!(r#"{{"name":"a","plugin":"b","settings":{{"x":{}}}}}"#, "[".repeat(100_000));
    assert_snapshot!(raw(&operator, "/channels", &deep), @"400 broken-json 1:167: the body is no JSON: recursion limit exceeded");
}

#[test]
fn a_request_that_is_not_one_of_these_is_told_what_is() {
    let served = Served::empty("");
    let operator = Client::operator(&served);
    let get = |path: &str| operator.get(path).problem();
    assert_snapshot!(get("/nothing"), @"404 not-found: there is nothing at `/api/v1/nothing` [`/api/v1/docs` shows what there is]");
    assert_snapshot!(get("/deliveries?limit=0"), @"422 invalid-parameter: parameter `limit`: must be between 1 and 1000");
    assert_snapshot!(get("/deliveries?limit=x"), @"422 invalid-parameter: parameter `limit`: invalid digit found in string");
    assert_snapshot!(get("/deliveries?limt=1"), @"422 invalid-parameter: parameter `limt`: unknown field `limt`, expected one of `channel`, `state`, `reason`, `code`, `since`, `until`, `limit`, `cursor`");
    assert_snapshot!(get("/deliveries?limit=1&limit=2"), @"422 invalid-parameter: the parameters cannot be read: duplicate field `limit`");
    assert_snapshot!(get("/deliveries?state=lost"), @"422 invalid-parameter: parameter `state`: unknown variant `lost`, expected one of `waiting`, `leased`, `delivered`, `dead`");
    assert_snapshot!(get("/deliveries?cursor=x"), @"422 invalid-parameter: parameter `cursor`: is no cursor; take the `next` of the page before");
    assert_snapshot!(get("/deliveries?since=yesterday"), @"422 invalid-parameter: parameter `since`: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y");
    assert_snapshot!(get("/deliveries?channel=nope"), @"404 not-found: there is no channel `nope`");
    assert_snapshot!(get("/status?x=1"), @"422 invalid-parameter: parameter `x`: unknown field `x`, there are no fields");
    assert_snapshot!(get("/channels/Ops"), @"404 not-found: there is nothing of this name: Invalid URL: `Ops` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first");
    assert_snapshot!(get("/channels/%FF"), @"404 not-found: there is nothing of this name: Invalid URL: Invalid UTF-8 in `name`");
    assert_snapshot!(get("/deliveries/dlv_1"), @"404 not-found: there is nothing of this name: Invalid URL: `dlv_1` is no id; write `dlv_` and 32 hexadecimal digits");
    assert_snapshot!(operator.delete("/status").problem(), @"405 method: `/api/v1/status` takes no DELETE [the header `Allow` says what it takes]");
    assert_snapshot!(operator.header("accept", "text/html").get("/status").problem(), @"406 not-acceptable: `/api/v1/status` answers with application/json only [leave `Accept` out, or name it there]");
    assert_snapshot!(operator.header("sandbell-tenant", "A B").get("/status").problem(), @"400 invalid-header: `Sandbell-Tenant`: `A B` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first");
    assert_snapshot!(operator.header("sandbell-tenant", "nobody").get("/status").problem(), @"404 not-found: there is no tenant `nobody` [`sandbell tenant list` shows them; `Sandbell-Tenant` names one]");
    let body =
        |media_type: &str| operator.send("POST", "/notifications", Some((media_type, b"{}"))).problem();
    assert_snapshot!(body("text/plain"), @"415 media-type: `text/plain` is not taken here [send `Content-Type: application/json`]");
    assert_snapshot!(operator.send("POST", "/notifications", None).problem(), @"415 media-type: the request has no `Content-Type` [send `Content-Type: application/json`]");
    let gzip = operator.header("content-encoding", "gzip");
    assert_snapshot!(gzip.post("/notifications", &json!({})).problem(), @"415 media-type: a compressed body is not taken here [send it as it is]");
    assert_snapshot!(operator.post("/notifications?wait=2h", &json!({})).problem(), @"422 invalid-parameter: parameter `wait`: is longer than 1m [wait less, and ask `GET /api/v1/notifications/{id}` later]");
    assert_snapshot!(operator.header("idempotency-key", "a b").post("/notifications", &json!({})).problem(), @"400 invalid-header: `Idempotency-Key` is no single key [write 1 to 255 visible ASCII letters, e.g. a UUID]");
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
    assert_snapshot!(with(&|form| form["name"] = json!("Ops room")), @"422 invalid-field /name 1:18: `Ops room` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first");
    assert_snapshot!(with(&|form| form["plugin"] = json!("telex")), @"422 no-plugin /plugin: no plugin `telex` is installed [`GET /api/v1/plugins` lists what is installed]");
    assert_snapshot!(with(&|form| form["settings"] = json!({ "url": "https://chat.example.com" })), @"422 config /settings/user_id: option `user_id`: is required and has no value");
    assert_snapshot!(with(&|form| form["settings"]["token"] = json!("hunter2")), @"422 config /settings/token: option `token`: is a secret; write it under `secrets`");
    assert_snapshot!(with(&|form| form["settings"]["usr_id"] = json!("x")), @"422 config /settings/usr_id: option `usr_id`: the plugin has no option of this name; it has `url`, `user_id`, `channel`, `style`, `render_attachment`, `template_title`, `template_body`");
    assert_snapshot!(with(&|form| form["settings"]["url"] = json!({})), @"422 config /settings/url: option `url`: is an object; write a string");
    assert_snapshot!(with(&|form| form["settings"]["url"] = json!("chat.example.com")), @"422 config /settings/url: option `url`: `chat.example.com/api/v1/chat.postMessage` is no absolute http or https URL; write e.g. `https://api.example.com/hook`");
    assert_snapshot!(with(&|form| form["secrets"] = json!({})), @"422 config /secrets/token: option `token`: is required and has no value");
    assert_snapshot!(with(&|form| form["secrets"]["token"] = json!(7)), @"422 invalid-field /secrets/token 1:56: invalid type: integer `7`, expected a string");
    assert_snapshot!(with(&|form| form["policy"] = json!({ "per_minute_max": 0 })), @"422 invalid-field /policy/per_minute_max 1:64: invalid value: integer `0`, expected a nonzero u32");
    assert_snapshot!(with(&|form| form["policy"] = json!({ "retry": { "age_max": "for ever" } })), @"422 invalid-field /policy/retry/age_max 1:76: `for ever` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`");
    assert_snapshot!(operator.put("/channels/other", &rocketchat("ops", "https://x.example")).problem(), @"422 invalid-field /name: name: is `ops`, and the path says `other`; write the same in both");
}

#[test]
fn a_body_over_the_limit_is_refused_however_it_comes() {
    let served = Served::empty("");
    let operator = Client::operator(&served);
    let large = vec![b' '; 1024 * 1024 + 1];
    let refused = operator.send("POST", "/notifications", Some(("application/json", &large)));
    assert_snapshot!(refused.problem(), @"413 too-large: the body has more than 1048576 bytes [send less; a batch can be cut into several]");
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
    let served = Served::empty("[limits]\nrequest = \"1s\"\n");
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
    let served = Served::empty("");
    let operator = Client::operator(&served);
    let nobody = Client::nobody(&served);
    assert_snapshot!(nobody.get("/status").problem(), @"401 no-token: there is no token [send `Authorization: Bearer sbt_…`; `sandbell token create` makes one]");
    assert_snapshot!(nobody.header("authorization", "Basic YTpi").get("/status").problem(), @"401 no-token: the `Authorization` header holds no single token [send `Authorization: Bearer sbt_…`; `sandbell token create` makes one]");
    let made = operator.post("/tokens", &json!({ "name": "ci", "scopes": ["read"] })).expect(201).json();
    let ci = Client::with_token(&served, made["token"].as_str().unwrap());
    ci.get("/status").expect(200);
    assert_snapshot!(operator.post("/tokens", &json!({ "name": "ci", "scopes": ["read"] })).problem(), @"409 exists: there is a token `ci` already [revoke it first, or take another name]");
    operator.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).expect(204);
    assert_snapshot!(ci.get("/status").problem(), @"401 revoked-token: token `ci` was revoked [send `Authorization: Bearer sbt_…`; `sandbell token create` makes one]");
    let unknown = Client::with_token(&served, &format!("sbt_{}", "A".repeat(43)));
    assert_snapshot!(unknown.get("/status").problem(), @"401 unknown-token: the token is not known here [send `Authorization: Bearer sbt_…`; `sandbell token create` makes one]");
    let refused = (0..60).map(|_| unknown.get("/status")).find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_snapshot!(refused.problem(), @"429 too-many-refusals: too many tokens from this address opened nothing [correct the token and wait a minute]");
    // Who has a good token is not slowed down by those who guess.
    let made = operator.post("/tokens", &json!({ "name": "ci", "scopes": ["read"] })).expect(201).json();
    Client::with_token(&served, made["token"].as_str().unwrap()).get("/status").expect(200);
}

#[test]
fn who_connects_and_says_nothing_keeps_nobody_out() {
    let (served, operator) = host();
    operator.post("/channels", &rocketchat("ops", "https://chat.example.com")).expect(201);
    let address = served.serving().api;
    let made = operator.post("/tokens", &json!({ "name": "ci", "scopes": ["send"] })).expect(201).json();
    let ci = Client::with_token(&served, made["token"].as_str().unwrap());
    let silent: Vec<TcpStream> = (0..10_000).map_while(|_| TcpStream::connect(address).ok()).collect();
    assert_eq!(silent.len(), 10_000, "this machine gives too few file handles");
    let started = Instant::now();
    ci.post("/notifications", &notification("ops", "x")).expect(202);
    operator.get("/status").expect(200);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(silent);
    ci.post("/notifications", &notification("ops", "x")).expect(202);
}
