//! kill -9 at random moments under load, and a file system that fills up: counted at the receiver, not in the sender.
//!
//! Five rounds with every other test; `cargo xtask crash` plays two hundred.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sandbell_peers::{At, Client, Receiver, Reply, Serving, wait_for};
use serde_json::json;

use crate::host::{Host, channel, program};
use crate::serve::notification;

const ROUNDS: usize = 5;
const SENDERS: usize = 4;
/// Attempts that a kill can interrupt: what may arrive twice because of it.
const AT_ONCE: usize = 8;

/// A lease lasts two seconds, and a destination is never given up for long.
const CONFIGURATION: &str =
    "[dispatch]\nattempt = \"1s\"\ncircuit_wait_first = \"100ms\"\ncircuit_wait_max = \"300ms\"\n";

/// What the receiver said yes to, by message.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<HashMap<String, usize>>>);

impl Arrived {
    fn count(&self, message: &str) -> usize {
        self.0.lock().unwrap().get(message).copied().unwrap_or_default()
    }

    fn duplicates(&self) -> usize {
        self.0.lock().unwrap().values().map(|count| count - 1).sum()
    }
}

/// What is wrong with the receiver in this round.
const MOODS: [Mood; 4] = [Mood::Well, Mood::Errors, Mood::Resets, Mood::Hangs];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Errors,
    Resets,
    Hangs,
}

/// A receiver that is unwell for every fourth request, in a way that changes.
fn receiver(arrived: &Arrived, mood: &Arc<AtomicUsize>) -> Receiver {
    let (arrived, mood, turn) = (arrived.clone(), Arc::clone(mood), AtomicUsize::new(0));
    Receiver::start(move |request| {
        let is_unwell = turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(4);
        match MOODS[mood.load(Ordering::Relaxed) % MOODS.len()] {
            Mood::Errors if is_unwell => return Reply::new(500, "busy"),
            Mood::Resets if is_unwell => return Reply::reset(),
            Mood::Hangs if is_unwell => return Reply::hang(),
            Mood::Well | Mood::Errors | Mood::Resets | Mood::Hangs => {}
        }
        *arrived.0.lock().unwrap().entry(message_of(&request.body_text())).or_default() += 1;
        Reply::new(200, "ok")
    })
    .unwrap()
}

/// `crash-…-` and what follows it, up to the quote.
fn message_of(body: &str) -> String {
    let start = body.find("crash-").unwrap_or_else(|| panic!("no message of ours: {body}"));
    body[start..].split('"').next().unwrap_or_default().to_owned()
}

/// Several callers, each with its connection, until they are told to stop. What was answered with success, and its id.
struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<thread::JoinHandle<Vec<(String, String)>>>,
}

impl Load {
    fn start(at: &At, round: usize, padding: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..SENDERS).map(|sender| {
            let (stop, mut client) = (Arc::clone(&stop), Client::new(at.clone()));
            thread::spawn(move || {
                let mut accepted = Vec::new();
                for index in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let message = format!("crash-{round}-{sender}-{index}");
                    let mut body = notification("ops", &message);
                    body["extra"] = json!({ "padding": padding });
                    // Without an answer nobody knows; the message is then not among the promises.
                    let Ok(answer) = client.json("POST", "/api/v1/notifications", &body) else { break };
                    if answer.status == 202 {
                        let id = &answer.json().unwrap()["notifications"][0]["deliveries"][0]["id"];
                        accepted.push((message, id.as_str().unwrap().to_owned()));
                    } else {
                        assert_eq!(answer.status, 503, "{}", answer.text());
                        thread::sleep(Duration::from_millis(5));
                    }
                }
                accepted
            })
        });
        let senders = senders.collect();
        Self { stop, senders }
    }

    fn stop(self) -> Vec<(String, String)> {
        self.stop.store(true, Ordering::Relaxed);
        self.senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    }
}

