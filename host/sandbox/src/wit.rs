//! The contract as Rust, and the only translations between it and the house's own words.
//!
//! Structs are taken apart by name, so a new field of the contract cannot be forgotten here. What a guest returns is
//! clamped, masked and escaped on its way out.

mod publish; // messages: AMQP and MQTT

use std::time::Duration;

use sandbell_broker::value;
use sandbell_domain::{
    ConfigError, Failure, FailureKind, Lease, Link, LogLevel, Mode, Notification, Outcome, Receipt, Setting,
    SettingValue, Severity, escape,
};

pub(crate) use generated::exports::sandbell::channel::plugin;
pub(crate) use generated::sandbell::channel::{amqp, http, log, mqtt, smtp, types};
pub(crate) use generated::{Channel as Bindings, ChannelPre as BindingsPre};
pub(crate) use publish::{amqp_answer, amqp_broker, amqp_message, mqtt_answer, mqtt_broker, mqtt_message};

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "channel",
        imports: {
            "sandbell:channel/log.write": trappable,
            "sandbell:channel/log.enabled": trappable,
            default: async | trappable,
        },
        exports: { default: async },
    });
}

/// The longest wait that a plugin can ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// Links of one receipt.
const LINKS_MAX: usize = 16;
/// Longest code of a plugin.
const CODE_BYTES_MAX: usize = 64;

/// Makes a guest's text fit to leave the sandbox.
pub(crate) struct Cleaner<'a> {
    pub(crate) scrub: &'a dyn Fn(&str) -> String,
    pub(crate) bytes_max: usize,
}

impl Cleaner<'_> {
    /// Masks first: an escaped secret would no longer be recognised.
    pub(crate) fn clean(&self, text: &str) -> String {
        escape::cut(&escape::line(&(self.scrub)(text)), self.bytes_max)
    }
}

pub(crate) fn settings(settings: &[Setting]) -> Vec<plugin::Setting> {
    let value = |name: &str, value: &SettingValue| match value {
        SettingValue::Boolean(value) => plugin::Value::Boolean(*value),
        SettingValue::Integer(value) => plugin::Value::Integer(*value),
        SettingValue::Text(text) => plugin::Value::Text(text.clone()),
        SettingValue::Many(texts) => plugin::Value::Many(texts.clone()),
        SettingValue::Secret(_) => plugin::Value::Secret(name.to_owned()),
    };
    settings
        .iter()
        .map(|Setting { name, value: given }| plugin::Setting {
            name: name.clone(),
            value: value(name, given),
        })
        .collect()
}

pub(crate) fn notification(lease: &Lease, mode: Mode, time_left: Duration) -> plugin::Notification {
    let Lease { delivery, attempt_number } = lease;
    let Notification { id: _, tenant: _, contact, object, incident, event, links, extra, source } =
        &*delivery.notification;
    plugin::Notification {
        contact: plugin::Contact {
            full_name: contact.full_name.clone(),
            addresses: contact
                .addresses
                .iter()
                .map(|address| plugin::Address {
                    kind: address.kind.clone(),
                    address: address.address.clone(),
                })
                .collect(),
        },
        object: plugin::Object {
            name: object.name.clone(),
            url: object.url.clone(),
            tags: object.tags.clone(),
        },
        incident: incident.as_ref().map(|incident| plugin::Incident {
            id: incident.id,
            url: incident.url.clone(),
            severity: incident.severity.map(severity),
        }),
        event: plugin::Event {
            time: event.time.clone(),
            kind: event.kind.clone(),
            severity: event.severity.map(severity),
            title: event.title.clone(),
            username: event.username.clone(),
            message: event.message.clone(),
        },
        delivery: plugin::Delivery {
            id: delivery.id.to_string(),
            attempt: attempt_number.get(),
            time_left_ms: u32::try_from(time_left.as_millis()).unwrap_or(u32::MAX),
            dry_run: mode == Mode::DryRun,
            locale: None,
        },
        source: plugin::Source { system: source.system.clone(), payload: source.payload.clone() },
        links: links
            .iter()
            .map(|link| plugin::Link { label: link.label.clone(), url: link.url.clone() })
            .collect(),
        extra: extra.clone(),
    }
}

fn severity(severity: Severity) -> plugin::Severity {
    match severity {
        Severity::Ok => plugin::Severity::Ok,
        Severity::Debug => plugin::Severity::Debug,
        Severity::Info => plugin::Severity::Info,
        Severity::Notice => plugin::Severity::Notice,
        Severity::Warning => plugin::Severity::Warning,
        Severity::Err => plugin::Severity::Err,
        Severity::Crit => plugin::Severity::Crit,
        Severity::Alert => plugin::Severity::Alert,
        Severity::Emerg => plugin::Severity::Emerg,
    }
}

