//! A serving host: `sandbell serve` on ports of its own, with its socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

use crate::host::{Host, Run, program};

/// How long a host may take to serve, and to stop.
const LIMIT: Duration = Duration::from_secs(30);

/// Stops at the end of the test.
pub(crate) struct Served {
    pub(crate) host: Host,
    child: Child,
    ops: SocketAddr,
    api: SocketAddr,
}

impl Served {
    /// A host with these plugins, installed and approved with a network of this machine.
    pub(crate) fn start(plugins: &[PathBuf]) -> Self {
        let host = Host::new();
        for plugin in plugins {
            let name = plugin.file_stem().unwrap().to_str().unwrap();
            host.run(&["plugin", "install", crate::host::text(plugin)]).expect(0);
            host.run(&["plugin", "approve", name, "--yes", "--network", "127.0.0.1"]).expect(0);
        }
        Self::of(host)
    }

    /// Serves what a host has.
    pub(crate) fn of(host: Host) -> Self {
        Self::with(host, &[])
    }

    /// Serves what a host has, with further arguments.
    pub(crate) fn with(host: Host, arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["serve", "--api", "127.0.0.1:0", "--ops", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .env("SANDBELL_STATE", host.state())
            .current_dir(host.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        // The log is read to its end, so that the host never waits for a reader.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let (mut ops, mut api, mut log) = (None, None, String::new());
        loop {
            let line = lines.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("it does not serve ({error}): {log}"));
            let json: Json = serde_json::from_str(&line).unwrap_or_default();
            log.push_str(&line);
            log.push('\n');
            let field = |name: &str| json.get(name).or(json["fields"].get(name)).and_then(Json::as_str);
            let address = || field("address").and_then(|address| address.parse().ok());
            match field("listener") {
                Some("ops") => ops = address(),
                Some("api") => api = address(),
                Some(_) | None => {}
            }
            if line.contains("sandbell serves") {
                break;
            }
        }
        let (Some(ops), Some(api)) = (ops, api) else { panic!("no addresses in the log: {log}") };
        Self { host, child, ops, api }
    }

    /// The command line, over the host's socket.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.host.run(arguments)
    }

    pub(crate) fn api(&self) -> String {
        format!("http://{}", self.api)
    }

    /// What `/metrics` gives.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.ops).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        body.to_owned()
    }

    /// Ends the host as systemd does, and gives what it had.
    pub(crate) fn stop(mut self) -> Host {
        self.end();
        let dir = tempfile::tempdir().unwrap();
        std::mem::replace(&mut self.host, Host { dir })
    }

    fn end(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}
