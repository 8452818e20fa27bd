//! Four channels, driven as Icinga's daemon drives a channel, in both of its dialects; then channels that mean harm.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use sandbell_peers::{Daemon, Dialect, Postfix, RECIPIENT, Receiver, Reply, example_request};
use serde_json::{Value as Json, json};

use crate::host::Host;
use crate::table::{Row, say, seen};

const CHANNELS: [&str; 4] = ["webhook", "email", "rocketchat", "slack"];

/// The parts of the show.
struct Show<'a> {
    host: &'a Host,
    receiver: Receiver,
    postfix: Postfix,
    rows: Vec<Row>,
}

/// Leaves the plugin `slack` installed and approved.
pub(crate) fn show(host: &Host, dir: &Path) -> Result<Vec<Row>> {
    say("Starting an HTTP receiver and a Postfix on loopback ports …");
    // Rocket.Chat answers JSON, Slack answers `ok`, a webhook answers what it likes.
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/slack" => Reply::new(200, "ok"),
        _ => Reply::new(200, r#"{"success":true}"#).header("content-type", "application/json"),
    })?;
    let mut show = Show { host, receiver, postfix: Postfix::start()?, rows: Vec::new() };

    say("Installing, approving and linking the four channels …");
    let channels_dir = dir.join("channels");
    fs::create_dir(&channels_dir)?;
    for name in CHANNELS {
        host.install(&host.built.channel(name)?, name)?;
        host.ok(&["icinga", "link", name, "--dir", &channels_dir.to_string_lossy()])?;
    }
    say("Driving them as Icinga's daemon does …");
    for dialect in [Dialect::Legacy, Dialect::JsonRpc] {
        for name in CHANNELS {
            show.drive(&channels_dir.join(name), dialect, name)?;
        }
    }
    say("Letting hostile channels try …");
    show.hostile()?;
    Ok(show.rows)
}

impl Show<'_> {
    fn config(&self, name: &str) -> Json {
        match name {
            "webhook" => {
                json!({ "url_template": self.receiver.url("/hook?severity={{.Incident.Severity}}") })
            }
            "email" => json!({
                "host": "127.0.0.1",
                "port": self.postfix.plain_port.to_string(),
                "sender_name": "Icinga",
                "sender_mail": "icinga@example.com",
                "encryption": "none",
            }),
            "rocketchat" => {
                json!({ "url": self.receiver.url(""), "user_id": "icinga", "token": "s3cr3t-token" })
            }
            _ => json!({ "webhook_url": self.receiver.url("/slack") }),
        }
    }

    /// One life of a channel under the daemon: asked, configured, told to send, and stopped.
    fn drive(&mut self, link: &Path, dialect: Dialect, name: &str) -> Result<()> {
        let (posts, mails) = (self.receiver.count(), self.postfix.mails()?.len());
        let mut daemon = Daemon::start(link, dialect)?;
        daemon.call("GetInfo", None)?.map_err(anyhow::Error::msg)?;
        let info_ms = daemon.first_reply.unwrap_or_default().as_secs_f64() * 1e3;
        daemon.call("SetConfig", Some(&self.config(name)))?.map_err(anyhow::Error::msg)?;
        let address = if name == "email" { RECIPIENT } else { "#ops" };
        let sent = daemon.call("SendNotification", Some(&example_request(dialect, name, address)))?;
        let outcome = sent.map_or_else(|error| format!("error: {error}"), |_| "delivered".to_owned());
        ensure!(daemon.stop()?.success(), "the channel {name} did not end well");
        ensure!(outcome == "delivered", "{name}: {outcome}");
        let arrived = if name == "email" {
            let mail = self.postfix.wait_for_mails(mails + 1)?.pop().context("the mail that arrived")?;
            let subject = mail.lines().find(|line| line.starts_with("Subject: ")).unwrap_or_default();
            format!("{subject} ({} bytes)", mail.len())
        } else {
            let requests = self.receiver.requests();
            seen(requests.get(posts).context("the request that arrived")?)
        };
        let dialect = match dialect {
            Dialect::Legacy => "Icinga 0.2",
            Dialect::JsonRpc => "Icinga 1.0",
        };
        self.rows.push([
            format!("{dialect}: {name}"),
            format!("GetInfo in {info_ms:.1} ms, sends"),
            outcome,
            arrived,
        ]);
        Ok(())
    }

    /// Channels that are approved like any other, and get no further.
    fn hostile(&mut self) -> Result<()> {
        let granted = self.receiver.url("/granted");
        let secret = "hunter2-hunter2";
        let config = json!({ "url": granted, "token": secret });
        let elsewhere = "POST https://evil.example/loot\nPOST http://169.254.169.254/latest/meta-data\nGET http://[::1]:22/";
        let tries: [(&str, &str, &str); 7] = [
            ("goes-elsewhere", "posts to hosts that nobody granted", elsewhere),
            ("steals-secret", "sends a secret to itself and elsewhere", &granted),
            ("looks-around", "looks for files, sockets, environment", ""),
            ("loop-in-send", "never comes back", ""),
            ("memory-growth", "takes all memory", ""),
            ("panics", "panics with terminal codes", ""),
            ("exits", "exits with success, nothing sent", ""),
        ];
        for (name, does, message) in tries {
            self.host.install(&self.host.built.guest(name)?, name)?;
            let mut notification = example_request(Dialect::JsonRpc, "email", RECIPIENT);
            notification["event"]["message"] = json!(message);
            notification["object"]["url"] = json!("https://evil.example/loot");
            let report = self.host.send(name, &config, &notification, &[])?;
            ensure!(!report.to_string().contains(secret), "{name} got hold of the secret: {report}");
            let outcome = &report["outcome"];
            let detail =
                outcome["receipt"]["detail"].as_str().or(outcome["detail"].as_str()).unwrap_or_default();
            let detail = detail.replace("\\n", "\n");
            let arrived = if name == "steals-secret" { "only what was granted" } else { "nothing" };
            self.rows.push([format!("hostile: {name}"), does.to_owned(), detail, arrived.to_owned()]);
        }
        let loot = self.receiver.requests().iter().any(|request| {
            !["/hook", "/slack", "/api", "/granted"].iter().any(|known| request.target.starts_with(known))
        });
        ensure!(!loot, "a hostile channel reached what it was not granted");
        Ok(())
    }
}
