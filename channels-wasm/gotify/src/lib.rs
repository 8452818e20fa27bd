//! Gotify: pushes each notification to an application, as Diun's channel of that name does (`reference/diun.md` §1.3).

use sandbell_chat_text::{GoText, Limit, Markup, OwnText, body, headline, links, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Diun's channel waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Gotify has no limits of its own; these are for those who read on a phone.
const TITLE: Limit = Limit::Chars(250);
const MESSAGE: Limit = Limit::Chars(8000);
/// Of the server's own words in an error.
const REASON: Limit = Limit::Chars(200);
const URL_BYTES_MAX: usize = 2000;

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Gotify server, e.g. `https://gotify.example.com`.
    #[config(
        label = "Gotify URL",
        label(de_DE = "Gotify-URL"),
        help(de_DE = "Adresse des Gotify-Servers, z. B. https://gotify.example.com.")
    )]
    endpoint: String,
    /// Token of the application, shown in Gotify under Apps.
    #[config(
        label = "Application Token",
        label(de_DE = "Anwendungstoken"),
        help(de_DE = "Token der Anwendung. Gotify zeigt es unter Apps an.")
    )]
    token: Secret,
    /// From 0 to 10; from 4 a phone makes a sound, from 8 it pops up. Without it the severity decides.
    #[config(
        label = "Priority",
        label(de_DE = "Priorität"),
        help(
            de_DE = "Von 0 bis 10: Ab 4 ertönt ein Ton, ab 8 erscheint ein Fenster. Ohne Angabe entscheidet der Schweregrad."
        ),
        min = 0,
        max = 10
    )]
    priority: Option<u8>,
    /// A Go template with Diun's helpers, in the place of the title.
    #[config(
        label = "Title Template",
        label(de_DE = "Titel-Template"),
        help(de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle des Titels.")
    )]
    template_title: Option<String>,
    /// A Go template in Markdown, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

pub struct Gotify {
    /// Without a slash at the end.
    endpoint: String,
    token: Secret,
    priority: Option<u8>,
    template: GoText,
}

impl Channel for Gotify {
    type Config = Config;

    fn info() -> Info {
        Info::new("Gotify")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("gotify")
            .wants_http(
                "POST {endpoint}/message",
                "Pushes each notification to the application of the token.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { endpoint, token, priority, template_title, template_body } = config;
        let template = GoText::new(template_title.as_deref(), template_body.as_deref(), false)?;
        let endpoint = web_url("endpoint", &endpoint)?.trim_end_matches('/').to_owned();
        Ok(Self { endpoint, token, priority, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let response = http::post(format!("{}/message", self.endpoint))
            .header("X-Gotify-Key", &self.token)
            .json(&self.message(notification)?)
            .timeout(ANSWER_LIMIT)
            .send()?;
        receipt(&response, notification.delivery.dry_run)
    }
}

export!(Gotify);

impl Gotify {
    fn message(&self, notification: &Notification) -> Result<Value, SendError> {
        let OwnText { title, body: own } = self.template.own(notification)?;
        let title = TITLE.cut(&title.unwrap_or_else(|| headline(notification)));
        let text = own.map_or_else(|| body(notification, Markup::Markdown, MESSAGE), |own| MESSAGE.cut(&own));
        let mut extras = json!({ "client::display": { "contentType": "text/markdown" } });
        if let Some((_, url)) = links(notification, URL_BYTES_MAX).first() {
            extras["client::notification"] = json!({ "click": { "url": url } });
        }
        Ok(json!({
            // Gotify refuses an empty message.
            "message": if text.is_empty() { Markup::Markdown.escape(&title, MESSAGE) } else { text },
            "title": title,
            "priority": self.priority.unwrap_or_else(|| priority(notification.severity())),
            "extras": extras,
        }))
    }
}

/// What phones do: from 1 an icon, from 4 a sound, from 8 a window. Without a severity it is Diun's.
fn priority(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Debug) => 0,
        Some(Severity::Info) => 2,
        Some(Severity::Notice) => 3,
        Some(Severity::Ok) => 4,
        Some(Severity::Warning) => 5,
        Some(Severity::Err) => 7,
        Some(Severity::Crit) => 8,
        Some(Severity::Alert) => 9,
        Some(Severity::Emerg) => 10,
        None => 1,
    }
}

/// Only the message that was made is success; a proxy's page is not.
fn receipt(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    if let Some(error) = response.failure() {
        return Err(SendError { message: message(response, &answer), ..error });
    }
    match answer["id"].as_i64() {
        Some(id) => Ok(Receipt::new().id(id.to_string())),
        None if is_dry_run => Ok(Receipt::new()),
        None => {
            let reason = "no answer of Gotify; is the URL that of its API?";
            Err(SendError::never(code::PROTOCOL, format!("{}: {reason}", response.summary())))
        }
    }
}

/// In Diun's words: `400 Bad Request: invalid priority`.
fn message(response: &Response, answer: &Value) -> String {
    let (Some(number), Some(error)) = (answer["errorCode"].as_i64(), answer["error"].as_str()) else {
        return response.summary();
    };
    let description = answer["errorDescription"].as_str().unwrap_or("no reason given");
    one_line(&format!("{number} {error}: {description}"), REASON)
}

#[cfg(test)]
mod tests;
