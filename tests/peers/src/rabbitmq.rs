//! Debian's `RabbitMQ` as a node of its own: plain and TLS listeners, a user, a virtual host, queues.
//!
//! What arrived is read by Debian's pika, so that no client of ours has to be believed.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::{Authority, free_port, wait_for, wait_for_at_most};

/// Who can log in to the virtual host, and the password.
pub const RABBITMQ_USER: (&str, &str) = ("sandbell", "correct horse");
pub const RABBITMQ_VHOST: &str = "shop";

/// Erlang takes a while where there is one core for it.
const START: Duration = Duration::from_secs(90);

pub struct RabbitMq {
    dir: TempDir,
    authority: Authority,
    node: Option<Child>,
    epmd_port: u16,
    distribution_port: u16,
    pub amqp_port: u16,
    pub amqps_port: u16,
}

impl RabbitMq {
    /// Starts a node. In [`RABBITMQ_VHOST`] it has an exchange `alerts` of type topic, bound to the durable queue `all` by
    /// `db.#`, and a queue `full`, which holds no message and refuses what it cannot hold.
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("sandbell-rabbitmq").tempdir()?;
        let authority = Authority::create(dir.path())?;
        let mut rabbit = Self {
            dir,
            authority,
            node: None,
            epmd_port: free_port()?,
            distribution_port: free_port()?,
            amqp_port: free_port()?,
            amqps_port: free_port()?,
        };
        rabbit.write_configuration()?;
        rabbit.run()?;
        Ok(rabbit)
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Ends the node as a crash would; what is durable stays.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut node) = self.node.take() else { return Ok(()) };
        // The scripts around the node end with it, so the whole group is told.
        let group = format!("-{}", node.id());
        Command::new("kill").args(["-KILL", "--", &group]).status().context("`kill` cannot be started")?;
        node.wait()?;
        wait_for("the end of RabbitMQ", || {
            std::net::TcpStream::connect(("127.0.0.1", self.amqps_port)).is_err().then_some(())
        })
    }

    /// Starts the node, again or for the first time, and waits until it takes connections.
    pub fn run(&mut self) -> Result<()> {
        let dir = self.dir.path();
        let log = fs::File::options().create(true).append(true).open(dir.join("console.log"))?;
        let node = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server")
            .env("HOME", dir)
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", format!("sandbell-{}@localhost", self.amqp_port))
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq"))
            .env("RABBITMQ_CONF_ENV_FILE", dir.join("no-environment"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("plugins"))
            .env("RABBITMQ_MNESIA_BASE", dir.join("data"))
            .env("RABBITMQ_LOG_BASE", dir.join("log"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("`rabbitmq-server` cannot be started; `cargo xtask setup` installs it")?;
        self.node = Some(node);
        let there = |port| std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        wait_for_at_most(START, "the start of RabbitMQ", || {
            there(self.amqp_port).and_then(|_| there(self.amqps_port))
        })
        .with_context(|| self.log())?;
        Ok(())
    }

    /// Takes the oldest message out of a queue: its body, its properties, how it was published.
    pub fn take(&self, queue: &str) -> Result<Option<Json>> {
        let output = Command::new("/usr/bin/python3")
            .args(["-c", include_str!("rabbitmq/take.py")])
            .arg(self.amqp_port.to_string())
            .args([RABBITMQ_VHOST, RABBITMQ_USER.0, RABBITMQ_USER.1, queue])
            .output()
            .context("Debian's `python3` cannot be started; `cargo xtask setup` installs it")?;
        ensure!(output.status.success(), "take.py: {}", String::from_utf8_lossy(&output.stderr));
        let message: Json = serde_json::from_slice(&output.stdout)?;
        Ok((!message.is_null()).then_some(message))
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("console.log")).unwrap_or_default()
    }

    fn write_configuration(&self) -> Result<()> {
        let dir = self.dir.path();
        let shown = dir.display();
        let (amqp, amqps) = (self.amqp_port, self.amqps_port);
        let configuration = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nlisteners.ssl.1 = 127.0.0.1:{amqps}\n\
             ssl_options.cacertfile = {shown}/ca.pem\nssl_options.certfile = {shown}/cert.pem\n\
             ssl_options.keyfile = {shown}/key.pem\nssl_options.verify = verify_none\n\
             load_definitions = {shown}/definitions.json\n"
        );
        fs::write(dir.join("rabbitmq.conf"), configuration)?;
        fs::write(dir.join("plugins"), "[].")?;
        fs::write(dir.join("definitions.json"), definitions().to_string())?;
        Ok(())
    }
}

fn definitions() -> Json {
    let queue = |name: &str, arguments: Json| json!({ "vhost": RABBITMQ_VHOST, "name": name, "durable": true, "auto_delete": false, "arguments": arguments });
    let all = json!({ "configure": ".*", "write": "^(alerts|gone|amq\\.default)$", "read": ".*" });
    let mut permission = json!({ "user": RABBITMQ_USER.0, "vhost": RABBITMQ_VHOST });
    for (key, value) in all.as_object().into_iter().flatten() {
        permission[key] = value.clone();
    }
    json!({
        "users": [{ "name": RABBITMQ_USER.0, "password": RABBITMQ_USER.1, "tags": "" }],
        "vhosts": [{ "name": RABBITMQ_VHOST }, { "name": "closed" }],
        "permissions": [permission],
        "exchanges": [{
            "vhost": RABBITMQ_VHOST, "name": "alerts", "type": "topic", "durable": true, "auto_delete": false,
            "internal": false, "arguments": {},
        }],
        "queues": [queue("all", json!({})), queue("full", json!({ "x-max-length": 0, "x-overflow": "reject-publish" }))],
        "bindings": [{
            "vhost": RABBITMQ_VHOST, "source": "alerts", "destination": "all", "destination_type": "queue",
            "routing_key": "db.#", "arguments": {},
        }],
    })
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        // A directory that is about to go needs no farewell from a node that does not stop.
        let _ = self.stop();
        stop_epmd(self.dir.path(), self.epmd_port);
    }
}

/// The name service that the node started beside itself.
fn stop_epmd(dir: &Path, port: u16) {
    let _ = Command::new("epmd")
        .args(["-port", &port.to_string(), "-kill"])
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
