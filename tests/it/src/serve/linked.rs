//! A linked channel of Icinga whose work a serving host does (`sandbell icinga link --connect`).

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use sandbell_peers::{Daemon, Dialect, Receiver, Reply, Serving, example_request, wait_for};
use serde_json::{Value as Json, json};

use crate::host::{Host, channel, program, text};

const BOTH: [Dialect; 2] = [Dialect::Legacy, Dialect::JsonRpc];

/// What a process may hold that only carries, in KiB, with its share of the program's pages.
const SHARE_KIB_MAX: u64 = 8 * 1024;

/// The same without those pages, of which an unoptimised program has three times as many.
const OWN_KIB_MAX: u64 = 4 * 1024;

/// A serving host with the webhook channel, linked twice: `webhook` delivers by itself, `hosted` is connected.
struct Linked {
    host: Host,
    serving: Option<Serving>,
    channels: PathBuf,
}

impl Linked {
    fn new() -> Self {
        let host = Host::with(&channel("webhook"), &["--network", "127.0.0.1"]);
        let channels = host.dir.path().join("channels");
        std::fs::create_dir(&channels).unwrap();
        let link = ["icinga", "link", "webhook", "--dir", text(&channels)];
        host.run(&link).expect(0);
        host.run(&[&link[..], &["--name", "hosted", "--connect"]].concat()).expect(0);
        let mut linked = Self { host, serving: None, channels };
        linked.serve();
        linked
    }

    fn serve(&mut self) {
        self.serving = Some(Serving::start(&program(), &self.host.state(), "").unwrap());
    }

    fn stop(&mut self) {
        assert!(self.serving.take().unwrap().stop().unwrap().success());
    }

    fn daemon(&self, link: &str, dialect: Dialect) -> Daemon {
        Daemon::start(&self.channels.join(link), dialect).unwrap()
    }

    /// A connected process that was given this URL.
    #[track_caller]
    fn configured(&self, dialect: Dialect, url: &str) -> Daemon {
        let mut daemon = self.daemon("hosted", dialect);
        daemon.call("SetConfig", Some(&json!({ "url_template": url }))).unwrap().unwrap();
        daemon
    }

    #[track_caller]
    fn get(&self, path: &str) -> Vec<Json> {
        let answer = self.serving.as_ref().unwrap().operator().get(&format!("/api/v1{path}")).unwrap();
        answer.json().unwrap()["items"].as_array().unwrap().clone()
    }

    fn states(&self) -> Vec<String> {
        let deliveries = self.get("/deliveries");
        deliveries.iter().map(|delivery| delivery["state"].as_str().unwrap().to_owned()).collect()
    }
}

fn send(daemon: &mut Daemon) -> Result<Json, String> {
    let request = example_request(daemon.dialect, "hosted", "anyone");
    daemon.call("SendNotification", Some(&request)).unwrap()
}

#[test]
fn a_notification_goes_through_the_outbox_in_both_dialects() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let linked = Linked::new();
    for (index, dialect) in BOTH.into_iter().enumerate() {
        let mut daemon = linked.daemon("hosted", dialect);
        assert_eq!(daemon.call("GetInfo", None).unwrap().unwrap()["name"], "Webhook");
        let early = send(&mut daemon).unwrap_err();
        assert_eq!(early, "the channel has no configuration yet; call SetConfig first");
        let config = json!({ "url_template": receiver.url("/hook/{{.Incident.Id}}") });
        daemon.call("SetConfig", Some(&config)).unwrap().unwrap();
        send(&mut daemon).unwrap();
        let arrived = receiver.requests().remove(index);
        assert_eq!(arrived.target, "/hook/1437");
        let body: Json = serde_json::from_slice(&arrived.body).unwrap();
        assert_eq!(body, example_request(dialect, "hosted", "anyone"));
        let (own, share) = (daemon.own_kib().unwrap(), daemon.share_kib().unwrap());
        assert!(own < OWN_KIB_MAX, "{own} KiB");
        assert!(cfg!(debug_assertions) || share < SHARE_KIB_MAX, "{share} KiB");
        assert!(daemon.stop().unwrap().success());
    }
    assert_eq!(linked.states(), ["delivered", "delivered"]);
    // Both carried the same configuration, which is one channel.
    assert_eq!(linked.get("/channels").len(), 1);
}

