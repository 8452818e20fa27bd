//! One delivery by hand: what is shown is what goes out.

use insta::assert_snapshot;
use sandbell_peers::{Dialect, Receiver, Reply, example_request};
use serde_json::json;

use crate::host::{Host, channel};

#[test]
fn a_dry_run_shows_what_would_be_sent_byte_for_byte_and_sends_nothing() {
    let receiver = Receiver::start(|_| Reply::new(200, r#"{"success":true}"#)).unwrap();
    let host = Host::with(&channel("rocketchat"), &["--network", "127.0.0.1"]);
    let config = json!({ "url": receiver.url(""), "user_id": "icinga", "token": "s3cret-token" });
    let request = example_request(Dialect::JsonRpc, "rocketchat", "#ops");
    let dry = host.send("rocketchat", &config, &request, &["--dry-run"]).expect(0);
    assert!(receiver.requests().is_empty());
    host.send("rocketchat", &config, &request, &[]).expect(0);
    let [sent] = receiver.requests().try_into().unwrap();
    let sent =
        String::from_utf8(sent.raw).unwrap().replace("s3cret-token", "<secret:token>").replace("\r\n", "\n");
    assert!(dry.stdout.contains(&sent), "shown:\n{}\nsent:\n{sent}", dry.stdout);
}

#[test]
fn an_outcome_has_its_exit_code() {
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/busy" => Reply::new(429, "slow down").header("retry-after", "30"),
        "/gone" => Reply::new(404, "no_service"),
        _ => Reply::new(200, "ok"),
    })
    .unwrap();
    let host = Host::with(&channel("slack"), &["--network", "127.0.0.1"]);
    let request = example_request(Dialect::JsonRpc, "slack", "#ops");
    let send = |path: &str, more: &[&str]| {
        host.send("slack", &json!({ "webhook_url": receiver.url(path) }), &request, more)
    };
    send("/ok", &[]).expect(0);
    assert_snapshot!(send("/busy", &[]).expect(75).stderr, @"
    error: slack did not deliver the notification (transient, rate-limited)
    because: HTTP 429 Too Many Requests: slow down
    hint: trying again can help, not before 30 s from now
    ");
    assert_eq!(send("/busy", &["--json"]).expect(75).json()["outcome"]["retry_after_ms"], 30_000);
    assert_snapshot!(send("/gone", &[]).expect(6).stderr, @"
    error: slack did not deliver the notification (permanent, auth)
    because: Slack answered `no_service`: the webhook is disabled, removed, or not valid
    hint: trying again cannot help: look at the configuration and the address
    ");
}

#[test]
fn a_bad_configuration_names_the_option() {
    let host = Host::with(&channel("email"), &[]);
    let request = example_request(Dialect::JsonRpc, "email", "alice@example.com");
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut config = json!({
            "host": "mail.example.com", "port": "25", "sender_mail": "a@example.com", "encryption": "none",
        });
        change(&mut config);
        let run = host.send("email", &config, &request, &["--dry-run"]).expect(1);
        run.stderr.lines().find(|line| line.starts_with("because: ")).unwrap_or(&run.stderr).to_owned()
    };
    assert_snapshot!(refused(&|config| config["port"] = json!([])), @r#"because: option `port`: is an array; write a whole number, e.g. 25 or "25""#);
    assert_snapshot!(refused(&|config| config["port"] = json!("70000")), @"because: option `port`: must be between 1 and 65535");
    assert_snapshot!(refused(&|config| config["host"] = json!(null)), @"because: option `host`: is required and has no value");
    assert_snapshot!(refused(&|config| config["encryption"] = json!("ssl")), @"because: option `encryption`: `ssl` is no choice; choose `none`, `starttls`, `tls`");
    assert_snapshot!(refused(&|config| config["user"] = json!("alice")), @"because: user and password fields must both be set or empty");
}

#[test]
fn a_file_without_an_end_is_read_to_its_limit() {
    let host = Host::with(&channel("slack"), &[]);
    let run = host.run(&["plugin", "approve", "slack", "--yes", "--ca-file", "/dev/zero"]).expect(1);
    assert_snapshot!(run.stderr, @"error: `/dev/zero` has more than 1048576 bytes; write a file with only the certificates that are needed");
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = std::process::Command::new(crate::host::program())
        .args(["inspect", "--json"])
        .arg(channel("slack"))
        .env("SANDBELL_STATE", Host::new().state())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"error: the result cannot be written: No space left on device (os error 28)");
}
