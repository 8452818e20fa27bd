//! Apprise: notifies through an Apprise API server, as Diun's channel of that name does (`reference/diun.md` §1.3).

use sandbell_chat_text::{GoText, Limit, Markup, OwnText, body, headline, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Apprise answers when all of its services have.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Apprise cuts for each of its services again.
const TITLE: Limit = Limit::Chars(250);
const BODY: Limit = Limit::Chars(8000);
/// Of the server's own words.
const REASON: Limit = Limit::Chars(200);

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Apprise API server, e.g. `https://apprise.example.com`.
    #[config(
        label = "Apprise API URL",
        label(de_DE = "Apprise-API-URL"),
        help(de_DE = "Adresse des Apprise-API-Servers, z. B. https://apprise.example.com.")
    )]
    endpoint: String,
    /// Key of a configuration that the server keeps.
    #[config(
        label = "Configuration Key",
        label(de_DE = "Konfigurationsschlüssel"),
        help(de_DE = "Schlüssel einer Konfiguration, die der Server aufbewahrt.")
    )]
    token: Option<Secret>,
    /// With a key: only services with one of these tags, separated by commas.
    #[config(
        label = "Tags",
        label(de_DE = "Tags"),
        help(de_DE = "Mit einem Schlüssel: nur Dienste mit einem dieser Tags, durch Kommas getrennt.")
    )]
    tags: Option<String>,
    /// Without a key: Apprise URLs of the services, separated by commas. They hold passwords.
    #[config(
        label = "Apprise URLs",
        label(de_DE = "Apprise-URLs"),
        help(
            de_DE = "Ohne Schlüssel: Apprise-URLs der Dienste, durch Kommas getrennt. Sie enthalten Passwörter."
        )
    )]
    urls: Option<Secret>,
    /// A Go template with Diun's helpers, in the place of the title.
    #[config(
        label = "Title Template",
        label(de_DE = "Titel-Template"),
        help(de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle des Titels.")
    )]
    template_title: Option<String>,
    /// A Go template, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

pub struct Apprise {
    /// Without a slash at the end.
    endpoint: String,
    token: Option<Secret>,
    tags: Vec<String>,
    urls: Option<Secret>,
    template: GoText,
}

impl Channel for Apprise {
    type Config = Config;

    fn info() -> Info {
        Info::new("Apprise")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("apprise")
            .wants_http("POST {endpoint}/notify", "Notifies the services whose URLs are in the form.")
            .wants_http(
                "POST {endpoint}/notify/*",
                "Notifies the services that the server keeps under the key.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { endpoint, token, tags, urls, template_title, template_body } = config;
        let template = GoText::new(template_title.as_deref(), template_body.as_deref(), false)?;
        let endpoint = web_url("endpoint", &endpoint)?.trim_end_matches('/').to_owned();
        let tags = tags.unwrap_or_default();
        let tags: Vec<_> =
            tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        if !tags.is_empty() && token.is_none() {
            return Err(ConfigError::option(
                "tags",
                "need a configuration key, because Apprise URLs have no tags",
            ));
        }
        Ok(Self { endpoint, token, tags, urls, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let mut url = Template::from(format!("{}/notify", self.endpoint));
        if let Some(token) = &self.token {
            url = url.with("/").with(token);
        }
        let response =
            http::post(url).json_object(self.message(notification)?).timeout(ANSWER_LIMIT).send()?;
        receipt(&response)
    }
}

export!(Apprise);

impl Apprise {
    fn message(&self, notification: &Notification) -> Result<http::Object, SendError> {
        let OwnText { title, body: own } = self.template.own(notification)?;
        let title = TITLE.cut(&title.unwrap_or_else(|| headline(notification)));
        let text = own.map_or_else(|| body(notification, Markup::Plain, BODY), |own| BODY.cut(&own));
        let mut message = http::object()
            // Apprise refuses an empty body.
            .value("body", if text.is_empty() { &title } else { &text })
            .value("title", &title)
            .value("type", kind(notification.severity()))
            // Apprise escapes text for services that read HTML.
            .value("format", "text");
        if !self.tags.is_empty() {
            message = message.value("tags", &self.tags);
        }
        Ok(match &self.urls {
            Some(urls) => message.secret("urls", urls),
            None => message,
        })
    }
}

/// Apprise's four words, which choose colours and icons.
fn kind(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Ok) => "success",
        Some(Severity::Warning) => "warning",
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => "failure",
        Some(Severity::Debug | Severity::Info | Severity::Notice) | None => "info",
    }
}

/// Exactly 200 is success; 204 says that nothing is kept under the key.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let message = message(response);
    match (response.status(), response.failure()) {
        (200, _) => Ok(Receipt::new()),
        (204, _) => Err(SendError::config("Apprise keeps no configuration under the key")),
        // Some service could not be reached: it may be the next time, and others then read the message twice.
        (424, _) => Err(SendError::retry(message)),
        (_, Some(error)) => Err(SendError { message, ..error }),
        (_, None) => Err(SendError::never(code::PROTOCOL, message)),
    }
}

/// In Diun's words where the answer has them: `400 bad request: invalid …`; else Apprise's own.
fn message(response: &Response) -> String {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(error) = answer["error"].as_str() else { return response.summary() };
    let text = match (answer["errorCode"].as_i64(), answer["errorDescription"].as_str()) {
        (Some(number), Some(description)) => format!("{number} {error}: {description}"),
        _ => format!("{}: {error}", response.status_line()),
    };
    one_line(&text, REASON)
}

#[cfg(test)]
mod tests;
