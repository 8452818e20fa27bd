//! `PagerDuty`: triggers, acknowledges and resolves alerts through the Events API v2.

use sandbell_chat_text::{Limit, Step, facts, headline, links, one_line, step, thread_key};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Map, Value};

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// `PagerDuty`'s limit.
const SUMMARY: Limit = Limit::Chars(1024);
/// An event may have 512 KiB; nobody reads as much.
const MESSAGE: Limit = Limit::Chars(8000);
const SOURCE: Limit = Limit::Chars(250);
const KEY: Limit = Limit::Chars(60);
const VALUE: Limit = Limit::Chars(500);
const LABEL: Limit = Limit::Chars(80);
const FACTS_MAX: usize = 50;
const LINKS_MAX: usize = 10;
const URL_BYTES_MAX: usize = 2000;
/// Of the service's own words.
const REASON: Limit = Limit::Chars(200);

#[derive(ChannelConfig)]
pub struct Config {
    /// Of an integration of the type "Events API v2".
    #[config(
        label = "Integration Key",
        label(de_DE = "Integrationsschlüssel"),
        help(de_DE = "Schlüssel einer Integration vom Typ „Events API v2“.")
    )]
    routing_key: Secret,
    /// Where the account is.
    #[config(
        default = "events",
        label = "Service Region",
        label(de_DE = "Region"),
        help(de_DE = "Wo sich das Konto befindet.")
    )]
    region: Region,
}

/// The value is the beginning of the host's name, so that the grant is for one host alone.
#[derive(Clone, Copy, Choice)]
enum Region {
    #[choice(rename = "events", label = "US")]
    Us,
    #[choice(rename = "events.eu", label = "EU")]
    Eu,
}

pub struct PagerDuty(Config);

impl Channel for PagerDuty {
    type Config = Config;

    fn info() -> Info {
        Info::new("PagerDuty")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("pagerduty")
            .wants_http(
                "POST https://{region}.pagerduty.com/v2/enqueue",
                "Triggers, acknowledges and resolves alerts of the integration.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self(config))
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let Config { routing_key, region } = &self.0;
        let host = match region {
            Region::Us => "events.pagerduty.com",
            Region::Eu => "events.eu.pagerduty.com",
        };
        let response = http::post(format!("https://{host}/v2/enqueue"))
            .json_object(event(routing_key, notification))
            .timeout(ANSWER_LIMIT)
            .send()?;
        receipt(&response, notification.delivery.dry_run)
    }
}

export!(PagerDuty);

fn event(routing_key: &Secret, notification: &Notification) -> http::Object {
    let action = match step(notification) {
        Step::Open => "trigger",
        Step::Acknowledge => "acknowledge",
        Step::Close => "resolve",
    };
    let links: Vec<_> = links(notification, URL_BYTES_MAX)
        .into_iter()
        .take(LINKS_MAX)
        .map(|(label, url)| json!({ "href": url, "text": LABEL.cut(label) }))
        .collect();
    http::object()
        .secret("routing_key", routing_key)
        .value("event_action", action)
        .value("dedup_key", &thread_key(notification))
        .value("client", "Sandbell")
        .value("links", &links)
        .value("payload", &payload(notification))
}

fn payload(notification: &Notification) -> Value {
    let Notification { object, event, source, .. } = notification;
    let name = [object.name.as_str(), source.system.as_str(), "Sandbell"];
    let name = name.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_default();
    let facts = facts(notification).into_iter().take(FACTS_MAX);
    let mut details: Map<_, _> =
        facts.map(|(key, value)| (KEY.cut(key), Value::from(VALUE.cut(&value)))).collect();
    if !event.message.trim().is_empty() {
        details.insert("Message".to_owned(), MESSAGE.cut(event.message.trim_end()).into());
    }
    let mut payload = json!({
        "summary": SUMMARY.cut(&headline(notification)),
        "source": SOURCE.cut(name),
        "severity": severity(notification.severity()),
        "custom_details": details,
    });
    if event.unix_seconds().is_some() {
        payload["timestamp"] = event.time.as_str().into();
    }
    if !event.kind.is_empty() {
        payload["class"] = SOURCE.cut(&event.kind).into();
    }
    payload
}

/// `PagerDuty`'s four words.
fn severity(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Crit | Severity::Alert | Severity::Emerg) => "critical",
        Some(Severity::Err) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Ok | Severity::Debug | Severity::Info | Severity::Notice) | None => "info",
    }
}

/// Only `success` is success: the event is then queued, and the key names its alert.
fn receipt(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let status = answer["status"].as_str();
    match response.failure() {
        None if status == Some("success") => {
            let key = answer["dedup_key"].as_str();
            Ok(key.map_or_else(Receipt::new, |key| Receipt::new().id(key)))
        }
        None if is_dry_run => Ok(Receipt::new()),
        None => {
            let message = format!("{}: no answer of PagerDuty", response.summary());
            Err(SendError::never(code::PROTOCOL, message))
        }
        Some(error) => Err(refusal(response, &answer, error)),
    }
}

fn refusal(response: &Response, answer: &Value, error: SendError) -> SendError {
    let Some(words) = answer["message"].as_str() else { return error };
    let errors = answer["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let all: Vec<_> = std::iter::once(words).chain(errors).collect();
    let message = one_line(&format!("{}: {}", response.status_line(), all.join("; ")), REASON);
    // An unknown key is an invalid event to PagerDuty.
    let is_about_key = response.status() == 400 && message.contains("routing_key");
    if is_about_key { SendError::auth(message) } else { SendError { message, ..error } }
}

#[cfg(test)]
mod tests;
