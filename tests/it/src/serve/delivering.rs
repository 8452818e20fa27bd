//! Retries, dead letters, circuits, rates: what becomes of a delivery whose receiver is unwell.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use sandbell_peers::{Receiver, Reply, wait_for};
use serde_json::{Value as Json, json};

use super::site::{HANGS, Moody, QUICK, RESETS, Site, a_while, quick_retry};

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let receiver = Receiver::start(move |_| {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            Reply::new(503, "busy").header("retry-after", "1")
        } else {
            Reply::new(200, "ok")
        }
    })
    .unwrap();
    let site = Site::new(QUICK);
    site.channel("ops", &receiver.url("/hook"), &json!({ "retry": quick_retry() }));
    let begun = Instant::now();
    let id = site.notify("ops", "one");
    let delivery = site.wait(&id, "delivered");
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(delivery["attempts"], 2);
    let attempts = site.attempts(&id);
    assert_eq!(attempts[0]["verdict"]["state"], "retry");
    assert_eq!(attempts[1]["verdict"]["state"], "delivered");
    // The URL is a secret; what is kept of the attempt does not show it.
    assert!(!Json::from(attempts).to_string().contains("/hook"));
}

#[test]
fn what_cannot_be_delivered_is_a_dead_letter_until_somebody_redrives_it() {
    let moody = Moody::new(404);
    let site = Site::new(QUICK);
    site.channel("ops", &moody.url(), &json!({}));
    let id = site.notify("ops", "one");
    let dead = site.wait(&id, "dead");
    assert_eq!((&dead["reason"], &dead["attempts"]), (&json!("permanent"), &json!(1)));
    assert_snapshot!(dead["failure"]["code"].as_str().unwrap(), @"auth");
    moody.set(200);
    site.ok("POST", &format!("/deliveries/{id}/redrive"), &Json::Null);
    let delivered = site.wait(&id, "delivered");
    assert_eq!(delivered["redrives"], 1);
    assert_eq!(moody.arrived("one"), 2);
}

#[test]
fn errors_resets_and_silence_are_all_tried_again() {
    let moody = Moody::new(500);
    let site = Site::new(&format!("{QUICK}circuit_failures = 100\n"));
    site.channel("ops", &moody.url(), &json!({ "retry": quick_retry() }));
    for mood in [500, RESETS, HANGS] {
        moody.set(mood);
        let before = moody.receiver.count();
        let id = site.notify("ops", &format!("mood {mood}"));
        moody.wait(before + 2);
        assert_ne!(site.delivery(&id)["state"], "dead");
        moody.set(200);
        site.wait(&id, "delivered");
    }
}

