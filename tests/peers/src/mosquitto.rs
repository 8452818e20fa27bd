//! Debian's mosquitto as an instance of its own: plain and TLS listeners, a user, topics that are closed.
//!
//! What arrived is read by Debian's `mosquitto_sub`, so that no client of ours has to be believed.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{Authority, free_port, wait_for};

/// Who can log in, and the password. All topics below `alerts/` are open to the user, and no other.
pub const MOSQUITTO_USER: (&str, &str) = ("sandbell", "correct horse");

pub struct Mosquitto {
    dir: TempDir,
    authority: Authority,
    broker: Option<Child>,
    pub mqtt_port: u16,
    pub mqtts_port: u16,
}

/// Waits for one message.
pub struct Subscriber {
    child: Child,
}

impl Mosquitto {
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("sandbell-mosquitto").tempdir()?;
        let authority = Authority::create(dir.path())?;
        let mut broker =
            Self { dir, authority, broker: None, mqtt_port: free_port()?, mqtts_port: free_port()? };
        broker.write_configuration()?;
        broker.run()?;
        Ok(broker)
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    pub fn stop(&mut self) {
        if let Some(mut broker) = self.broker.take() {
            // It may have ended already; then there is nothing to kill.
            let _ = broker.kill();
            let _ = broker.wait();
        }
    }

    /// Starts the broker, again or for the first time, and waits until it takes connections.
    pub fn run(&mut self) -> Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log"))?;
        let broker = Command::new("/usr/sbin/mosquitto")
            .arg("-v")
            .arg("-c")
            .arg(self.dir.path().join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("`mosquitto` cannot be started; `cargo xtask setup` installs it")?;
        self.broker = Some(broker);
        wait_for("the start of mosquitto", || {
            std::net::TcpStream::connect(("127.0.0.1", self.mqtts_port)).ok()
        })
        .with_context(|| self.log())?;
        Ok(())
    }

    /// Subscribes to a topic, and is subscribed when this returns.
    pub fn subscribe(&self, topic: &str) -> Result<Subscriber> {
        let before = self.log().matches("Sending SUBACK").count();
        let child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &self.mqtt_port.to_string(), "-V", "5", "-q", "2"])
            .args([
                "-u",
                MOSQUITTO_USER.0,
                "-P",
                MOSQUITTO_USER.1,
                "-C",
                "1",
                "-W",
                "20",
                "-F",
                "%j",
                "-t",
                topic,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("`mosquitto_sub` cannot be started; `cargo xtask setup` installs it")?;
        wait_for("the subscription", || {
            (self.log().matches("Sending SUBACK").count() > before).then_some(())
        })?;
        Ok(Subscriber { child })
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn write_configuration(&self) -> Result<()> {
        let dir = self.dir.path();
        let shown = dir.display();
        let (mqtt, mqtts) = (self.mqtt_port, self.mqtts_port);
        let configuration = format!(
            "user root\nallow_anonymous false\npassword_file {shown}/passwords\nacl_file {shown}/acl\n\
             listener {mqtt} 127.0.0.1\n\
             listener {mqtts} 127.0.0.1\ncertfile {shown}/cert.pem\nkeyfile {shown}/key.pem\nlog_dest stderr\n"
        );
        fs::write(dir.join("mosquitto.conf"), configuration)?;
        fs::write(dir.join("acl"), format!("user {}\ntopic readwrite alerts/#\n", MOSQUITTO_USER.0))?;
        let passwords = dir.join("passwords");
        fs::write(&passwords, format!("{}:{}\n", MOSQUITTO_USER.0, MOSQUITTO_USER.1))?;
        let status = Command::new("mosquitto_passwd")
            .arg("-U")
            .arg(&passwords)
            .status()
            .context("`mosquitto_passwd` cannot be started; `cargo xtask setup` installs it")?;
        ensure!(status.success(), "mosquitto_passwd does not hash the password");
        Ok(())
    }
}

impl Subscriber {
    /// The message, as `mosquitto_sub` describes it: topic, qos, retain, payload, properties.
    pub fn message(self) -> Result<Json> {
        let output = self.child.wait_with_output()?;
        ensure!(output.status.success(), "no message came: {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}
