//! What an operator types, and what they see: one host, its socket, real channels, real receivers.

mod channels; // one channel, from its making to its end
mod deliveries; // what was given up, and who may ask
mod files; // channels as files
mod upkeep; // backup, keys, the doctor

use regex_lite::Regex;
use sandbell_peers::{Receiver, Reply};

use crate::host::{Host, Run};
use crate::served::Served;

/// A receiver that takes what is sent to `/ok`, knows nothing of `/gone`, and has no time at `/busy`.
fn receiver() -> Receiver {
    Receiver::start(|request| match request.target.as_str() {
        "/busy" => Reply::new(503, "later"),
        "/gone" => Reply::new(404, "no_service"),
        _ => Reply::new(200, "ok"),
    })
    .unwrap()
}

/// What is different each time, by what it is.
fn masked(run: &Run, served: &Host) -> String {
    let mut text = format!("{}{}", run.stdout, run.stderr);
    text = text.replace(served.dir.path().to_str().unwrap(), "DIR");
    let masks = [
        (r"\b(dlv|ntf|tok|chn|tnt)_[0-9a-f]{32}", "${1}_ID"),
        (r"sbt_[A-Za-z0-9_-]{43}", "sbt_TOKEN"),
        (r"127\.0\.0\.1:[0-9]+", "127.0.0.1:PORT"),
        (r"\b[0-9]+ ms\b", "N ms"),
        (r"\b([0-9]+ s ago|now)\b", "just now"),
        (r"\b[0-9.]+ Ki?B\b", "N KiB"),
        (r"\b[0-9a-f]{16}\b", "KEY"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.-]+Z?", "TIME"),
        (r"as process [0-9]+", "as process PID"),
        (r"date\^[0-9]+\^", "date^SECONDS^"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC", "TIME"),
        (r"content-length: [0-9]+", "content-length: N"),
    ];
    for (pattern, with) in masks {
        text = Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
    }
    // Columns are as wide as what was in them; what is quoted from a file stands as it stands there.
    let gap = Regex::new("([^ |])  +").unwrap();
    let narrow = |line: &str| gap.replace_all(line.trim_end(), "$1  ").into_owned();
    text.lines().map(narrow).collect::<Vec<_>>().join("\n")
}

impl Served {
    /// What a command shows, with what is different each time masked.
    fn see(&self, code: i32, arguments: &[&str]) -> String {
        masked(&self.run(arguments).expect(code), &self.host)
    }

    fn see_with(&self, code: i32, arguments: &[&str], stdin: &str) -> String {
        masked(&self.host.run_with(arguments, stdin).expect(code), &self.host)
    }
}
