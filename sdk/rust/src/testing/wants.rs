//! Whether what a channel does is covered by what it asked for.

use std::collections::HashMap;

use super::answers::State;
use super::{SentMessage, SentRequest};
use crate::bindings::exports::sandbell::channel::plugin::{Setting, Value, Want};
use crate::bindings::sandbell::channel::http::{Error as HttpError, Request};
use crate::bindings::sandbell::channel::smtp::{Error as SmtpError, Mail, Relay};
use crate::bindings::sandbell::channel::types::{Atom, Part};
use crate::publish::Error as PublishError;

/// Headers of a mail that a channel may set itself.
const MAIL_HEADERS: [&str; 3] = ["In-Reply-To", "References", "Auto-Submitted"];

/// A want with its options filled in.
#[derive(Debug)]
pub(super) struct Granted {
    capability: String,
    target: String,
}

/// A want whose option has no value is left out: there is nowhere to go.
pub(super) fn expand(
    wants: &[Want],
    settings: &[Setting],
    secrets: &HashMap<String, String>,
) -> Vec<Granted> {
    let expand = |want: &Want| {
        let target = expand_one(&want.target, settings, secrets)?;
        Some(Granted { capability: want.capability.clone(), target })
    };
    wants.iter().filter_map(expand).collect()
}