#[test]
fn what_is_wrong_is_told_in_the_words_of_the_other_mode() {
    let receiver = Receiver::start(|_| Reply::new(404, "gone")).unwrap();
    let linked = Linked::new();
    for dialect in BOTH {
        let (mut alone, mut hosted) = (linked.daemon("webhook", dialect), linked.daemon("hosted", dialect));
        let mut same = |method: &str, params: Json| {
            let one = alone.call(method, Some(&params)).unwrap();
            let other = hosted.call(method, Some(&params)).unwrap();
            assert_eq!(one, other, "{method} {params}");
            one
        };
        same("SetConfig", json!({})).unwrap_err();
        same("SetConfig", json!([])).unwrap_err();
        same("SetConfig", json!({ "url_template": "https://{{.Object.Name}}/" })).unwrap_err();
        same("SetConfig", json!({ "url_template": receiver.url("/{{") })).unwrap_err();
        same("SetConfig", json!({ "url_template": receiver.url("/x"), "more": 1 })).unwrap();
        same("SendNotification", json!({ "incident": { "severity": "bad" } })).unwrap_err();
        let mut request = example_request(dialect, "x", "anyone");
        let dead = same("SendNotification", request.clone()).unwrap_err();
        assert_eq!(dead, "unaccepted HTTP response status code 404 not in [200]");
        request["event"]["message"] = json!([]);
        same("SendNotification", request).unwrap_err();
        same("Nonsense", json!({})).unwrap_err();
    }
    assert_eq!(linked.states(), ["dead", "dead"]);
}

#[test]
fn a_receiver_that_recovers_is_waited_for() {
    let count = AtomicU32::new(0);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::new(503, "busy"),
        _ => Reply::new(200, ""),
    })
    .unwrap();
    let linked = Linked::new();
    send(&mut linked.configured(Dialect::JsonRpc, &receiver.url("/x"))).unwrap();
    assert_eq!(receiver.count(), 2);
    assert_eq!(linked.states(), ["delivered"]);
}

#[test]
fn what_is_still_tried_when_waiting_ends_is_the_hosts() {
    let receiver = Receiver::start(|_| Reply::new(503, "busy").header("retry-after", "60")).unwrap();
    let linked = Linked::new();
    let mut daemon = linked.configured(Dialect::JsonRpc, &receiver.url("/x"));
    let begun = Instant::now();
    send(&mut daemon).unwrap();
    let waited = begun.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(13)).contains(&waited), "{waited:?}");
    assert_eq!(linked.states(), ["waiting"]);
}

#[test]
fn the_end_of_the_process_loses_nothing_that_the_host_has() {
    let receiver = Receiver::start(|_| Reply::new(503, "busy").header("retry-after", "60")).unwrap();
    let linked = Linked::new();
    for (index, dialect) in BOTH.into_iter().enumerate() {
        let mut daemon = linked.configured(dialect, &receiver.url("/x"));
        let request = example_request(dialect, "hosted", "anyone");
        let id = daemon.request("SendNotification", Some(&request)).unwrap();
        wait_for("the first try", || (receiver.count() > index).then_some(())).unwrap();
        let pid = daemon.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let reply = daemon.read().unwrap();
        assert_eq!((reply["id"].as_u64(), reply["error"].is_null()), (Some(id), true), "{reply}");
        assert!(daemon.stop().unwrap().success());
    }
    assert_eq!(linked.states(), ["waiting", "waiting"]);
}