pub(crate) fn outcome(answer: Result<plugin::Receipt, plugin::SendError>, cleaner: &Cleaner<'_>) -> Outcome {
    match answer {
        Ok(plugin::Receipt { provider_id, detail, links }) => Outcome::Delivered {
            receipt: Receipt {
                provider_id: provider_id.map(|text| cleaner.clean(&text)),
                detail: detail.map(|text| cleaner.clean(&text)),
                links: links
                    .into_iter()
                    .take(LINKS_MAX)
                    .map(|plugin::Link { label, url }| Link {
                        label: cleaner.clean(&label),
                        url: cleaner.clean(&url),
                    })
                    .collect(),
            },
        },
        Err(plugin::SendError { retry, retry_after_ms, code, message }) => {
            let kind = match (retry, code.as_str()) {
                (plugin::Retry::Later, _) => FailureKind::Transient,
                (plugin::Retry::Never, "config") => FailureKind::Misconfigured,
                (plugin::Retry::Never, "denied") => FailureKind::Denied,
                (plugin::Retry::Never, _) => FailureKind::Permanent,
            };
            let retry_after = retry_after_ms
                .filter(|_| kind == FailureKind::Transient)
                .map(|millis| Duration::from_millis(millis).min(RETRY_AFTER_MAX));
            Outcome::Failed(Failure {
                kind,
                code: clean_code(code),
                detail: said(&message, cleaner),
                retry_after,
            })
        }
    }
}

/// A code is a short lower-case word; what is none cannot be stable.
fn clean_code(code: String) -> String {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_code = !code.is_empty() && code.len() <= CODE_BYTES_MAX && code.bytes().all(is_word);
    if is_code { code } else { "internal".to_owned() }
}

fn said(message: &str, cleaner: &Cleaner<'_>) -> String {
    if message.trim().is_empty() { "the plugin gave no reason".to_owned() } else { cleaner.clean(message) }
}

pub(crate) fn config_error(error: &plugin::ConfigError, cleaner: &Cleaner<'_>) -> ConfigError {
    let plugin::ConfigError { name, message } = error;
    ConfigError { name: name.as_ref().map(|name| cleaner.clean(name)), message: said(message, cleaner) }
}

pub(crate) fn level(level: log::Level) -> LogLevel {
    match level {
        log::Level::Trace => LogLevel::Trace,
        log::Level::Debug => LogLevel::Debug,
        log::Level::Info => LogLevel::Info,
        log::Level::Warn => LogLevel::Warn,
        log::Level::Error => LogLevel::Error,
    }
}

pub(crate) fn http_request(request: http::Request) -> value::HttpRequest {
    let http::Request { method, url, query, headers, body, timeout_ms } = request;
    value::HttpRequest {
        method,
        url: template(url),
        query: query.into_iter().map(field).collect(),
        headers: headers.into_iter().map(field).collect(),
        body: match body {
            http::Body::Empty => value::Body::Empty,
            http::Body::Bytes(bytes) => value::Body::Bytes(bytes),
            http::Body::Text(text) => value::Body::Text(template(text)),
        },
        timeout: timeout_ms.map(|millis| Duration::from_millis(u64::from(millis))),
    }
}

fn field(field: http::Field) -> value::Field {
    let http::Field { name, value } = field;
    value::Field { name, value: template(value) }
}

fn template(parts: types::Template) -> value::Template {
    let atom = |atom| match atom {
        types::Atom::Literal(text) => value::Atom::Literal(text),
        types::Atom::Secret(name) => value::Atom::Secret(name),
    };
    let part = |part| match part {
        types::Part::Literal(text) => value::Part::Literal(text),
        types::Part::Secret(name) => value::Part::Secret(name),
        types::Part::Derived(types::Derived { how, of }) => {
            value::Part::Derived(value::Derived { how, of: of.into_iter().map(atom).collect() })
        }
    };
    parts.into_iter().map(part).collect()
}

pub(crate) fn http_answer(
    answer: Result<value::HttpResponse, value::HttpError>,
) -> Result<http::Response, http::Error> {
    match answer {
        Ok(value::HttpResponse { status, headers, body }) => Ok(http::Response { status, headers, body }),
        Err(error) => Err(http_error(error)),
    }
}

pub(crate) fn http_error(error: value::HttpError) -> http::Error {
    let value::HttpError { code, message, request_sent, retry_after } = error;
    http::Error {
        code: code.to_owned(),
        message,
        request_sent,
        retry_after_ms: retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    }
}

