//! What is packed beside the program: the unit confines it, the alerts fire, the dashboard shows what there is.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sandbell_peers::{Receiver, Reply, wait_for};
use serde_json::Value as Json;

use crate::host::{Host, channel, guest, program, text};
use crate::served::Served;

/// A file of `dist`.
fn dist(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist").join(file)
}

/// Runs a tool to its end; gives what it wrote.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let written = [output.stdout, output.stderr].concat();
    let written = String::from_utf8(written).unwrap();
    assert!(output.status.success(), "{command:?} ended with {}: {written}", output.status);
    written
}

/// In the path, where `cargo xtask test` puts it.
fn promtool() -> Command {
    Command::new("promtool")
}

#[test]
fn the_unit_is_understood_by_systemd() {
    let dir = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string(dist("systemd/sandbell.service")).unwrap();
    // The program is not installed here.
    let unit = unit.replace("/usr/bin/sandbell ", &format!("{} ", program().display()));
    let path = dir.path().join("sandbell.service");
    std::fs::write(&path, unit).unwrap();
    let written = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path));
    assert_eq!(written, "");
}

#[test]
fn the_unit_gives_the_daemon_no_more_than_it_needs() {
    let unit = dist("systemd/sandbell.service");
    let written = run(Command::new("systemd-analyze")
        .args(["security", "--no-pager", "--offline=true", "--threshold=20"])
        .arg(&unit));
    assert!(written.contains("Overall exposure level"), "{written}");
}

#[test]
fn the_alert_rules_fire_when_they_should_and_not_before() {
    run(promtool().arg("check").arg("rules").arg(dist("prometheus/alerts.yml")));
    run(promtool().args(["test", "rules"]).arg(dist("prometheus/alerts_test.yml")));
}

#[test]
fn alerts_and_dashboard_name_only_what_is_exported() {
    let (served, _receiver) = busy();
    let dashboard: Json =
        serde_json::from_str(&std::fs::read_to_string(dist("grafana/sandbell.json")).unwrap()).unwrap();
    let mut expressions = Vec::new();
    collect(&dashboard, &mut expressions);
    assert!(expressions.len() > 20, "the dashboard has {} expressions", expressions.len());
    let alerts = std::fs::read_to_string(dist("prometheus/alerts.yml")).unwrap();
    let named: BTreeSet<_> = expressions.iter().chain([&alerts]).flat_map(|text| names(text)).collect();
    let missing = || {
        let exported = exported(&served.metrics());
        named.iter().filter(|name| !exported.contains(*name)).cloned().collect::<Vec<_>>()
    };
    // What is counted after an answer, or once a minute, comes a moment later.
    let all = wait_for("everything that is shown", || missing().is_empty().then_some(()));
    assert!(all.is_ok(), "not exported: {:?}\n{}", missing(), served.metrics());
    check_metrics(&served.metrics());
}

/// A host that has done all that is counted: delivered, failed, backed off, been refused a power, and seen a plugin die.
fn busy() -> (Served, Receiver) {
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/busy" => Reply::new(503, "later"),
        _ => Reply::new(200, "ok"),
    })
    .unwrap();
    let served = Served::start(&[channel("slack"), guest("panics")]);
    let quick = ["--policy", "retry.wait_first=1ms", "--policy", "retry.wait_max=1ms"];
    for (name, url) in [
        ("good", receiver.url("/")),
        ("busy", receiver.url("/busy")),
        ("denied", "http://10.0.0.1/".to_owned()),
    ] {
        let create = ["channel", "create", "slack", name, "--secret", "webhook_url"];
        served.host.run_with(&[&create[..], &quick].concat(), &url).expect(0);
    }
    served.run(&["channel", "create", "panics", "dies"]).expect(0);
    for (channel, code) in [("good", 0), ("denied", 6), ("dies", 75), ("busy", 75)] {
        served.run(&["notify", channel, "--message", "x", "--wait", "5"]).expect(code);
    }
    (served, receiver)
}

#[track_caller]
fn check_metrics(metrics: &str) {
    let mut child =
        promtool().args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let written = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && written.is_empty(), "{written}\n{metrics}");
}

#[test]
fn the_packaged_configuration_is_right() {
    let host = Host::new();
    host.run(&["config", "check", "--config", text(&dist("sandbell.toml"))]).expect(0);
}

/// The queries of all panels and variables.
fn collect(json: &Json, expressions: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(text) if matches!(key.as_str(), "expr" | "query" | "definition") => {
                        expressions.push(text.to_owned());
                    }
                    _ => collect(value, expressions),
                }
            }
        }
        Json::Array(values) => values.iter().for_each(|value| collect(value, expressions)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The metrics that a text names: `sandbell_` and what follows.
fn names(text: &str) -> Vec<String> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = text.split(|char| !is_part(char));
    words.filter(|word| word.starts_with("sandbell_")).map(str::to_owned).collect()
}

/// The series that these metrics make: a counter ends in `_total`, a histogram has three.
fn exported(metrics: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for line in metrics.lines() {
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) else {
            continue;
        };
        let suffixes: &[&str] = match kind {
            "counter" if name.ends_with("_total") => &[""],
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        all.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    }
    all
}