fn expand_one(target: &str, settings: &[Setting], secrets: &HashMap<String, String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = target;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').unwrap_or_else(|| panic!("`{{` without `}}` in the want `{target}`"));
        text.push_str(before);
        let (name, may_be_empty) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        let setting = settings.iter().find(|setting| setting.name == name);
        let value = match setting.map(|setting| &setting.value) {
            None if may_be_empty => String::new(),
            None => return None,
            Some(Value::Text(value)) => value.clone(),
            Some(Value::Integer(value)) => value.to_string(),
            Some(Value::Secret(name)) => secrets.get(name)?.clone(),
            Some(Value::Boolean(_) | Value::Many(_)) => {
                panic!("`{name}` cannot stand in the want `{target}`")
            }
        };
        // What a Go template makes is known up to its first action; the rest is a path tail.
        if let Some((plain, _)) = value.split_once("{{") {
            text.push_str(plain);
            text.push_str(if plain.contains('?') { "" } else { "*" });
            return Some(text);
        }
        // What goes on with a slash does not need another.
        let value = value.trim();
        text.push_str(if after.starts_with('/') { value.trim_end_matches('/') } else { value });
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

impl State {
    /// Refuses what the host would refuse without sending anything.
    pub(super) fn authorise(&self, request: &Request, sent: &SentRequest) -> Result<(), HttpError> {
        let refuse = |code: &str, message: String| {
            Err(HttpError { code: code.to_owned(), message, request_sent: false, retry_after_ms: None })
        };
        let templates = [&request.url].into_iter().chain(request.query.iter().map(|field| &field.value));
        for template in templates.chain(request.headers.iter().map(|field| &field.value)) {
            if let Some(name) = secrets_of(template).find(|name| !self.secrets.contains_key(*name)) {
                return refuse("secret", format!("no secret `{name}` is configured"));
            }
        }
        if let Some((name, _)) = sent.headers.iter().find(|(name, value)| !is_header(name, value)) {
            return refuse("invalid-request", format!("the header `{}` cannot be sent", name.escape_debug()));
        }
        let Some(url) = self.url(&request.url) else {
            return refuse(
                "secret",
                "a secret cannot be part of a URL's scheme or host, only the whole of it".into(),
            );
        };
        let wants = self.wants.iter().filter(|want| want.capability == "http");
        if wants.into_iter().any(|want| covers(&want.target, &request.method, &url)) {
            return Ok(());
        }
        refuse("denied", format!("no want of the channel covers `{} {}`", sent.method, sent.url))
    }

    pub(super) fn authorise_mail(&self, relay: &Relay, mail: &Mail) -> Result<(), SmtpError> {
        let refuse =
            |code: &str, message: String| Err(SmtpError { code: code.to_owned(), reply_code: None, message });
        let mut wants = self.wants.iter().filter(|want| want.capability == "smtp");
        let (is_covered, asked) = match relay {
            // The operator declared it; asking for mail at all is enough.
            Relay::Named(name) => (wants.next().is_some(), format!("relay {name}")),
            Relay::Server(server) => {
                let asked = format!("{}:{}", server.host, server.port);
                (wants.any(|want| want.target.eq_ignore_ascii_case(&asked)), asked)
            }
        };
        if !is_covered {
            return refuse("denied", format!("no want of the channel covers `{asked}`"));
        }
        if let Relay::Server(server) = relay
            && let Some(login) = &server.login
            && !self.secrets.contains_key(&login.password)
        {
            return refuse("denied", format!("no secret `{}` is configured", login.password));
        }
        let mailboxes =
            [&mail.to, &mail.cc, &mail.bcc].into_iter().flatten().chain(&mail.sender).chain(&mail.reply_to);
        let lines = mailboxes.flat_map(|mailbox| [Some(&mailbox.address), mailbox.name.as_ref()]).flatten();
        let lines = lines.chain([&mail.subject]).chain(mail.headers.iter().map(|(_, value)| value));
        if let Some(line) = lines.into_iter().find(|line| line.contains(['\r', '\n', '\0'])) {
            return refuse("invalid-mail", format!("a line break cannot stand in `{}`", line.escape_debug()));
        }
        let is_allowed = |name: &str| {
            let starts =
                |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
            starts("X-")
                || starts("List-")
                || MAIL_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        match mail.headers.iter().find(|(name, _)| !is_allowed(name)) {
            Some((name, _)) => refuse(
                "invalid-mail",
                format!("the header `{}` is not the channel's to set", name.escape_debug()),
            ),
            None => Ok(()),
        }
    }

    pub(super) fn authorise_message(&self, message: &SentMessage) -> Result<(), PublishError> {
        let SentMessage { capability, target, password, .. } = message;
        let mut wants = self.wants.iter().filter(|want| want.capability == *capability);
        if !wants.any(|want| covers_message(&want.target, target)) {
            return Err(PublishError::new("denied", format!("no want of the channel covers `{target}`")));
        }
        match password {
            Some(name) if !self.secrets.contains_key(name) => {
                Err(PublishError::new("auth", format!("no secret `{name}` is configured")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The URL as it would go out; `None` if a secret tries to say where to.
    fn url(&self, template: &[Part]) -> Option<String> {
        let mut url = String::new();
        for part in template {
            let has_authority = url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']));
            match part {
                Part::Literal(text) => url.push_str(text),
                Part::Secret(name) if url.is_empty() => url.push_str(&self.secrets[name]),
                Part::Secret(_) | Part::Derived(_) if !has_authority => return None,
                Part::Secret(_) | Part::Derived(_) => url.push_str("secret"),
            }
        }
        Some(url)
    }
}

fn secrets_of(template: &[Part]) -> impl Iterator<Item = &String> {
    template.iter().flat_map(|part| match part {
        Part::Literal(_) => Vec::new(),
        Part::Secret(name) => vec![name],
        Part::Derived(derived) => {
            let secret = |atom| match atom {
                &Atom::Literal(_) => None,
                Atom::Secret(name) => Some(name),
            };
            derived.of.iter().filter_map(secret).collect()
        }
    })
}

fn is_header(name: &str, value: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_token)
        && !value.chars().any(|char| char.is_control() && char != '\t')
}

/// `*` is one label at the start of a host or a tail at the end of a path; the query is free.
fn covers(target: &str, method: &str, url: &str) -> bool {
    let (methods, pattern) = target.split_once(' ').unwrap_or(("GET", target));
    let (Some(pattern), Some(url)) = (Location::of(pattern), Location::of(url)) else { return false };
    let host = match pattern.authority.strip_prefix('*') {
        Some(parent) => {
            url.authority.strip_suffix(parent).is_some_and(|label| !label.is_empty() && !label.contains('.'))
        }
        None => url.authority == pattern.authority,
    };
    let path = match pattern.path.strip_suffix('*') {
        Some(prefix) => url.path.starts_with(prefix),
        None => url.path == pattern.path,
    };
    methods.split(',').any(|granted| granted.trim().eq_ignore_ascii_case(method))
        && pattern.scheme == url.scheme
        && host
        && path
}

/// `*` is a tail at the end of an exchange, a routing key or a topic. An empty virtual host is `/`.
fn covers_message(target: &str, asked: &str) -> bool {
    let parts = |text: &str| {
        let (place, names) = text.split_once(' ').unwrap_or((text, ""));
        let (exchange, name) = names.split_once(" key:").unwrap_or(("", names));
        let place = place.to_ascii_lowercase();
        let place = if place.starts_with("amqp") && place.matches('/').count() == 3 && place.ends_with('/') {
            place + "/"
        } else {
            place
        };
        [place, exchange.to_owned(), name.to_owned()]
    };
    parts(target).iter().zip(&parts(asked)).all(|(pattern, asked)| match pattern.strip_suffix('*') {
        Some(prefix) => asked.starts_with(prefix),
        None => asked == pattern,
    })
}

/// The parts of a URL that a want is about.
struct Location {
    scheme: String,
    /// Host and port, the port always there.
    authority: String,
    path: String,
}

impl Location {
    fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let scheme = scheme.to_ascii_lowercase();
        let port = if scheme == "https" { ":443" } else { ":80" };
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = authority.to_ascii_lowercase() + if has_port { "" } else { port };
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Some(Self { scheme, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_want_covers_what_it_says_and_nothing_else() {
        for (target, method, url, want) in [
            ("POST https://a.example.com/x/*", "POST", "https://A.example.com:443/x/y?z", true),
            ("POST https://a.example.com/x/*", "GET", "https://a.example.com/x/y", false),
            ("POST https://a.example.com/x/*", "POST", "https://a.example.com/y", false),
            ("POST https://a.example.com/x/*", "POST", "http://a.example.com/x/y", false),
            ("POST https://a.example.com/x/*", "POST", "https://a.example.com:8443/x/y", false),
            ("GET,POST https://*.example.com/", "GET", "https://a.example.com", true),
            ("GET https://*.example.com/", "GET", "https://a.b.example.com", false),
            ("GET https://*.example.com/", "GET", "https://example.com", false),
            ("https://a.example.com/", "GET", "https://a.example.com/", true),
            ("POST nonsense", "POST", "nonsense", false),
        ] {
            assert_eq!(covers(target, method, url), want, "{target} {method} {url}");
        }
    }

    #[test]
    fn a_want_of_messages_covers_what_it_says_and_nothing_else() {
        for (target, asked, want) in [
            ("amqp://mq:5672/ exchange: key:q", "amqp://mq:5672// exchange: key:q", true),
            ("amqp://MQ:5672/shop exchange:a key:db.*", "amqp://mq:5672/shop exchange:a key:db.1", true),
            ("amqp://mq:5672/shop exchange:a key:db.*", "amqp://mq:5672/shop exchange:b key:db.1", false),
            ("amqp://mq:5672/shop exchange:a key:db.*", "amqps://mq:5672/shop exchange:a key:db.1", false),
            ("amqp://mq:5672/shop exchange:a key:db.*", "amqp://mq:5672// exchange:a key:db.1", false),
            ("mqtt://mq:1883 topic:a/*", "mqtt://mq:1883 topic:a/b", true),
            ("mqtt://mq:1883 topic:a", "mqtt://mq:1883 topic:a/b", false),
        ] {
            assert_eq!(covers_message(target, asked), want, "{target} {asked}");
        }
    }
}