pub(crate) fn relay(relay: smtp::Relay) -> value::Relay {
    match relay {
        smtp::Relay::Named(name) => value::Relay::Named(name),
        smtp::Relay::Server(smtp::Server { host, port, encryption, login }) => {
            value::Relay::Server(value::Server {
                host,
                port,
                encryption: match encryption {
                    smtp::Encryption::None => value::Encryption::None,
                    smtp::Encryption::Starttls => value::Encryption::Starttls,
                    smtp::Encryption::Tls => value::Encryption::Tls,
                },
                login: login.map(|smtp::Login { user, password, mechanism }| value::Login {
                    user,
                    password,
                    mechanism,
                }),
            })
        }
    }
}

pub(crate) fn mail(mail: smtp::Mail) -> value::Mail {
    let mailbox = |smtp::Mailbox { name, address }| value::Mailbox { name, address };
    let attachment = |smtp::Attachment { filename, content_type, data, inline_id }| value::Attachment {
        filename,
        content_type,
        data,
        inline_id,
    };
    let smtp::Mail { sender, reply_to, to, cc, bcc, subject, text, html, headers, attachments } = mail;
    value::Mail {
        sender: sender.map(mailbox),
        reply_to: reply_to.map(mailbox),
        to: to.into_iter().map(mailbox).collect(),
        cc: cc.into_iter().map(mailbox).collect(),
        bcc: bcc.into_iter().map(mailbox).collect(),
        subject,
        text,
        html,
        headers,
        attachments: attachments.into_iter().map(attachment).collect(),
    }
}

pub(crate) fn smtp_answer(
    answer: Result<value::Accepted, value::SmtpError>,
) -> Result<smtp::Accepted, smtp::Error> {
    match answer {
        Ok(value::Accepted { message_id, reply, refused }) => Ok(smtp::Accepted {
            message_id,
            reply,
            refused: refused
                .into_iter()
                .map(|value::RefusedRecipient { address, reply }| smtp::Refusal { address, reply })
                .collect(),
        }),
        Err(value::SmtpError { code, reply_code, message }) => {
            Err(smtp::Error { code: code.to_owned(), reply_code, message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(answer: Result<plugin::Receipt, plugin::SendError>) -> Outcome {
        outcome(answer, &Cleaner { scrub: &|text| text.replace("s\\3", "<secret>"), bytes_max: 40 })
    }

    fn error(retry: plugin::Retry, retry_after_ms: Option<u64>, code: &str, message: &str) -> String {
        let error =
            plugin::SendError { retry, retry_after_ms, code: code.to_owned(), message: message.to_owned() };
        match cleaned(Err(error)) {
            Outcome::Failed(Failure { kind, code, detail, retry_after }) => {
                format!("{} {code} {retry_after:?}: {detail}", kind.as_str())
            }
            Outcome::Delivered { .. } => "delivered".to_owned(),
        }
    }

    #[test]
    fn an_error_of_a_plugin_becomes_a_failure() {
        use plugin::Retry::{Later, Never};
        let check = |got: String, want: &str| assert_eq!(got, want);
        check(error(Later, Some(5_000), "rate-limited", "429"), "transient rate-limited Some(5s): 429");
        check(error(Later, Some(u64::MAX), "config", "x"), "transient config Some(86400s): x");
        check(error(Never, Some(5), "config", "x"), "misconfigured config None: x");
        check(error(Never, None, "denied", "x"), "denied denied None: x");
        check(error(Never, None, "rejected", " "), "permanent rejected None: the plugin gave no reason");
        check(error(Never, None, "\x1b[2J", "a\nb"), r"permanent internal None: a\nb");
        check(error(Never, None, "auth", "token s\\3 \x1b"), r"permanent auth None: token <secret> \u{1b}");
        check(
            error(Never, None, "auth", &"x".repeat(50)),
            &format!("permanent auth None: {}…[10 bytes more]", "x".repeat(40)),
        );
    }

    #[test]
    fn a_receipt_is_clamped() {
        let link = plugin::Link { label: "l\n".to_owned(), url: "u".to_owned() };
        let receipt =
            plugin::Receipt { provider_id: Some("id\x07".to_owned()), detail: None, links: vec![link; 100] };
        let Outcome::Delivered { receipt } = cleaned(Ok(receipt)) else { panic!("a receipt is a delivery") };
        assert_eq!(receipt.provider_id.as_deref(), Some(r"id\u{7}"));
        assert_eq!((receipt.links.len(), receipt.links[0].label.as_str()), (16, r"l\n"));
    }
}
