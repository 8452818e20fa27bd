//! What was sent, as a test can compare it: secrets are `<secret:NAME>`.

use std::fmt;

use crate::bindings::sandbell::channel::amqp;
use crate::bindings::sandbell::channel::http::{Body, Field, Request};
use crate::bindings::sandbell::channel::mqtt;
use crate::bindings::sandbell::channel::smtp::{Encryption, Mail, Mailbox, Relay};
use crate::bindings::sandbell::channel::types::{Atom, Derived, Part};
use crate::log::Level;

/// A request; its `Display` is for snapshots: request line, headers, an empty line, the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    pub method: String,
    /// With the query.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub timeout_ms: Option<u32>,
}

/// A mail; its `Display` is for snapshots.
#[derive(Clone, Debug, PartialEq)]
pub struct SentMail {
    /// `relay default`, or `mail.example.com:587 starttls, user monitoring, password <secret:password>`.
    pub via: String,
    pub mail: Mail,
}

/// A message to a broker; its `Display` is for snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    /// `amqp` or `mqtt`.
    pub capability: &'static str,
    /// In the words of a want, e.g. `amqp://mq.example.com:5672// exchange:alerts key:db`.
    pub target: String,
    /// How it is sent: the login, what the protocol knows beside it.
    pub how: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The option of the password.
    pub(super) password: Option<String>,
}

/// A log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: Level,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

impl SentRequest {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; anything else fails the test.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("the body is no JSON: {error}: {}", self.body),
        }
    }

    pub(super) fn of(request: &Request) -> Self {
        let Request { method, url, query, headers, body, timeout_ms } = request;
        let mut url = text(url);
        for (index, field) in query.iter().enumerate() {
            let separator = if index == 0 && !url.contains('?') { '?' } else { '&' };
            url.push(separator);
            url.extend([field.name.as_str(), "=", &text(&field.value)]);
        }
        let header = |Field { name, value }: &Field| (name.clone(), text(value));
        let body = match body {
            Body::Empty => String::new(),
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Text(template) => text(template),
        };
        let headers = headers.iter().map(header).collect();
        Self { method: method.clone(), url, headers, body, timeout_ms: *timeout_ms }
    }
}

impl fmt::Display for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, headers, body, timeout_ms: _ } = self;
        write!(f, "{method} {url}")?;
        headers.iter().try_for_each(|(name, value)| write!(f, "\n{name}: {value}"))?;
        if body.is_empty() { Ok(()) } else { write!(f, "\n\n{body}") }
    }
}

impl SentMail {
    pub(super) fn of(relay: &Relay, mail: &Mail) -> Self {
        let via = match relay {
            Relay::Named(name) => format!("relay {name}"),
            Relay::Server(server) => {
                let encryption = match server.encryption {
                    Encryption::None => "none",
                    Encryption::Starttls => "starttls",
                    Encryption::Tls => "tls",
                };
                let mut via = format!("{}:{} {encryption}", server.host, server.port);
                if let Some(login) = &server.login {
                    via.extend([", user ", &login.user, ", password <secret:", &login.password, ">"]);
                    if let Some(mechanism) = &login.mechanism {
                        via.extend([", by ", mechanism]);
                    }
                }
                via
            }
        };
        Self { via, mail: mail.clone() }
    }
}

