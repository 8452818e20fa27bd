//! Opsgenie: creates, acknowledges and closes alerts through the Alert API v2.

use sandbell_chat_text::{Limit, Markup, Step, body, facts, headline, one_line, step, thread_key};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Map, Value};

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Opsgenie's limits.
const MESSAGE: Limit = Limit::Utf16(130);
const DESCRIPTION: Limit = Limit::Utf16(15_000);
const DETAILS_MAX: usize = 8000;
const ENTITY: Limit = Limit::Utf16(512);
const SOURCE: Limit = Limit::Utf16(100);
const TAG: Limit = Limit::Utf16(50);
const TAGS_MAX: usize = 20;
const NOTE: Limit = Limit::Utf16(5000);
const KEY: Limit = Limit::Utf16(60);
const VALUE: Limit = Limit::Utf16(500);
/// Of the service's own words.
const REASON: Limit = Limit::Chars(200);

#[derive(ChannelConfig)]
pub struct Config {
    /// Of an API integration.
    #[config(
        label = "API Key",
        label(de_DE = "API-Schlüssel"),
        help(de_DE = "Schlüssel einer API-Integration.")
    )]
    api_key: Secret,
    /// Where the account is.
    #[config(
        default = "api",
        label = "Region",
        label(de_DE = "Region"),
        help(de_DE = "Wo sich das Konto befindet.")
    )]
    region: Region,
    /// Who is responsible, separated by commas: names of teams or addresses of users, unless the contact has some of
    /// its own (address type `opsgenie`). Without both the integration decides.
    #[config(
        label = "Responders",
        label(de_DE = "Verantwortliche"),
        help(
            de_DE = "Wer zuständig ist, durch Kommas getrennt: Namen von Teams oder Adressen von Benutzern, sofern der Kontakt keine eigenen hat (Adresstyp opsgenie). Ohne beides entscheidet die Integration."
        ),
        placeholder = "Operations, jdoe@example.com"
    )]
    responders: Option<String>,
    /// Separated by commas.
    #[config(label = "Tags", label(de_DE = "Tags"), help(de_DE = "Durch Kommas getrennt."))]
    tags: Option<String>,
}

/// The value is the beginning of the host's name, so that the grant is for one host alone.
#[derive(Clone, Copy, Choice)]
enum Region {
    #[choice(rename = "api", label = "US")]
    Us,
    #[choice(rename = "api.eu", label = "EU")]
    Eu,
}

pub struct Opsgenie {
    api_key: Secret,
    host: &'static str,
    responders: Vec<String>,
    tags: Vec<String>,
}

impl Channel for Opsgenie {
    type Config = Config;

    fn info() -> Info {
        Info::new("Opsgenie")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("opsgenie")
            .wants_http("POST https://{region}.opsgenie.com/v2/alerts", "Creates alerts.")
            .wants_http(
                "POST https://{region}.opsgenie.com/v2/alerts/*",
                "Acknowledges and closes the alerts that it created.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { api_key, region, responders, tags } = config;
        let host = match region {
            Region::Us => "api.opsgenie.com",
            Region::Eu => "api.eu.opsgenie.com",
        };
        let (responders, tags) = (list(&responders.unwrap_or_default()), list(&tags.unwrap_or_default()));
        if tags.len() > TAGS_MAX {
            return Err(ConfigError::option("tags", format!("must be at most {TAGS_MAX}")));
        }
        Ok(Self { api_key, host, responders, tags })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let key = thread_key(notification);
        let step = step(notification);
        let alerts = format!("https://{}/v2/alerts", self.host);
        let request = match step {
            Step::Open => http::post(alerts).json(&self.alert(&key, notification)),
            Step::Acknowledge => existing(&alerts, &key, "acknowledge", notification),
            Step::Close => existing(&alerts, &key, "close", notification),
        };
        let authorization = Template::from("GenieKey ").with(&self.api_key);
        let response = request.header("Authorization", authorization).timeout(ANSWER_LIMIT).send()?;
        receipt(&response, notification.delivery.dry_run)
    }
}

export!(Opsgenie);

impl Opsgenie {
    fn alert(&self, key: &str, notification: &Notification) -> Value {
        let own: Vec<_> = notification.addresses("opsgenie").flat_map(list).collect();
        let responders = if own.is_empty() { &self.responders } else { &own };
        let responders: Vec<_> = responders.iter().map(|name| responder(name)).collect();
        let tags: Vec<_> = self.tags.iter().map(|tag| TAG.cut(tag)).collect();
        let mut alert = json!({
            "message": MESSAGE.cut(&headline(notification)),
            "alias": key,
            "description": body(notification, Markup::Plain, DESCRIPTION),
            "priority": priority(notification.severity()),
            "details": details(notification),
            "source": SOURCE.cut(&notification.source.system),
        });
        let optional = [
            ("entity", Value::from(ENTITY.cut(notification.object.name.trim()))),
            ("responders", responders.into()),
            ("tags", tags.into()),
        ];
        for (name, value) in optional {
            let is_empty = value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
            if !is_empty {
                alert[name] = value;
            }
        }
        alert
    }
}

/// An alert that is there already, or is not: Opsgenie decides later.
fn existing(alerts: &str, key: &str, action: &str, notification: &Notification) -> http::Request {
    let note = body(notification, Markup::Plain, NOTE);
    let note = if note.is_empty() { NOTE.cut(&headline(notification)) } else { note };
    let message = json!({ "note": note, "source": SOURCE.cut(&notification.source.system) });
    http::post(format!("{alerts}/{key}/{action}")).query("identifierType", "alias").json(&message)
}

/// What has an `@` is a user, everything else a team.
fn responder(name: &str) -> Value {
    if name.contains('@') {
        json!({ "type": "user", "username": name })
    } else {
        json!({ "type": "team", "name": name })
    }
}

/// As many as fit, each whole or not there.
fn details(notification: &Notification) -> Map<String, Value> {
    let mut room = DETAILS_MAX;
    let mut details = Map::new();
    for (key, value) in facts(notification) {
        let (key, value) = (KEY.cut(key), VALUE.cut(&value));
        let length = KEY.measure(&key) + VALUE.measure(&value);
        if length <= room {
            room -= length;
            details.insert(key, value.into());
        }
    }
    details
}

/// Without a severity it is Opsgenie's own default.
fn priority(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Alert | Severity::Emerg) => "P1",
        Some(Severity::Crit) => "P2",
        Some(Severity::Err | Severity::Warning) | None => "P3",
        Some(Severity::Ok | Severity::Notice) => "P4",
        Some(Severity::Debug | Severity::Info) => "P5",
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Opsgenie only queues; the receipt holds the number under which it can be asked what became of it.
fn receipt(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(error) = response.failure() else {
        return match answer["requestId"].as_str() {
            Some(id) => Ok(Receipt::new().id(id)),
            None if is_dry_run => Ok(Receipt::new()),
            None => {
                let message = format!("{}: no answer of Opsgenie", response.summary());
                Err(SendError::never(code::PROTOCOL, message))
            }
        };
    };
    let Some(words) = answer["message"].as_str() else { return Err(error) };
    let errors = answer.get("errors").map(|errors| format!(" {errors}")).unwrap_or_default();
    let message = one_line(&format!("{}: {words}{errors}", response.status_line()), REASON);
    Err(SendError { message, ..error })
}

#[cfg(test)]
mod tests;
