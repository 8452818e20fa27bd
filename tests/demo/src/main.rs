//! `cargo xtask demo`: the main job end to end, against real servers, in one table.
//!
//! An HTTP receiver and a Postfix are started on loopback ports, the four channels are installed, approved and linked,
//! and driven as Icinga's daemon drives a channel, in both dialects. Then hostile channels try what they must not.

mod table; // rows of text

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use sandbell_peers::{Built, Daemon, Dialect, Postfix, RECIPIENT, Receiver, Reply, example_request};
use serde_json::{Value as Json, json};

use crate::table::print_table;

/// The parts of the show.
struct Demo {
    built: Built,
    state: PathBuf,
    channels_dir: PathBuf,
    receiver: Receiver,
    postfix: Postfix,
    rows: Vec<[String; 4]>,
}

#[expect(clippy::print_stdout, reason = "a demo is there to be seen")]
fn main() -> Result<()> {
    let built = Built::of_this_binary()?;
    let dir = tempfile::tempdir()?;
    println!("Starting an HTTP receiver and a Postfix on loopback ports …");
    // Rocket.Chat answers JSON, Slack answers `ok`, a webhook answers what it likes.
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/slack" => Reply::new(200, "ok"),
        _ => Reply::new(200, r#"{"success":true}"#).header("content-type", "application/json"),
    })?;
    let postfix = Postfix::start()?;
    let channels_dir = dir.path().join("channels");
    fs::create_dir(&channels_dir)?;
    let mut demo =
        Demo { built, state: dir.path().join("state"), channels_dir, receiver, postfix, rows: Vec::new() };

    println!("Installing, approving and linking the four channels …");
    for name in ["webhook", "email", "rocketchat", "slack"] {
        demo.install(&demo.built.channel(name)?, name)?;
        demo.sandbell(&["icinga", "link", name, "--dir", &demo.channels_dir.to_string_lossy()], None)?;
    }
    println!("Driving them as Icinga's daemon does …");
    for dialect in [Dialect::Legacy, Dialect::JsonRpc] {
        for name in ["webhook", "email", "rocketchat", "slack"] {
            demo.drive(dialect, name)?;
        }
    }
    println!("Letting hostile channels try …");
    demo.hostile()?;
    print_table(["who", "does", "what came of it", "what arrived"], &demo.rows);
    println!("\nEverything above ran against real sockets; nothing of it is left behind.");
    Ok(())
}

impl Demo {
    fn install(&self, file: &Path, name: &str) -> Result<()> {
        self.sandbell(&["plugin", "install", &file.to_string_lossy()], None)?;
        self.sandbell(&["plugin", "approve", name, "--yes", "--network", "127.0.0.1"], None)?;
        Ok(())
    }

    /// Runs a command of the program; its output.
    fn sandbell(&self, arguments: &[&str], stdin: Option<&str>) -> Result<String> {
        use std::io::Write as _;
        let mut child = Command::new(self.built.program()?)
            .args(arguments)
            .env("SANDBELL_STATE", &self.state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("stdin is piped")?.write_all(stdin.unwrap_or_default().as_bytes())?;
        let output = child.wait_with_output()?;
        let text = String::from_utf8(output.stdout)?;
        // `send` fails where a channel fails, and says so in its JSON.
        if !output.status.success() && arguments[0] != "send" {
            bail!(
                "sandbell {} failed: {text}{}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(text)
    }

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
    fn drive(&mut self, dialect: Dialect, name: &str) -> Result<()> {
        let (posts, mails) = (self.receiver.requests().len(), self.postfix.mails()?.len());
        let mut daemon = Daemon::start(&self.channels_dir.join(name), dialect)?;
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
            let request = requests.get(posts).context("the request that arrived")?;
            beginning(&format!("{} {} {}", request.method, request.target, request.body_text()))
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
            self.install(&self.built.guest(name)?, name)?;
            let config_file = self.state.join("demo-config.json");
            fs::write(&config_file, config.to_string())?;
            let mut notification = example_request(Dialect::JsonRpc, "email", RECIPIENT);
            notification["event"]["message"] = json!(message);
            notification["object"]["url"] = json!("https://evil.example/loot");
            let arguments =
                ["send", name, "--config", &config_file.to_string_lossy(), "--notification", "-", "--json"];
            let output = self.sandbell(&arguments, Some(&notification.to_string()))?;
            ensure!(!output.contains(secret), "{name} got hold of the secret: {output}");
            let report: Json =
                serde_json::from_str(&output).with_context(|| format!("{name} printed {output}"))?;
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

/// Enough of a request to see what it is.
fn beginning(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let shown: String = text.chars().take(CHARS_MAX).collect();
    if shown.len() < text.len() { format!("{shown} …") } else { shown }
}
