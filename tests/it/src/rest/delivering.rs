//! From a notification to what became of it.

use sandbell_peers::{Receiver, Reply};
use serde_json::{Value as Json, json};

use super::client::{Client, delivery, host, notification, rocketchat};

/// Accepts at `/ok`, refuses for ever at `/gone`, and for a while at `/busy`.
fn receiver() -> Receiver {
    Receiver::start(|request| match request.target.split('/').nth(1) {
        Some("gone") => Reply::new(401, r#"{"status":"error","message":"You must be logged in"}"#),
        Some("busy") => Reply::new(503, "later"),
        _ => Reply::new(200, r#"{"success":true}"#),
    })
    .unwrap()
}

fn with_channels(operator: &Client, receiver: &Receiver) {
    for name in ["ok", "gone", "busy"] {
        operator.post("/channels", &rocketchat(name, &receiver.url(&format!("/{name}")))).expect(201);
    }
}

#[test]
fn who_waits_is_told_what_became_of_it() {
    let receiver = receiver();
    let (_served, operator) = host();
    with_channels(&operator, &receiver);
    let accepted = operator.post("/notifications", &notification("ok", "a")).expect(202);
    assert_eq!(delivery(&accepted)["state"], "waiting");
    let sent = operator.post("/notifications?wait=20s", &notification("ok", "disk full")).expect(200);
    assert_eq!(delivery(&sent)["state"], "delivered");
    let dead = delivery(&operator.post("/notifications?wait=20s", &notification("gone", "x")).expect(200));
    assert_eq!((&dead["state"], &dead["failure"]["kind"]), (&json!("dead"), &json!("permanent")), "{dead}");
    let later = delivery(&operator.post("/notifications?wait=1s", &notification("busy", "x")).expect(202));
    // Its next try may have begun.
    assert!(later["state"] == "waiting" || later["state"] == "leased", "{later}");
    assert_eq!(later["failure"]["kind"], "transient");

    let id = dead["id"].as_str().unwrap();
    let attempts = operator.get(&format!("/deliveries/{id}/attempts")).expect(200);
    let [attempt] = attempts.json()["items"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(attempt["exchanges"][0]["answer"]["status"], 401);
    assert_eq!(attempt["verdict"]["state"], "dead");
    assert!(attempt["usage"]["memory_peak_bytes"].as_u64().unwrap() > 0);
    assert!(!String::from_utf8(attempts.body).unwrap().contains("hunter2"));
    let [mine] = operator
        .get(&format!("/notifications/{}", dead["notification"].as_str().unwrap()))
        .expect(200)
        .json()["deliveries"]
        .as_array()
        .unwrap()
        .clone()
        .try_into()
        .unwrap();
    assert_eq!(mine, dead);
}

#[test]
fn sending_again_under_the_same_key_sends_once() {
    let receiver = receiver();
    let (_served, operator) = host();
    with_channels(&operator, &receiver);
    let keyed = operator.header("idempotency-key", "disk-7");
    let first = keyed.post("/notifications?wait=20s", &notification("ok", "disk full")).expect(200);
    let again = keyed.post("/notifications?wait=20s", &notification("ok", "disk full")).expect(200);
    assert_eq!(first.json(), again.json());
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (None, Some("true"))
    );
    assert_eq!(receiver.requests().len(), 1);
    let other = keyed.post("/notifications", &notification("ok", "disk fuller")).expect(409).json();
    assert_eq!(other["code"], "key-reused");
    keyed.post("/notifications?wait=20s", &notification("ok", "disk full")).expect(200);
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn a_batch_is_accepted_whole_or_not_at_all() {
    let receiver = receiver();
    let (_served, operator) = host();
    with_channels(&operator, &receiver);
    let mut two_contacts = notification("ok", "x");
    let contact = two_contacts["contacts"][0].clone();
    two_contacts["contacts"] = json!([contact, contact]);
    let batch = |last: &str| json!({ "notifications": [two_contacts, notification(last, "y")] });
    let refused = operator.post("/notifications/batch", &batch("nope")).expect(422).json();
    assert_eq!(refused["pointer"], "/notifications/1/channels/0");
    assert_eq!(operator.get("/deliveries").expect(200).json()["items"], json!([]));
    let accepted = operator.post("/notifications/batch?wait=20s", &batch("ok")).expect(200).json();
    assert_eq!(accepted["notifications"].as_array().unwrap().len(), 3);
    assert_eq!(receiver.requests().len(), 3);
}

#[test]
fn without_channels_the_address_decides() {
    let receiver = receiver();
    let (_served, operator) = host();
    with_channels(&operator, &receiver);
    let by_address =
        |kind: &str| json!({ "contacts": [{ "addresses": [{ "kind": kind, "address": "#ops" }] }] });
    let accepted = operator.post("/notifications", &by_address("rocketchat")).expect(202).json();
    assert_eq!(accepted["notifications"][0]["deliveries"].as_array().unwrap().len(), 3);
    let refused = operator.post("/notifications", &by_address("email")).expect(422).json();
    assert_eq!((&refused["code"], &refused["pointer"]), (&json!("no-address"), &json!("/contacts")));
}

#[test]
fn deliveries_are_found_redriven_and_cancelled() {
    let receiver = receiver();
    let (_served, operator) = host();
    with_channels(&operator, &receiver);
    for _ in 0..3 {
        operator.post("/notifications?wait=20s", &notification("gone", "x")).expect(200);
    }
    let waiting = delivery(&operator.post("/notifications?wait=1s", &notification("busy", "x")).expect(202));
    // Held still: its next try may begin at any moment.
    operator.send("POST", "/channels/busy/disable", None).expect(200);
    let place = format!("/deliveries/{}", waiting["id"].as_str().unwrap());
    while operator.get(&place).expect(200).json()["state"] == "leased" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let listed = |query: &str| -> Vec<Json> {
        operator.get(&format!("/deliveries?{query}")).expect(200).json()["items"].as_array().unwrap().clone()
    };
    assert_eq!(listed("state=dead&channel=gone&reason=permanent").len(), 3);
    assert_eq!(listed("channel=ok").len(), 0);
    assert_eq!(listed("state=waiting").len(), 1);
    assert_eq!(listed("since=2999-01-01T00:00:00Z").len(), 0);
    let code = listed("state=dead")[0]["failure"]["code"].as_str().unwrap().to_owned();
    assert_eq!(listed(&format!("code={code}")).len(), 3);

    // Page by page.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = operator.get(&format!("/deliveries?limit=3{cursor}")).expect(200).json();
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 4);

    let id = listed("state=dead")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        operator.send("POST", &format!("/deliveries/{id}/redrive"), None).expect(200).json()["redrives"],
        1
    );
    let cancelled = operator.send("POST", &format!("{place}/cancel"), None);
    assert_eq!(cancelled.expect(200).json()["after_this_try"], false);
    assert_eq!(listed("reason=cancelled").len(), 1);
    let again = operator.send("POST", &format!("{place}/cancel"), None).expect(409).json();
    assert_eq!(again["code"], "settled");
    let redriven = operator.post("/deliveries/redrive", &json!({ "reason": "cancelled" })).expect(200).json();
    assert_eq!(redriven, json!({ "redriven": 1 }));
    let log = operator.get("/audit").expect(200).json();
    let actions: Vec<_> =
        log["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions[..3], ["delivery.redrive", "delivery.cancel", "delivery.redrive"]);
    // A channel that deliveries wait for stays.
    assert_eq!(operator.delete("/channels/busy").expect(409).json()["code"], "in-use");
}