impl SentMessage {
    /// The body as JSON; anything else fails the test.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("the body is no JSON: {error}: {}", self.body),
        }
    }

    pub(super) fn of_amqp(broker: &amqp::Broker, message: &amqp::Message) -> Self {
        let amqp::Message { exchange, routing_key, content_type, headers, body, persistent, mandatory } =
            message;
        let (place, login) = match broker {
            amqp::Broker::Named(name) => (format!("broker {name}"), None),
            amqp::Broker::Server(amqp::Server { host, port, tls, vhost, login }) => {
                let scheme = if *tls { "amqps" } else { "amqp" };
                let login = login.as_ref().map(|login| (&login.user, &login.password));
                (format!("{scheme}://{host}:{port}/{vhost}"), login)
            }
        };
        let mut how = vec![if *persistent { "persistent" } else { "transient" }.to_owned()];
        how.push(if *mandatory { "mandatory" } else { "optional" }.to_owned());
        how.extend((!content_type.is_empty()).then(|| content_type.clone()));
        how.extend(login.map(login_text));
        Self {
            capability: "amqp",
            target: format!("{place} exchange:{exchange} key:{routing_key}"),
            how: how.join(", "),
            headers: headers.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
            password: login.map(|(_, password)| password.clone()),
        }
    }

    pub(super) fn of_mqtt(broker: &mqtt::Broker, message: &mqtt::Message) -> Self {
        let mqtt::Message { topic, content_type, headers, body, qos, retain } = message;
        let mut how = vec![format!("QoS {qos}")];
        how.extend(retain.then(|| "retained".to_owned()));
        how.extend((!content_type.is_empty()).then(|| content_type.clone()));
        let (place, login) = match broker {
            mqtt::Broker::Named(name) => (format!("broker {name}"), None),
            mqtt::Broker::Server(mqtt::Server { host, port, tls, version, client_id, login }) => {
                let scheme = if *tls { "mqtts" } else { "mqtt" };
                how.push(format!("MQTT {version}"));
                how.extend((!client_id.is_empty()).then(|| format!("client {client_id}")));
                let login = login.as_ref().map(|login| (&login.user, &login.password));
                (format!("{scheme}://{host}:{port}"), login)
            }
        };
        how.extend(login.map(login_text));
        Self {
            capability: "mqtt",
            target: format!("{place} topic:{topic}"),
            how: how.join(", "),
            headers: headers.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
            password: login.map(|(_, password)| password.clone()),
        }
    }
}

fn login_text((user, password): (&String, &String)) -> String {
    format!("user {user}, password <secret:{password}>")
}

impl fmt::Display for SentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capability: _, target, how, headers, body, password: _ } = self;
        write!(f, "{target}\n{how}")?;
        headers.iter().try_for_each(|(name, value)| write!(f, "\n{name}: {value}"))?;
        write!(f, "\n\n{body}")
    }
}

impl fmt::Display for SentMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mail { sender, reply_to, to, cc, bcc, subject, text, html, headers, attachments } = &self.mail;
        write!(f, "Via: {}", self.via)?;
        let lists: [(&str, &[Mailbox]); 5] = [
            ("From", sender.as_slice()),
            ("Reply-To", reply_to.as_slice()),
            ("To", to),
            ("Cc", cc),
            ("Bcc", bcc),
        ];
        for (name, mailboxes) in lists.into_iter().filter(|(_, mailboxes)| !mailboxes.is_empty()) {
            let mailboxes: Vec<_> = mailboxes.iter().map(mailbox).collect();
            write!(f, "\n{name}: {}", mailboxes.join(", "))?;
        }
        write!(f, "\nSubject: {subject}")?;
        headers.iter().try_for_each(|(name, value)| write!(f, "\n{name}: {value}"))?;
        write!(f, "\n\n{text}")?;
        html.iter().try_for_each(|html| write!(f, "\n\n{html}"))?;
        attachments.iter().try_for_each(|file| {
            write!(f, "\n\n[{}: {}, {} bytes]", file.filename, file.content_type, file.data.len())
        })
    }
}

fn mailbox(mailbox: &Mailbox) -> String {
    match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.clone(),
    }
}

fn text(template: &[Part]) -> String {
    template.iter().map(part).collect()
}

fn part(part: &Part) -> String {
    match part {
        Part::Literal(text) => text.clone(),
        Part::Secret(name) => format!("<secret:{name}>"),
        Part::Derived(Derived { how, of }) => {
            let atoms: Vec<_> = of.iter().map(atom).collect();
            match how.as_str() {
                // Escaping does not change what a reader should see.
                "url" | "json" => atoms.concat(),
                "base64" => format!("<base64:{}>", atoms.concat()),
                _ => format!("<{how}:{}>", atoms.join(":")),
            }
        }
    }
}

fn atom(atom: &Atom) -> String {
    match atom {
        Atom::Literal(text) => text.clone(),
        Atom::Secret(name) => format!("<secret:{name}>"),
    }
}