/// At least 0 and less than `below`.
fn dice(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

fn make_channel(serving: &Serving, url: &str) {
    let policy = json!({
        "retry": { "wait_first": "50ms", "wait_max": "200ms", "attempts_max": 1000 }, "attempts_at_once_max": AT_ONCE,
    });
    let body =
        json!({ "name": "ops", "plugin": "slack", "secrets": { "webhook_url": url }, "policy": policy });
    let answer = serving.operator().json("POST", "/api/v1/channels", &body).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Each of them is known: delivered, or visibly on its way.
fn all_known(serving: &Serving, accepted: &[(String, String)]) {
    let mut client = serving.operator();
    for (message, id) in accepted {
        let answer = client.get(&format!("/api/v1/deliveries/{id}")).unwrap();
        assert_eq!(answer.status, 200, "{message} was accepted and is gone: {}", answer.text());
        let delivery = answer.json().unwrap();
        assert!(delivery["state"] != "dead", "{delivery:#}");
    }
}

/// Waits until nothing is on its way any more, as long as there is less and less of it.
fn all_settled(serving: &Serving) {
    let mut client = serving.operator();
    let mut left = u64::MAX;
    while left > 0 {
        let less = || -> Option<u64> {
            let status = client.get("/api/v1/status").ok()?.json().ok()?;
            let now = status["waiting"].as_u64()? + status["leased"].as_u64()?;
            (now < left).then_some(now)
        };
        left = wait_for("a shorter queue", less).unwrap_or_else(|error| {
            let log = serving.log();
            panic!("{error}, {left} are left: {}", log[log.len().saturating_sub(50)..].join("\n"))
        });
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the long version is looked at while it runs")]
fn a_kill_at_any_moment_loses_nothing() {
    let rounds = std::env::var_os("SANDBELL_CRASH_ROUNDS")
        .map_or(ROUNDS, |rounds| rounds.to_str().unwrap().parse().unwrap());
    let (arrived, mood) = (Arrived::default(), Arc::new(AtomicUsize::new(0)));
    let receiver = receiver(&arrived, &mood);
    let host = Host::with(&channel("slack"), &["--network", "127.0.0.1"]);
    let start = || Serving::start(&program(), &host.state(), CONFIGURATION).unwrap();
    let mut promised: Vec<(String, String)> = Vec::new();
    let mut serving = start();
    make_channel(&serving, &receiver.url("/hook"));
    for round in 0..rounds {
        mood.store(round, Ordering::Relaxed);
        let load = Load::start(&At::Unix(serving.socket.clone()), round, "");
        thread::sleep(Duration::from_millis(50 + dice(800)));
        serving.kill().unwrap();
        let accepted = load.stop();
        serving = start();
        all_known(&serving, &accepted);
        promised.extend(accepted);
        eprintln!(
            "round {round}: {} accepted in all, {} arrived twice so far",
            promised.len(),
            arrived.duplicates()
        );
    }
    mood.store(0, Ordering::Relaxed);
    all_settled(&serving);
    let lost: Vec<&String> =
        promised.iter().map(|(message, _)| message).filter(|message| arrived.count(message) == 0).collect();
    assert!(lost.is_empty(), "{} of {} never arrived: {lost:?}", lost.len(), promised.len());
    assert!(promised.len() >= rounds, "there was no load");
    let duplicates = arrived.duplicates();
    assert!(duplicates <= rounds * AT_ONCE, "{duplicates} duplicates after {rounds} kills");
    eprintln!("{} accepted, none lost, {duplicates} arrived twice over {rounds} kills", promised.len());
}

/// A file system of its own in memory; gone at the end of the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(dir: &Path, options: &str) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        run("mount", &["-t", "tmpfs", "-o", options, "tmpfs", dir.to_str().unwrap()]);
        Self(dir.to_owned())
    }

    fn grow(&self, options: &str) {
        run("mount", &["-o", &format!("remount,{options}"), self.0.to_str().unwrap()]);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

#[test]
fn a_disk_that_fills_up_under_load_loses_nothing() {
    static PADDING: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(2_000));
    let (arrived, mood) = (Arrived::default(), Arc::new(AtomicUsize::new(0)));
    let receiver = receiver(&arrived, &mood);
    let host = Host::with(&channel("slack"), &["--network", "127.0.0.1"]);
    let disk = host.dir.path().join("disk");
    let small = SmallDisk::mount(&disk, "size=6m,mode=700");
    run("cp", &["-a", &format!("{}/.", host.state().display()), disk.to_str().unwrap()]);
    let start = || Serving::start(&program(), &disk, CONFIGURATION).unwrap();
    let serving = start();
    make_channel(&serving, &receiver.url("/hook"));
    let load = Load::start(&At::Unix(serving.socket.clone()), 0, &PADDING);
    let is_full = || serving.log().iter().any(|line| line.contains("no space left")).then_some(());
    wait_for("a full disk", is_full).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(serving.ops("/livez").unwrap().0, 200);
    assert_eq!(serving.ops("/readyz").unwrap().0, 503, "a host that cannot write is not ready");
    let mut promised = load.stop();
    serving.kill().unwrap();
    small.grow("size=64m");
    let serving = start();
    all_known(&serving, &promised);
    let load = Load::start(&At::Unix(serving.socket.clone()), 1, "");
    thread::sleep(Duration::from_millis(200));
    promised.extend(load.stop());
    all_settled(&serving);
    let messages: HashSet<&String> = promised.iter().map(|(message, _)| message).collect();
    let lost: Vec<_> = messages.iter().filter(|message| arrived.count(message) == 0).collect();
    assert!(
        lost.is_empty() && promised.len() > 20,
        "{} of {} never arrived: {lost:?}",
        lost.len(),
        promised.len()
    );
}