#[test]
fn a_host_that_comes_back_is_found_without_a_restart() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let mut linked = Linked::new();
    let mut daemon = linked.configured(Dialect::JsonRpc, &receiver.url("/x"));
    linked.stop();
    assert_eq!(daemon.call("GetInfo", None).unwrap().unwrap()["name"], "Webhook");
    let state = linked.host.state();
    let away = send(&mut daemon).unwrap_err().replace(text(&state), "STATE");
    assert_snapshot!(away, @"no serving host answers at `STATE/run/icinga.sock` (No such file or directory (os error 2)); start it with `systemctl start sandbell`, or run `sandbell serve`");
    let away = daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/y") }))).unwrap();
    assert!(away.unwrap_err().starts_with("no serving host answers at"));
    linked.serve();
    send(&mut daemon).unwrap();

    // One that is away for a moment only, e.g. for an upgrade, is waited for.
    linked.stop();
    let request = example_request(Dialect::JsonRpc, "hosted", "anyone");
    let id = daemon.request("SendNotification", Some(&request)).unwrap();
    linked.serve();
    let reply = daemon.read().unwrap();
    assert_eq!((reply["id"].as_u64(), reply["error"].is_null()), (Some(id), true), "{reply}");

    // One that does not know the channel any more is told its configuration again.
    let name = linked.get("/channels")[0]["name"].as_str().unwrap().to_owned();
    let mut operator = linked.serving.as_ref().unwrap().operator();
    let deleted = operator.call("DELETE", &format!("/api/v1/channels/{name}"), &[], &[]).unwrap();
    assert!(deleted.status < 300, "{}", deleted.text());
    send(&mut daemon).unwrap();
    assert_eq!(linked.get("/channels")[0]["name"], name);
    assert!(receiver.requests().iter().all(|request| request.target == "/x"));
    assert_eq!(receiver.count(), 3);
}

#[test]
fn a_host_that_is_killed_while_it_is_waited_for_delivers_later() {
    let is_well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = std::sync::Arc::clone(&is_well);
    let receiver = Receiver::start(move |_| {
        if asked.load(Ordering::Relaxed) {
            Reply::new(200, "")
        } else {
            Reply::new(503, "busy").header("retry-after", "3")
        }
    })
    .unwrap();
    let mut linked = Linked::new();
    let mut daemon = linked.configured(Dialect::Legacy, &receiver.url("/x"));
    let request = example_request(Dialect::Legacy, "hosted", "anyone");
    daemon.request("SendNotification", Some(&request)).unwrap();
    wait_for("the first try", || (receiver.count() > 0).then_some(())).unwrap();
    linked.serving.take().unwrap().kill().unwrap();
    assert!(daemon.read().unwrap()["error"].is_null());
    is_well.store(true, Ordering::Relaxed);
    linked.serve();
    wait_for("the delivery", || (linked.states() == ["delivered"]).then_some(())).unwrap();
}

#[test]
fn configurations_that_differ_in_a_secret_only_are_two_channels() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let linked = Linked::new();
    let config = |secret: &str| json!({ "url_template": receiver.url("/x"), "signing_secret": secret });
    let mut daemons = ["hunter2-one", "hunter2-two", "hunter2-one"].map(|secret| {
        let mut daemon = linked.daemon("hosted", Dialect::JsonRpc);
        daemon.call("SetConfig", Some(&config(secret))).unwrap().unwrap();
        daemon
    });
    let channels = linked.get("/channels");
    assert_eq!(channels.len(), 2);
    assert!(!json!(channels).to_string().contains("hunter2"));
    for daemon in &mut daemons {
        send(daemon).unwrap();
    }
    let mut sent: Vec<String> =
        linked.get("/deliveries").iter().map(|delivery| delivery["channel_id"].to_string()).collect();
    sent.sort();
    sent.dedup();
    assert_eq!((sent.len(), receiver.count()), (2, 3));
}

#[test]
fn a_channel_that_is_disabled_on_the_host_says_so() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let linked = Linked::new();
    let mut daemon = linked.configured(Dialect::JsonRpc, &receiver.url("/x"));
    let name = linked.get("/channels")[0]["name"].as_str().unwrap().to_owned();
    let change = |verb: &str| {
        let mut operator = linked.serving.as_ref().unwrap().operator();
        let path = format!("/api/v1/channels/{name}/{verb}");
        let answer = operator.call("POST", &path, &[], &[]).unwrap();
        assert!(answer.status < 300, "{}", answer.text());
    };
    change("disable");
    let refused = send(&mut daemon).unwrap_err().replace(&name, "NAME");
    assert_snapshot!(refused, @"channel `NAME` of the serving host is disabled: disabled by hand; `sandbell channel enable NAME` lets it go on");
    change("enable");
    send(&mut daemon).unwrap();
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_slow_receiver_delays_nobody_else() {
    let receiver = Receiver::start(|request| {
        if request.target == "/slow" {
            std::thread::sleep(Duration::from_millis(1500));
        }
        Reply::new(200, "")
    })
    .unwrap();
    let linked = Linked::new();
    let mut daemon = linked.configured(Dialect::JsonRpc, &receiver.url("/{{.Event.Message}}"));
    let with = |message: &str| {
        let mut request = example_request(Dialect::JsonRpc, "hosted", "anyone");
        request["event"]["message"] = json!(message);
        request
    };
    let slow = daemon.request("SendNotification", Some(&with("slow"))).unwrap();
    let quick = daemon.request("SendNotification", Some(&with("quick"))).unwrap();
    assert_eq!(daemon.read().unwrap()["id"], quick);
    assert_eq!(daemon.read().unwrap()["id"], slow);
}

