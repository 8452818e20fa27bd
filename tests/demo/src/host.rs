//! The program as an operator types it, with a state directory of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use sandbell_peers::{Authority, Built, Serving};
use serde_json::Value as Json;

/// Everything that was built, and a host that uses it.
pub(crate) struct Host {
    pub(crate) built: Built,
    dir: PathBuf,
}

/// What a command left behind.
pub(crate) struct Run {
    command: String,
    code: i32,
    pub(crate) stdout: String,
    stderr: String,
}

impl Host {
    /// A host whose state is in this directory, which exists.
    pub(crate) fn new(built: Built, dir: &Path) -> Self {
        Self { built, dir: dir.to_owned() }
    }

    /// Installs a component and approves what it wants, on this machine.
    pub(crate) fn install(&self, file: &Path, name: &str) -> Result<()> {
        self.ok(&["plugin", "install", &file.to_string_lossy(), "--name", name])?;
        self.ok(&["plugin", "approve", name, "--yes", "--network", "127.0.0.1"])?;
        Ok(())
    }

    /// Lets an installed plugin trust the certificates of an authority, and no other.
    pub(crate) fn trust(&self, name: &str, authority: &Authority) -> Result<()> {
        let file = authority.authority_file();
        self.ok(&["plugin", "approve", name, "--yes", "--ca-file", &file.to_string_lossy()])?;
        Ok(())
    }

    /// One attempt of a plugin, and its report, which says so if the attempt failed.
    pub(crate) fn send(
        &self,
        plugin: &str,
        config: &Json,
        notification: &Json,
        more: &[&str],
    ) -> Result<Json> {
        let file = self.file("config.json", &config.to_string())?;
        let arguments = ["send", plugin, "--config", &file, "--notification", "-", "--json"];
        self.run(&[&arguments, more].concat(), &notification.to_string())?.json()
    }

    /// `sandbell serve`, and that it serves.
    pub(crate) fn serve(&self, configuration: &str) -> Result<Serving> {
        Serving::start(&self.built.program()?, &self.state(), configuration)
    }

    /// A file beside the state; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.dir.join(name);
        std::fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// A command that succeeds; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Result<String> {
        Ok(self.run(arguments, "")?.expect(0)?.stdout)
    }

    /// A command, with something to read.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Result<Run> {
        let mut child = Command::new(self.built.program()?)
            .args(arguments)
            .env("SANDBELL_STATE", self.state())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // A command that reads nothing has ended before it is told anything.
        let _ = child.stdin.take().context("stdin is piped")?.write_all(stdin.as_bytes());
        let output = child.wait_with_output()?;
        Ok(Run {
            command: arguments.join(" "),
            code: output.status.code().context("the program was killed")?,
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state")
    }
}

impl Run {
    /// Fails unless the command ended with this code.
    pub(crate) fn expect(self, code: i32) -> Result<Self> {
        let Self { command, code: is, stdout, stderr } = &self;
        ensure!(*is == code, "`sandbell {command}` ended with {is} instead of {code}: {stdout}{stderr}");
        Ok(self)
    }

    pub(crate) fn json(&self) -> Result<Json> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("`sandbell {}` printed {}{}", self.command, self.stdout, self.stderr))
    }
}
