//! The daemon's side of Icinga's channel protocol (`reference/icinga.md` §§1–3), in both dialects.
//!
//! It starts an executable as the daemon does: no arguments, an empty environment, the root as working directory.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value as Json, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Up to v0.2.0: no `jsonrpc` key, ids from 1, errors are strings.
    Legacy,
    /// JSON-RPC 2.0: ids from 0, errors are objects, the channel may log.
    JsonRpc,
}

/// A running channel executable, seen from the daemon.
pub struct Daemon {
    pub dialect: Dialect,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
    /// What the channel said by `channel::Log`.
    pub log: Vec<Json>,
    /// From the spawn to the first reply.
    pub first_reply: Option<Duration>,
    started: Instant,
}

impl Daemon {
    pub fn start(executable: &Path, dialect: Dialect) -> Result<Self> {
        let started = Instant::now();
        let mut child = Command::new(executable)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} does not start", executable.display()))?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let next_id = u64::from(dialect == Dialect::Legacy);
        Ok(Self { dialect, child, stdin, stdout, next_id, log: Vec::new(), first_reply: None, started })
    }

    /// Calls and waits for the reply: the result, or the error's text.
    pub fn call(&mut self, method: &str, params: Option<&Json>) -> Result<Result<Json, String>> {
        let id = self.request(method, params)?;
        loop {
            let reply = self.read()?;
            if reply["id"] == id {
                return Ok(match &reply["error"] {
                    Json::Null => Ok(reply["result"].clone()),
                    Json::String(error) => Err(error.clone()),
                    error @ (Json::Object(_) | Json::Array(_) | Json::Bool(_) | Json::Number(_)) => {
                        Err(error["message"].as_str().unwrap_or_default().to_owned())
                    }
                });
            }
        }
    }

    /// Sends a request with the keys in the order of the real daemon; returns its id.
    pub fn request(&mut self, method: &str, params: Option<&Json>) -> Result<u64> {
        let id = self.next_id;
        self.next_id += 1;
        let params = params.map(Json::to_string);
        let line = match (self.dialect, params) {
            (Dialect::Legacy, params) => {
                let params = params.unwrap_or_else(|| "null".to_owned());
                format!("{{\"method\":\"{method}\",\"params\":{params},\"id\":{id}}}\n")
            }
            (Dialect::JsonRpc, None) => {
                format!("{{\"id\":{id},\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}\n")
            }
            (Dialect::JsonRpc, Some(params)) => {
                format!("{{\"id\":{id},\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}\n")
            }
        };
        self.write(line.as_bytes())?;
        Ok(id)
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        stdin.write_all(bytes).context("the channel does not read")?;
        Ok(stdin.flush()?)
    }

    /// The next reply; what the channel logs meanwhile is kept in `log`.
    pub fn read(&mut self) -> Result<Json> {
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                bail!("the channel closed its output");
            }
            self.first_reply.get_or_insert_with(|| self.started.elapsed());
            let value: Json = serde_json::from_str(&line).with_context(|| format!("no JSON: {line}"))?;
            if value["method"] == "channel::Log" {
                self.log.push(value["params"].clone());
            } else {
                return Ok(value);
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Peak resident memory so far, in KiB.
    pub fn peak_kib(&self) -> Result<u64> {
        self.kib("status", "VmHWM:")
    }

    /// Memory now, in KiB, with its share of the pages that other processes have, too: those of the program's file and of
    /// the system's libraries.
    pub fn share_kib(&self) -> Result<u64> {
        self.kib("smaps_rollup", "Pss:")
    }

    /// Memory that is this process's own now, in KiB: no pages of files but those that it changed.
    pub fn own_kib(&self) -> Result<u64> {
        self.kib("status", "RssAnon:")
    }

    fn kib(&self, file: &str, name: &str) -> Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.pid()))?;
        let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).context("no number")
    }

    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Closes the channel's input, as the daemon does to stop it, and waits for its end.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.stdin = None;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            // The daemon kills after 5 s; a channel that needs that is broken.
            if start.elapsed() > Duration::from_secs(5) {
                bail!("the channel did not end within 5 s of the end of its input");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The documented `SendNotification` request for one contact (`reference/icinga.md` §1.2, §1.3).
pub fn example_request(dialect: Dialect, address_type: &str, address: &str) -> Json {
    let mut request = json!({
        "contact": {
            "full_name": "Icinga Admin",
            "addresses": [{ "type": address_type, "address": address }],
        },
        "object": {
            "name": "dummy-809!random fortune",
            "url": "http://localhost/icingaweb2/icingadb/service?name=random%20fortune&host.name=dummy-809",
            "tags": { "host": "dummy-809", "service": "random fortune" },
        },
        "incident": {
            "id": 1437,
            "url": "http://localhost/icingaweb2/notifications/incident?id=1437",
            "severity": "crit",
        },
        "event": { "time": "2026-11-22T04:49:52.699Z", "message": "Something <went> wrong & é" },
    });
    if dialect == Dialect::Legacy {
        request["object"]["extra_tags"] = json!({ "hostgroup/linux": "" });
        request["event"]["type"] = json!("state");
        request["event"]["username"] = json!("");
    }
    request
}
