//! The program as a user has it: a state directory, the built channels, and the command line.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sandbell_peers::{Built, Daemon, Dialect};
use serde_json::Value as Json;
use tempfile::TempDir;

/// A host of one's own, gone at the end of the test.
pub(crate) struct Host {
    pub(crate) dir: TempDir,
}

/// What a command left behind.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A host with one plugin, installed and approved; `approve` are further arguments of the approval.
    pub(crate) fn with(file: &Path, approve: &[&str]) -> Self {
        let host = Self::new();
        host.run(&["plugin", "install", text(file)]).expect(0);
        let name = file.file_stem().unwrap().to_str().unwrap();
        host.run(&[&["plugin", "approve", name, "--yes"], approve].concat()).expect(0);
        host
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Run {
        let mut child = Command::new(program())
            .args(arguments)
            .env_clear()
            .env("SANDBELL_STATE", self.state())
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read its input closes it; that is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// `sandbell send PLUGIN` with a configuration and the notification on stdin.
    pub(crate) fn send(&self, plugin: &str, config: &Json, notification: &Json, more: &[&str]) -> Run {
        let config_file = self.dir.path().join("config.json");
        std::fs::write(&config_file, config.to_string()).unwrap();
        let arguments = ["send", plugin, "--config", text(&config_file), "--notification", "-"];
        self.run_with(&[&arguments, more].concat(), &notification.to_string())
    }

    /// Links the plugin as a channel and starts it as the daemon would.
    pub(crate) fn daemon(&self, plugin: &str, dialect: Dialect) -> Daemon {
        let channels = self.dir.path().join("channels");
        std::fs::create_dir_all(&channels).unwrap();
        if !channels.join(plugin).exists() {
            self.run(&["icinga", "link", plugin, "--dir", text(&channels)]).expect(0);
        }
        Daemon::start(&channels.join(plugin), dialect).unwrap()
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the paths of tests are UTF-8")
}

pub(crate) fn built() -> Built {
    Built::of_this_binary().unwrap()
}

pub(crate) fn program() -> PathBuf {
    built().program().unwrap()
}

/// A channel of this repository.
pub(crate) fn channel(name: &str) -> PathBuf {
    built().channel(name).unwrap()
}

/// A hostile guest.
pub(crate) fn guest(name: &str) -> PathBuf {
    built().guest(name).unwrap()
}
