//! What arrives, as text: the exchanges of a dry run, without what is different each time.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{house::House, run};

const NOTIFICATION: &str = include_str!("notification.json");
/// What a reader of the manual needs of a mail's head.
const MAIL_HEADERS: [&str; 3] = ["From", "To", "Subject"];
/// Longer lines are cut: nobody reads them to their end.
const LINE_CHARS_MAX: usize = 400;

/// What an example has in the place of a key.
const KEY: &str = "-----BEGIN PRIVATE KEY-----";
/// What stands before a number that is another one each time.
const NUMBERED: [&str; 2] = ["dlv_", "secret:token:"];

/// A state directory of its own, where channels are installed and approved.
pub(crate) struct Studio<'a> {
    house: &'a House,
    program: PathBuf,
    folder: PathBuf,
}

impl<'a> Studio<'a> {
    pub(crate) fn open(house: &'a House, program: PathBuf) -> Result<Self> {
        let folder = house.target.join("channel-manual");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        // The program refuses a state directory that others can read.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join("state"))?;
        fs::write(folder.join("notification.json"), NOTIFICATION)?;
        Ok(Self { house, program, folder })
    }

    /// Takes the picture of a component with a configuration.
    pub(crate) fn take(&self, name: &str, component: &Path, config: &Path) -> Result<String> {
        self.sandbell(&["plugin", "install", &component.to_string_lossy()])?;
        self.sandbell(&["plugin", "approve", name, "--yes"])?;
        let notification = self.folder.join("notification.json");
        let config = self.with_key(config)?;
        let (config, notification) = (config.to_string_lossy(), notification.to_string_lossy());
        let arguments = ["send", name, "--config", &config, "--notification", &notification];
        let text = self.sandbell(&[&arguments[..], &["--dry-run", "--json"]].concat())?;
        picture(&text).with_context(|| format!("the dry run of {name} shows nothing"))
    }

    /// The configuration with a private key, where the example has only the first line of one.
    fn with_key(&self, config: &Path) -> Result<PathBuf> {
        let text = fs::read_to_string(config)?;
        if !text.contains(KEY) {
            return Ok(config.to_owned());
        }
        let mut openssl = self.house.command(Path::new("openssl"));
        let pem = run::output(openssl.args(["genpkey", "-quiet", "-algorithm", "RSA"]))?;
        let whole = self.folder.join("config.json");
        fs::write(&whole, text.replace(KEY, pem.trim_end().replace('\n', "\\n").as_str()))?;
        Ok(whole)
    }

    fn sandbell(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.house.command(&self.program);
        run::output(command.env("SANDBELL_STATE", self.folder.join("state")).args(arguments))
    }
}

/// The exchanges of `sandbell send --dry-run --json`.
fn picture(text: &str) -> Result<String> {
    let json: Value = serde_json::from_str(text).context("the dry run printed no JSON")?;
    let exchanges: Vec<_> = json["exchanges"].as_array().into_iter().flatten().map(exchange).collect();
    anyhow::ensure!(!exchanges.is_empty(), "it made no exchange");
    let lines = exchanges.join("\n\n");
    Ok(lines.lines().map(short).map(|line| unnumbered(&line)).collect::<Vec<_>>().join("\n"))
}

fn exchange(json: &Value) -> String {
    let text = |key: &str| json[key].as_str().unwrap_or_default();
    if text("kind") == "smtp" {
        return format!("through {}\n{}", text("server"), mail(text("message")));
    }
    if json["broker"].is_string() {
        let body = body(text("body"), "");
        return format!("through {}\nto {}\n\n{body}", text("broker"), text("place"));
    }
    let header = |name: &str| {
        let mut headers = json["headers"].as_array().into_iter().flatten();
        headers.find(|header| header[0] == name).and_then(|header| header[1].as_str())
    };
    let head = format!("{} {}", text("method"), text("url"));
    match body(text("body"), header("content-type").unwrap_or_default()) {
        body if body.is_empty() => head,
        body => format!("{head}\n\n{body}"),
    }
}

/// JSON is spread out and a form is shown field by field, decoded.
fn body(body: &str, content_type: &str) -> String {
    if content_type.starts_with("application/x-www-form-urlencoded") {
        return body.split('&').map(decoded).collect::<Vec<_>>().join("\n");
    }
    let json: Option<Value> = serde_json::from_str(body).ok();
    json.and_then(|json| serde_json::to_string_pretty(&json).ok()).unwrap_or_else(|| body.to_owned())
}

/// `%XX` as what it stands for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%');
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The headers that matter, and the first part's text.
fn mail(message: &str) -> String {
    let message = message.replace("\r\n", "\n");
    let (head, text) = message.split_once("\n\n").unwrap_or((&message, ""));
    let wanted = |line: &&str| MAIL_HEADERS.iter().any(|name| line.starts_with(&format!("{name}: ")));
    let head: Vec<_> = head.lines().filter(wanted).collect();
    // A soft line break, and an equals sign that is one.
    let text = decoded(&text.replace("=\n", "").replace('%', "%25").replace('=', "%"));
    format!("{}\n\n{}", head.join("\n"), text.trim_end())
}

fn short(line: &str) -> String {
    if line.chars().count() <= LINE_CHARS_MAX {
        return line.to_owned();
    }
    line.chars().take(LINE_CHARS_MAX - 1).chain(['…']).collect()
}

/// Numbers of deliveries and of access tokens are others each time.
fn unnumbered(line: &str) -> String {
    NUMBERED.iter().fold(line.to_owned(), |line, mark| {
        let mut parts = line.split(mark);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(mark);
            text.push('…');
            text.push_str(part.trim_start_matches(|sign: char| sign.is_ascii_alphanumeric()));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn exchanges_become_text() {
        let text = json!({ "exchanges": [
            { "kind": "http", "method": "POST", "url": "https://x.example/<secret:token>/dlv_0f3a/",
              "headers": [["content-type", "application/json"]], "body": "{\"a\":[1,\"é\"]}" },
            { "kind": "http", "method": "POST", "url": "https://x.example", "body": "a=b%20c&d=%C3%A9%",
              "headers": [["content-type", "application/x-www-form-urlencoded"]] },
            { "kind": "http", "method": "GET", "url": "https://x.example", "headers": [], "body": "" },
            { "kind": "amqp", "broker": "amqps://mq.example.com:5671", "place": "queue alerts", "body": "[1]" },
            { "kind": "smtp", "server": "mail.example.com:25",
              "message": "Date: now\r\nSubject: [x] 50%\r\nTo: a@x.example\r\n\r\nid=3D1 =C3=A9 and =\r\nso on 98 %\r\n" },
        ] });
        assert_snapshot!(picture(&text.to_string()).unwrap(), @r#"
        POST https://x.example/<secret:token>/dlv_…/

        {
          "a": [
            1,
            "é"
          ]
        }

        POST https://x.example

        a=b c
        d=é%

        GET https://x.example

        through amqps://mq.example.com:5671
        to queue alerts

        [
          1
        ]

        through mail.example.com:25
        Subject: [x] 50%
        To: a@x.example

        id=1 é and so on 98 %
        "#);
        assert!(picture(r#"{"exchanges":[]}"#).is_err());
        assert_eq!(short(&"é".repeat(500)).chars().count(), LINE_CHARS_MAX);
    }
}
