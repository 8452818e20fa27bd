//! kill -9, disks without space, clocks that jump: what was accepted is still there.

use std::fs;
use std::process::Command;
use std::time::Duration;

use sandbell_peers::wait_for;
use serde_json::json;

use super::site::{HANGS, Moody, QUICK, Site, notification, quick_retry};
use crate::host::program;

/// Debian's libfaketime: it makes the clock of one process ours.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

#[test]
fn another_process_takes_over_what_a_killed_one_was_trying() {
    let moody = Moody::new(HANGS);
    let mut site = Site::new(QUICK);
    site.channel("ops", &moody.url(), &json!({ "retry": quick_retry() }));
    let id = site.notify("ops", "one");
    moody.wait(1);
    site.kill();
    moody.set(200);
    site.start();
    let delivery = site.wait(&id, "delivered");
    assert_eq!((&delivery["attempts"], &delivery["lapses"]), (&json!(2), &json!(1)));
    assert_eq!(moody.arrived("one"), 2, "at least once: the receiver had it, and nobody could know");
    let metrics = site.serving().ops("/metrics").unwrap().1;
    assert!(metrics.contains("sandbell_queue_lease_expired_total 1"), "{metrics}");
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let moody = Moody::new(200);
    let site = Site::new(&format!("{QUICK}[store]\nfile_bytes_max = 400_000\n"));
    site.channel("ops", &moody.url(), &json!({}));
    let mut accepted = Vec::new();
    let long = "x".repeat(8_000);
    let full = (0..200).find_map(|index| {
        let answer = site.call("POST", "/notifications", &notification("ops", &format!("{index} {long}")));
        if answer.status == 202 {
            let delivery = &answer.json().unwrap()["notifications"][0]["deliveries"][0]["id"];
            accepted.push(delivery.as_str().unwrap().to_owned());
            return None;
        }
        Some(answer)
    });
    let full = full.expect("a full disk refuses");
    assert_eq!((full.status, &full.json().unwrap()["code"]), (503, &json!("store-full")), "{}", full.text());
    assert!(accepted.len() > 5, "{}", accepted.len());
    for id in &accepted {
        // Settling needs space, too; what is not written yet is still visible, and tried or written later.
        assert!(["waiting", "leased", "delivered"].contains(&site.delivery(id)["state"].as_str().unwrap()));
    }
    wait_for("every request", || (moody.receiver.count() >= accepted.len()).then_some(())).unwrap();
    assert_eq!(site.serving().ops("/livez").unwrap().0, 200);
}

#[test]
fn a_clock_that_jumps_delays_nothing_and_loses_nothing() {
    let moody = Moody::new(503);
    let mut site = Site::new(QUICK);
    site.stop();
    let clock = site.host.dir.path().join("clock");
    fs::write(&clock, "+0").unwrap();
    let mut command = Command::new(program());
    command
        .env("LD_PRELOAD", FAKETIME)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    site.start_by(command);
    site.channel("ops", &moody.url(), &json!({ "retry": { "wait_first": "1h", "wait_max": "1h" } }));
    let waiting = site.notify("ops", "waits for an hour");
    moody.wait(1);
    wait_for("the wait", || (site.delivery(&waiting)["state"] == "waiting").then_some(())).unwrap();
    moody.set(200);
    // Back by a day: what is new is delivered at once.
    fs::write(&clock, "-1d").unwrap();
    let fresh = site.notify("ops", "fresh");
    site.wait(&fresh, "delivered");
    // And two hours beyond where it began: what waited for an hour is due.
    fs::write(&clock, "+2h").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let fresh = site.notify("ops", "fresher");
    site.wait(&fresh, "delivered");
    site.wait(&waiting, "delivered");
    assert_eq!(site.serving().ops("/livez").unwrap().0, 200);
}
