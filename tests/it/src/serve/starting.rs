//! What a host refuses to start with, and how it says so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use serde_json::json;

use super::site::{QUICK, Site};
use crate::host::{Host, text};

/// What `serve` says when it does not.
fn refused(host: &Host, configuration: &str) -> String {
    let file = host.dir.path().join("sandbell.toml");
    fs::write(&file, configuration).unwrap();
    let arguments = ["serve", "--api", "127.0.0.1:0", "--ops", "off", "--config", text(&file)];
    let run = host.run(&arguments);
    assert_ne!(run.code, 0, "{}", run.stderr);
    let lines: Vec<&str> = run.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    lines.join("\n").replace(text(host.dir.path()), "DIR")
}

#[test]
fn a_typo_is_shown_where_it_stands() {
    let host = Host::new();
    assert_snapshot!(refused(&host, "[dispatch]\natempt = \"1s\"\n"), @r#"
    error: DIR/sandbell.toml:2:1: `atempt` is no key of [dispatch]; did you mean `attempt`?
      2 | atempt = "1s"
        | ^^^^^^
    "#);
    assert_snapshot!(refused(&host, "[log]\nfilter = \"=nonsense=\""), @"error: [log] filter: `=nonsense=` is none; write e.g. `info` or `info,sandbell_broker=debug`");
    assert_snapshot!(refused(&host, "[listen]\ntls_key_file = \"/nowhere\""), @"error: [listen]: a certificate needs its key, and the key its certificate; set both files or none");
    assert!(!host.state().exists(), "nothing is made for a host that does not start");
}

#[test]
fn a_configuration_can_be_looked_at_before() {
    let host = Host::new();
    let run = host.run(&["config", "default"]).expect(0);
    let file = host.dir.path().join("default.toml");
    fs::write(&file, &run.stdout).unwrap();
    host.run(&["config", "check", "--config", text(&file)]).expect(0);
    let shown = host.run(&["config", "show", "--config", text(&file), "--json"]).expect(0).json();
    assert_eq!(shown["listen"]["api"], "127.0.0.1:8601");
    let schema = host.run(&["config", "schema"]).expect(0).json();
    assert_eq!(schema["properties"]["retention"]["properties"]["dead"]["default"], "90d");
    fs::write(&file, "[listen\n").unwrap();
    host.run(&["config", "check", "--config", text(&file)]).expect(1);
    host.run(&["config", "check", "--config", "/nowhere.toml"]).expect(3);
}

#[test]
fn a_second_host_on_the_same_state_is_refused_in_words() {
    let site = Site::new(QUICK);
    let said = refused(&site.host, "").replace(&site.serving().pid().to_string(), "PID");
    assert_snapshot!(said, @"error: another sandbell serves `DIR/state` as process PID; stop it first, or give this one a state directory of its own");
}

#[test]
fn a_key_that_opens_nothing_is_refused() {
    let mut site = Site::new(QUICK);
    site.channel("ops", "http://127.0.0.1:1/hook", &json!({}));
    site.stop();
    let key = site.host.state().join("sandbell.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let own = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert_snapshot!(refused(&site.host, ""), @"error: there is no key for the secrets in this state directory; give it with `[keys] file`, as systemd's credential `sandbell.key` or in $SANDBELL_KEY, or put back `DIR/state/sandbell.key`");
    fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_snapshot!(refused(&site.host, ""), @"error: the key file `DIR/state/sandbell.key` is open to other users; run `chmod 600 DIR/state/sandbell.key`");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let said = refused(&site.host, "");
    assert!(said.starts_with("error: none of the 1 key that was given opens this host's secrets"), "{said}");
    // The old key beside a new one opens everything.
    fs::write(&key, format!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n{own}")).unwrap();
    site.start();
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::new();
    let address = taken.local_addr().unwrap().to_string();
    let run = host.run(&["serve", "--ops", &address, "--api", "off"]).expect(1);
    let said: Vec<&str> = run.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    assert_snapshot!(said.join("\n").replace(&address, "ADDRESS"), @"error: ops cannot listen on `ADDRESS`: Address already in use (os error 98); is another program there? set `[listen] ops`");
}
