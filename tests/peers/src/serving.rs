//! A serving host, started as an operator starts it, on ports that the system gives.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, kill_process};
use serde_json::Value as Json;

pub use rustix::process::Signal;

use crate::{At, Client, wait_for};

/// A running `sandbell serve`; killed when it is dropped.
pub struct Serving {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    pub api: SocketAddr,
    pub ops: SocketAddr,
    pub socket: PathBuf,
    /// From the spawn to the moment when it said that it serves.
    pub started_in: Duration,
}

impl Serving {
    /// Starts it with this state directory and the text of a configuration, and waits until it serves.
    pub fn start(program: &Path, state: &Path, configuration: &str) -> Result<Self> {
        Self::start_by(Command::new(program), state, configuration)
    }

    /// As [`Self::start`], by a command that ends in the program, e.g. one with another clock.
    pub fn start_by(mut command: Command, state: &Path, configuration: &str) -> Result<Self> {
        let file = state.with_extension("toml");
        std::fs::write(&file, configuration)?;
        let begun = Instant::now();
        let mut child = command
            .args(["serve", "--api", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--config"])
            .arg(&file)
            .env("SANDBELL_STATE", state)
            .env("SANDBELL_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the host does not start")?;
        let stderr = child.stderr.take().expect("stderr is piped");
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                kept.lock().expect("no thread panics while it holds the log").push(line);
            }
        });
        let lines = || log.lock().expect("no thread panics while it holds the log").clone();
        let serves = wait_for("the start of the host", || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(status));
            }
            lines().iter().any(|line| line.contains("sandbell serves")).then_some(Ok(()))
        });
        if let Err(status) = serves.with_context(|| lines().join("\n"))? {
            // What it had to say may still be on its way.
            std::thread::sleep(Duration::from_millis(50));
            bail!("the host ended with {status}: {}", lines().join("\n"));
        }
        let started_in = begun.elapsed();
        let [api, ops] = ["api", "ops"].map(|name| field(&lines(), name, "address"));
        let socket = PathBuf::from(field(&lines(), "socket", "socket")?);
        Ok(Self { child, log, api: api?.parse()?, ops: ops?.parse()?, socket, started_in })
    }

    /// A caller over the socket: an operator.
    pub fn operator(&self) -> Client {
        Client::new(At::Unix(self.socket.clone()))
    }

    /// `GET` on the address for those who operate.
    pub fn ops(&self, path: &str) -> Result<(u16, String)> {
        let answer = Client::new(At::Tcp(self.ops)).get(path)?;
        Ok((answer.status, answer.text()))
    }

    /// Lines of the log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no thread panics while it holds the log").clone()
    }

    /// Waits for a line of the log that holds `text`.
    pub fn wait_for_log(&self, text: &str) -> Result<String> {
        wait_for(&format!("`{text}` in the log"), || self.log().into_iter().find(|line| line.contains(text)))
            .with_context(|| self.log().join("\n"))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("a process has an id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// SIGTERM, and its end.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended()
    }

    /// SIGKILL: what a power cut does, but for the disk.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let log = Arc::clone(&self.log);
        let child = &mut self.child;
        wait_for("the end of the host", || child.try_wait().ok().flatten())
            .with_context(|| log.lock().expect("no thread panics while it holds the log").join("\n"))
    }

    /// Resident memory now, in KiB.
    pub fn resident_kib(&self) -> Result<u64> {
        self.of_status("VmRSS")
    }

    /// The most resident memory so far, in KiB.
    pub fn peak_kib(&self) -> Result<u64> {
        self.of_status("VmHWM")
    }

    /// Open files and sockets.
    pub fn open_files(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.pid()))?.count())
    }

    fn of_status(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find(|line| line.starts_with(name)).context("no such line")?;
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).context("no number")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The field of the line that a listener wrote when it was there.
fn field(lines: &[String], listener: &str, name: &str) -> Result<String> {
    let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let mut of_listener = parsed.filter(|line| line["listener"] == listener);
    let line = of_listener.next().with_context(|| format!("{listener} listens nowhere"))?;
    Ok(line[name].as_str().context("no such field")?.to_owned())
}
