//! Channels as files.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;

use super::receiver;
use crate::host::{channel, text};
use crate::served::Served;

/// A host, and a directory of its files for channels.
struct Files {
    served: Served,
    dir: PathBuf,
}

impl Files {
    fn new() -> Self {
        let served = Served::start(&[channel("slack"), channel("rocketchat")]);
        let dir = served.host.dir.path().join("channels");
        fs::create_dir(&dir).unwrap();
        Self { served, dir }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.join(name), text).unwrap();
    }

    fn see(&self, verb: &str, code: i32, more: &[&str]) -> String {
        self.served.see(code, &[&["channel", verb, "-f", text(&self.dir)], more].concat())
    }
}

#[test]
fn channels_become_what_the_files_say() {
    let receiver = receiver();
    let files = Files::new();
    files.write("webhook", &format!("{}\n", receiver.url("/ok")));
    files.write("ops.toml", "plugin = \"slack\"\n[secrets]\nwebhook_url_file = \"webhook\"\n");
    files.write(
        "chat.toml",
        "plugin = \"rocketchat\"\n[settings]\nurl = \"https://chat.example.com\"\nuser_idd = \"me\"\n",
    );
    assert_snapshot!(files.see("apply", 1, &[]), @r#"
    error: DIR/channels/chat.toml:4:1: rocketchat 0.1.0 has no option `user_idd`
      4 | user_idd = "me"
        | ^^^^^^^^ did you mean `user_id`?
    "#);
    files.write(
        "chat.toml",
        "plugin = \"rocketchat\"\n[settings]\nurl = \"https://chat.example.com\"\nuser_id = \"me\"\n[secrets]\ntoken_file = \"webhook\"\n",
    );
    assert_snapshot!(files.see("apply", 0, &["--dry-run"]), @"
    + chat  rocketchat, enabled, 2 settings, 1 secret
    + ops  slack, enabled, 1 secret
    ");
    assert_snapshot!(files.see("apply", 4, &[]), @"
      + chat  rocketchat, enabled, 2 settings, 1 secret
      + ops  slack, enabled, 1 secret

    Change 2 channels?
    error: there is nobody to ask
    hint: `--yes` changes without asking, `--dry-run` only shows
    ");
    assert_snapshot!(files.see("apply", 0, &["--yes"]), @"
      + chat  rocketchat, enabled, 2 settings, 1 secret
      + ops  slack, enabled, 1 secret
    applied
    ");
    assert_snapshot!(files.see("diff", 0, &["--exit-code"]), @"  = 2 unchanged");
    files.served.run(&["channel", "test", "ops"]).expect(0);
}

#[test]
fn what_differs_is_told_and_what_no_file_says_goes_when_asked() {
    let receiver = receiver();
    let files = Files::new();
    files.write("webhook", &receiver.url("/ok"));
    for name in ["ops", "old"] {
        let create = ["channel", "create", "slack", name, "--set-file"];
        let option = format!("webhook_url={}", files.dir.join("webhook").display());
        files.served.run(&[&create[..], &[option.as_str()]].concat()).expect(0);
    }
    files.write(
        "ops.toml",
        "plugin = \"slack\"\nenabled = false\n[secrets]\nwebhook_url_file = \"webhook\"\n[policy]\nretry = { age_max = \"360m\" }\n",
    );
    assert_snapshot!(files.see("diff", 5, &["--exit-code"]), @"
    - old  declared by no file; only deleted with --prune
    ~ ops  disabled
           policy.retry.age_max: 1d → 6h
    ");
    assert_snapshot!(files.see("apply", 0, &["--prune", "--yes"]), @"
      - old  slack, declared by no file
      ~ ops  disabled
             policy.retry.age_max: 1d → 6h
    applied
    ");
    assert_snapshot!(files.see("diff", 0, &["--exit-code", "--prune"]), @"  = 1 unchanged");
    assert_snapshot!(files.served.see(0, &["channel", "export"]), @r#"
    # ops.toml
    plugin = "slack"
    enabled = false

    [policy]
    retry = { age_max = "6h" }

    [secrets]
    # webhook_url_file = "…" # it is set; name the file that holds it
    "#);
    files.write("ops.toml", "plugin = \"slack\"\n[policy]\nretry = { age_max = \"long\" }\n");
    assert_snapshot!(files.see("apply", 1, &["--yes"]), @r#"
    error: DIR/channels/ops.toml:3:11: `long` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`
      3 | retry = { age_max = "long" }
        |           ^^^^^^^
    "#);
}
