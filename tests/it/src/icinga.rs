//! The Icinga door, from the daemon's side (`reference/icinga.md` §§1–3).

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use sandbell_peers::{Daemon, Dialect, Receiver, Reply, example_request};
use serde_json::json;

use crate::host::{Host, channel};

const BOTH: [Dialect; 2] = [Dialect::Legacy, Dialect::JsonRpc];

fn webhook() -> Host {
    Host::with(&channel("webhook"), &["--network", "127.0.0.1"])
}

#[test]
fn a_notification_is_delivered_in_both_dialects() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let host = webhook();
    for (index, dialect) in BOTH.into_iter().enumerate() {
        let mut daemon = host.daemon("webhook", dialect);
        let info = daemon.call("GetInfo", None).unwrap().unwrap();
        assert_eq!(info["name"], "Webhook");
        assert_eq!(info["config_attrs"][0]["default"], "POST");
        let config = json!({ "url_template": receiver.url("/hook/{{.Incident.Id}}") });
        daemon.call("SetConfig", Some(&config)).unwrap().unwrap();
        let request = example_request(dialect, "webhook", "anyone");
        daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
        let arrived = receiver.requests().remove(index);
        assert_eq!((arrived.method.as_str(), arrived.target.as_str()), ("POST", "/hook/1437"));
        // The default body is the request as the daemon sent it, in Go's order of keys.
        let body: serde_json::Value = serde_json::from_slice(&arrived.body).unwrap();
        assert_eq!(body, request);
        assert!(arrived.body_text().starts_with(r#"{"contact":{"full_name":"Icinga Admin","addresses":["#));
        assert!(daemon.stop().unwrap().success());
    }
}

#[test]
fn a_link_works_as_the_daemon_starts_it() {
    let host = webhook();
    drop(host.daemon("webhook", Dialect::Legacy));
    let channels = host.dir.path().join("channels");
    std::fs::set_permissions(&channels, std::fs::Permissions::from_mode(0o555)).unwrap();
    for dialect in BOTH {
        // No environment, no arguments, the root as working directory, a read-only channels directory.
        let mut daemon = Daemon::start(&channels.join("webhook"), dialect).unwrap();
        assert_eq!(daemon.call("GetInfo", None).unwrap().unwrap()["name"], "Webhook");
        assert!(daemon.stop().unwrap().success());
    }
    std::fs::set_permissions(&channels, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_refused_configuration_keeps_the_old_one() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let host = webhook();
    for dialect in BOTH {
        let mut daemon = host.daemon("webhook", dialect);
        let request = example_request(dialect, "webhook", "anyone");
        let before = daemon.call("SendNotification", Some(&request)).unwrap().unwrap_err();
        assert_eq!(before, "the channel has no configuration yet; call SetConfig first");
        daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/old") }))).unwrap().unwrap();
        let refused = daemon
            .call("SetConfig", Some(&json!({ "url_template": "https://{{.Object.Name}}/" })))
            .unwrap()
            .unwrap_err();
        let prefix = if dialect == Dialect::Legacy { "failed to set plugin config: " } else { "" };
        let said = "option `url_template`: scheme, host and port must be plain text before the first `{{`; a grant cannot follow a host that is made at run time";
        assert_eq!(refused.strip_prefix(prefix), Some(said));
        daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
        assert_eq!(receiver.requests().last().unwrap().target, "/old");
        daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/new") }))).unwrap().unwrap();
        daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
        assert_eq!(receiver.requests().last().unwrap().target, "/new");
    }
}

#[test]
fn what_nobody_approved_describes_itself_and_does_nothing() {
    let host = Host::new();
    host.run(&["plugin", "install", channel("slack").to_str().unwrap()]).expect(0);
    let mut daemon = host.daemon("slack", Dialect::JsonRpc);
    assert_eq!(daemon.call("GetInfo", None).unwrap().unwrap()["name"], "Slack");
    let refused = daemon.call("SetConfig", Some(&json!({ "webhook_url": "https://hooks.example.com/x" })));
    assert_snapshot!(refused.unwrap().unwrap_err(), @"plugin `slack` is not approved; look at what it wants and run `sandbell plugin approve slack`");
}

#[test]
fn what_is_revoked_ends_with_the_next_notification() {
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let host = webhook();
    let mut daemon = host.daemon("webhook", Dialect::JsonRpc);
    let config = json!({ "url_template": receiver.url("/x") });
    let request = example_request(Dialect::JsonRpc, "webhook", "anyone");
    daemon.call("SetConfig", Some(&config)).unwrap().unwrap();
    daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
    // More than before changes nothing for what runs.
    host.run(&["plugin", "approve", "webhook", "--yes", "--network", "10.0.0.0/8"]).expect(0);
    daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
    host.run(&["plugin", "approve", "webhook", "--yes", "--reset"]).expect(0);
    let refused = daemon.call("SendNotification", Some(&request)).unwrap().unwrap_err();
    assert_snapshot!(refused, @"the approval of plugin `webhook` has changed since this channel was configured; run `sandbell plugin approve webhook` if it is to go on, and save the channel again");
    host.run(&["plugin", "remove", "webhook"]).expect(0);
    assert!(daemon.call("SendNotification", Some(&request)).unwrap().is_err());
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn a_slow_receiver_delays_nobody_else() {
    let receiver = Receiver::start(|request| {
        if request.target == "/slow" {
            std::thread::sleep(Duration::from_millis(800));
        }
        Reply::new(200, "")
    })
    .unwrap();
    let host = webhook();
    let mut daemon = host.daemon("webhook", Dialect::JsonRpc);
    let config = json!({ "url_template": receiver.url("{{.Event.Message}}") });
    daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/x") }))).unwrap().unwrap();
    // A host that is made at run time cannot be granted, so the slow path is made of the message.
    let refused = daemon.call("SetConfig", Some(&config)).unwrap();
    assert!(refused.is_err());
    let config = json!({ "url_template": receiver.url("/{{.Event.Message}}") });
    daemon.call("SetConfig", Some(&config)).unwrap().unwrap();
    let with = |message: &str| {
        let mut request = example_request(Dialect::JsonRpc, "webhook", "anyone");
        request["event"]["message"] = json!(message);
        request
    };
    let slow = daemon.request("SendNotification", Some(&with("slow"))).unwrap();
    let quick = daemon.request("SendNotification", Some(&with("quick"))).unwrap();
    assert_eq!(daemon.read().unwrap()["id"], quick);
    assert_eq!(daemon.read().unwrap()["id"], slow);
}

#[test]
fn the_end_of_the_input_waits_for_what_is_in_flight() {
    let receiver = Receiver::start(|_| {
        std::thread::sleep(Duration::from_millis(500));
        Reply::new(200, "")
    })
    .unwrap();
    let host = webhook();
    for dialect in BOTH {
        let mut daemon = host.daemon("webhook", dialect);
        daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/x") }))).unwrap().unwrap();
        let request = example_request(dialect, "webhook", "anyone");
        daemon.request("SendNotification", Some(&request)).unwrap();
        let start = Instant::now();
        assert!(daemon.stop().unwrap().success());
        assert!(start.elapsed() < Duration::from_secs(4));
    }
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn a_sigterm_waits_for_what_is_in_flight() {
    let receiver = Receiver::start(|_| {
        std::thread::sleep(Duration::from_millis(500));
        Reply::new(200, "")
    })
    .unwrap();
    let host = webhook();
    for dialect in BOTH {
        let mut daemon = host.daemon("webhook", dialect);
        daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/x") }))).unwrap().unwrap();
        let request = example_request(dialect, "webhook", "anyone");
        let before = receiver.requests().len();
        let id = daemon.request("SendNotification", Some(&request)).unwrap();
        sandbell_peers::wait_for("the request", || (receiver.requests().len() > before).then_some(()))
            .unwrap();
        let pid = daemon.pid().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let reply = daemon.read().unwrap();
        assert_eq!((reply["id"].as_u64(), reply["error"].is_null()), (Some(id), true), "{reply}");
        assert!(daemon.stop().unwrap().success());
    }
}

#[test]
fn a_link_works_under_the_daemons_umask() {
    let host = webhook();
    drop(host.daemon("webhook", Dialect::JsonRpc));
    let link = host.dir.path().join("channels/webhook");
    let shell = host.dir.path().join("daemon.sh");
    std::fs::write(&shell, format!("#!/bin/sh\numask 0077\nexec {}\n", link.display())).unwrap();
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755)).unwrap();
    let receiver = Receiver::start(|_| Reply::new(200, "")).unwrap();
    let mut daemon = Daemon::start(&shell, Dialect::JsonRpc).unwrap();
    daemon.call("SetConfig", Some(&json!({ "url_template": receiver.url("/x") }))).unwrap().unwrap();
    let request = example_request(Dialect::JsonRpc, "webhook", "anyone");
    daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
    assert!(daemon.stop().unwrap().success());
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn what_a_plugin_logs_reaches_the_daemon_in_its_dialect() {
    let receiver =
        Receiver::start(|request| Reply::new(200, request.header("x-token").unwrap_or_default())).unwrap();
    let host = Host::with(&crate::host::guest("steals-secret"), &["--network", "127.0.0.1"]);
    let config = json!({ "url": receiver.url("/granted"), "token": "hunter2-hunter2" });
    for dialect in BOTH {
        let mut daemon = host.daemon("steals-secret", dialect);
        daemon.call("SetConfig", Some(&config)).unwrap().unwrap();
        let mut request = example_request(dialect, "email", "alice@example.com");
        request["event"]["message"] = json!(receiver.url("/granted"));
        request["object"]["url"] = json!("https://evil.example/loot");
        daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
        let mut stderr = daemon.stderr().unwrap();
        let log = serde_json::to_string(&daemon.log).unwrap();
        assert!(daemon.stop().unwrap().success());
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        let (said, silent) = if dialect == Dialect::JsonRpc { (&log, &text) } else { (&text, &log) };
        assert!(said.contains("echoed: 200 [redacted:token]"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!silent.contains("echoed"), "{silent}");
    }
}

#[test]
fn a_broken_stream_ends_the_process_as_the_originals_end() {
    let host = webhook();
    let ended = |dialect: Dialect, first: &[u8], then: &[u8]| {
        let mut daemon = host.daemon("webhook", dialect);
        if !first.is_empty() {
            daemon.write(first).unwrap();
            daemon.read().unwrap();
        }
        daemon.write(then).unwrap();
        let mut stderr = daemon.stderr().unwrap();
        let code = daemon.stop().unwrap().code();
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        (code, text)
    };
    let legacy = br#"{"method":"GetInfo","params":null,"id":1}"#;
    let json_rpc = br#"{"id":0,"jsonrpc":"2.0","method":"GetInfo"}"#;
    for broken in [&b"nonsense\n"[..], b"[]\n", b"{\"method\":\n"] {
        let (code, text) = ended(Dialect::Legacy, legacy, broken);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("failed to read request"), "{text}");
        assert_eq!(ended(Dialect::JsonRpc, json_rpc, broken).0, Some(0));
    }
    assert_eq!(ended(Dialect::Legacy, b"", b"").0, Some(0));
}

#[test]
fn a_name_that_the_daemon_ignores_is_refused() {
    let host = webhook();
    let channels = host.dir.path().join("channels");
    std::fs::create_dir(&channels).unwrap();
    let dir = channels.to_str().unwrap();
    let run = host.run(&["icinga", "link", "webhook", "--dir", dir, "--name", "web.hook"]);
    assert_ne!(run.code, 0);
    assert_snapshot!(run.stderr, @"
    error: invalid value 'web.hook' for '--name <NAME>': the daemon ignores the name `web.hook`; write letters and digits only, e.g. `slack`

    For more information, try '--help'.
    ");
    std::fs::write(channels.join("webhook"), "somebody else's").unwrap();
    let run = host.run(&["icinga", "link", "webhook", "--dir", dir]).expect(5);
    assert_snapshot!(run.stderr.replace(dir, "CHANNELS"), @"error: `CHANNELS/webhook` is there already and is no link of ours; remove it first or choose another name with --name");
}