#[test]
fn a_link_that_is_made_again_goes_back_to_its_own_process() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let mut linked = Linked::new();
    linked.stop();
    let channels = linked.channels.clone();
    linked.host.run(&["icinga", "link", "webhook", "--dir", text(&channels), "--name", "hosted"]).expect(0);
    send(&mut linked.configured(Dialect::Legacy, &receiver.url("/x"))).unwrap();
    assert_eq!(receiver.count(), 1);
    let wrong = ["icinga", "link", "webhook", "--dir", text(&channels), "--connect=run/icinga.sock"];
    let wrong = linked.host.run(&wrong).expect(2);
    assert!(wrong.stderr.contains("is no socket; write its absolute path"), "{}", wrong.stderr);
}

/// The daemon as another user, with a state directory of its own. Only root can become somebody else; whoever else runs
/// the tests finds nothing here.
#[test]
fn another_user_is_let_in_by_name_and_reaches_nothing_else() {
    const UID: &str = "23456";
    let whoami = Command::new("id").arg("-u").output().unwrap();
    if whoami.stdout != b"0\n" {
        return;
    }
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let host = Host::with(&channel("webhook"), &["--network", "127.0.0.1"]);
    let dir = host.dir.path().to_owned();
    let open = |mode| std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(mode)).unwrap();
    open(0o755);
    let socket = dir.join("open/icinga.sock");
    let serve = |users: &str| {
        let listen = format!("[listen]\nicinga_socket = {:?}\nicinga_users = {users}\n", text(&socket));
        Serving::start(&program(), &host.state(), &listen).unwrap()
    };
    let theirs = dir.join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::os::unix::fs::chown(&theirs, Some(UID.parse().unwrap()), Some(UID.parse().unwrap())).unwrap();
    for file in [program(), channel("webhook")] {
        std::fs::copy(&file, dir.join(file.file_name().unwrap())).unwrap();
    }
    let as_them = ["--reuid", UID, "--regid", UID, "--clear-groups"];
    let run = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(as_them).arg(dir.join("sandbell")).args(arguments).current_dir(&theirs);
        let output = command.env("SANDBELL_STATE", theirs.join("state")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["plugin", "install", text(&dir.join("webhook.wasm"))]);
    run(&["icinga", "link", "webhook", "--dir", text(&theirs), &format!("--connect=unix:{}", text(&socket))]);
    let shell = dir.join("daemon.sh");
    let link = theirs.join("webhook");
    let script = format!("#!/bin/sh\nexec /usr/bin/setpriv {} {}\n", as_them.join(" "), link.display());
    std::fs::write(&shell, script).unwrap();
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = json!({ "url_template": receiver.url("/x") });

    let serving = serve("[\"nobody\"]");
    let mut daemon = Daemon::start(&shell, Dialect::JsonRpc).unwrap();
    let refused = daemon.call("SetConfig", Some(&config)).unwrap().unwrap_err();
    assert_snapshot!(refused, @"user `#23456` may not use this socket; name the daemon's user in `icinga_users` of the serving host's configuration, section `[listen]`, and reload it");
    drop(serving);
    let _serving = serve(&format!("[{UID:?}]"));
    daemon.call("SetConfig", Some(&config)).unwrap().unwrap();
    send(&mut daemon).unwrap();
    assert_eq!(receiver.count(), 1);
    let elsewhere = Command::new("setpriv")
        .args(as_them)
        .args(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", text(&socket)])
        .arg("http://localhost/api/v1/channels")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&elsewhere.stdout), "404");
}