#[test]
fn a_destination_that_fails_is_left_alone_and_probed() {
    let moody = Moody::new(500);
    let wait = "circuit_failures = 3\ncircuit_wait_first = \"2s\"\n";
    let site = Site::new(&format!("{QUICK}{wait}"));
    site.channel("ops", &moody.url(), &json!({ "retry": quick_retry(), "attempts_at_once_max": 1 }));
    let ids: Vec<String> = (0..6).map(|index| site.notify("ops", &format!("n{index}"))).collect();
    let circuit = wait_for("an open circuit", || {
        let circuits = site.state_of("ops")["state"]["circuits"].clone();
        circuits.get(0).cloned()
    })
    .unwrap();
    assert_eq!(circuit["state"], "open");
    assert!(circuit["destination"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{circuit}");
    assert_eq!(moody.receiver.count(), 3);
    a_while();
    assert_eq!(moody.receiver.count(), 3, "an open circuit lets nothing through");
    let metrics = site.serving().ops("/metrics").unwrap().1;
    assert!(metrics.contains("sandbell_circuit_state{channel=\"local/ops\"} 2"), "{metrics}");
    // The probe fails, too: one request, and the wait is twice as long.
    moody.wait(4);
    a_while();
    assert_eq!(moody.receiver.count(), 4);
    moody.set(200);
    for id in &ids {
        let delivery = site.wait(id, "delivered");
        assert!(delivery["attempts"].as_u64().unwrap() <= 5, "waiting uses no attempts: {delivery}");
    }
    assert_eq!(site.state_of("ops")["state"]["circuits"], json!([]));
    assert_eq!(moody.receiver.count(), 4 + ids.len());
}

#[test]
fn a_channel_that_only_fails_disables_itself() {
    let moody = Moody::new(500);
    let site = Site::new(QUICK);
    let policy = json!({ "retry": quick_retry(), "disable_after": 2 });
    site.channel("ops", &moody.url(), &policy);
    let id = site.notify("ops", "one");
    let disabled = wait_for("the channel's end", || {
        Some(site.state_of("ops")).filter(|channel| channel["enabled"] == false)
    })
    .unwrap();
    assert_snapshot!(disabled["disabled_reason"].as_str().unwrap(), @"2 attempts in a row failed");
    moody.set(200);
    a_while();
    assert_eq!((site.delivery(&id)["state"].as_str(), moody.receiver.count()), (Some("waiting"), 2));
    // What arrives meanwhile waits, too.
    let other = site.notify("ops", "two");
    site.ok("POST", "/channels/ops/enable", &Json::Null);
    site.wait(&id, "delivered");
    site.wait(&other, "delivered");
    let audit = site.ok("GET", "/audit", &Json::Null);
    assert!(audit.to_string().contains("\"dispatcher\""), "{audit:#}");
}

#[test]
fn a_rate_is_kept_and_costs_no_attempts() {
    let moody = Moody::new(200);
    let site = Site::new(QUICK);
    site.channel("ops", &moody.url(), &json!({ "per_minute_max": 120 }));
    let begun = Instant::now();
    let ids: Vec<String> = (0..16).map(|index| site.notify("ops", &format!("n{index}"))).collect();
    for id in &ids {
        assert_eq!(site.wait(id, "delivered")["attempts"], 1);
    }
    // Twelve at once, then one every half second.
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1_900), "{took:?}");
    assert_eq!(moody.receiver.count(), 16);
    let text = site.serving().ops("/metrics").unwrap().1;
    assert!(!text.contains("sandbell_rate_limited_total 0"), "{text}");
}

#[test]
fn a_tenant_whose_receiver_hangs_delays_nobody_else() {
    let (silent, moody) = (Moody::new(HANGS), Moody::new(200));
    let site = Site::new(
        "[dispatch]\nattempt = \"5s\"\nattempts_max = 8\ntenant_attempts_max = 4\nreserved_first = 2\n",
    );
    site.ok("POST", "/tenants", &json!({ "name": "theirs" }));
    let mut theirs = site.operator().with("Sandbell-Tenant", "theirs");
    let channel = json!({ "name": "ops", "plugin": "slack", "secrets": { "webhook_url": silent.url() } });
    let made = theirs.json("POST", "/api/v1/channels", &channel).unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    for index in 0..20 {
        let notification = super::site::notification("ops", &format!("n{index}"));
        theirs.json("POST", "/api/v1/notifications", &notification).unwrap();
    }
    silent.wait(4);
    site.channel("ops", &moody.url(), &json!({}));
    let begun = Instant::now();
    for index in 0..10 {
        let id = site.notify("ops", &format!("n{index}"));
        site.wait(&id, "delivered");
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(silent.receiver.count(), 4, "a tenant has its permits and no more");
}

#[test]
fn an_ordered_channel_keeps_its_order_through_failures() {
    let moody = Moody::new(500);
    let site = Site::new(&format!("{QUICK}circuit_failures = 100\n"));
    site.channel("ops", &moody.url(), &json!({ "retry": quick_retry(), "is_ordered": true }));
    let ids: Vec<String> = (0..5).map(|index| site.notify("ops", &format!("n{index}"))).collect();
    moody.wait(2);
    moody.set(200);
    for id in &ids {
        site.wait(id, "delivered");
    }
    let seen: Vec<usize> = moody
        .receiver
        .requests()
        .iter()
        .filter_map(|request| (0..5).find(|index| request.body_text().contains(&format!("\"n{index}\""))))
        .collect();
    assert!(seen.is_sorted(), "{seen:?}");
}

#[test]
fn what_was_taken_back_is_not_used_by_the_next_attempt() {
    let moody = Moody::new(200);
    let site = Site::new(QUICK);
    site.channel("ops", &moody.url(), &json!({}));
    let id = site.notify("ops", "one");
    site.wait(&id, "delivered");
    site.host.run(&["plugin", "remove", "slack"]).expect(0);
    let id = site.notify("ops", "two");
    let dead = site.wait(&id, "dead");
    assert_eq!((&dead["failure"]["code"], moody.receiver.count()), (&json!("plugin-not-installed"), 1));
}
