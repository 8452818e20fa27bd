//! Signal: sends each notification through signal-cli-rest-api, as Diun's channel `signalrest` does
//! (`reference/diun.md` §1.3).

use sandbell_chat_text::{GoText, Limit, Markup, body, headline, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Signal's servers are slow where a message goes to many.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Phones show so much before they ask for more.
const MESSAGE: Limit = Limit::Bytes(2000);
const TITLE: Limit = Limit::Bytes(300);
/// Of the server's own words.
const REASON: Limit = Limit::Chars(200);
const RECIPIENTS_MAX: usize = 50;
const RECIPIENT_CHARS_MAX: usize = 128;

#[derive(ChannelConfig)]
pub struct Config {
    /// Where signal-cli-rest-api takes messages.
    #[config(
        default = "http://localhost:8080/v2/send",
        label = "API URL",
        label(de_DE = "API-URL"),
        help(de_DE = "Wo signal-cli-rest-api Nachrichten annimmt.")
    )]
    endpoint: String,
    /// The number that is registered there and sends, e.g. `+4915112345678`.
    #[config(
        label = "Sender Number",
        label(de_DE = "Absendernummer"),
        help(de_DE = "Die Nummer, die dort registriert ist und sendet, z. B. +4915112345678."),
        placeholder = "+4915112345678"
    )]
    number: String,
    /// Who gets the message, unless the contact has an address of its own (address type `signal`): numbers, user names
    /// or `group.ID`, separated by commas or blanks.
    #[config(
        label = "Recipients",
        label(de_DE = "Empfänger"),
        help(
            de_DE = "Wer die Nachricht bekommt, sofern der Kontakt keine eigene Adresse hat (Adresstyp signal): Nummern, Benutzernamen oder group.ID, durch Kommas oder Leerzeichen getrennt."
        )
    )]
    recipients: Option<String>,
    /// Sent as the header `Authorization`, for a proxy in front of the API, e.g. `Bearer …`.
    #[config(
        label = "Authorization Header",
        label(de_DE = "Authorization-Header"),
        help(de_DE = "Wird als Header Authorization gesendet, für einen Proxy vor der API, z. B. Bearer ….")
    )]
    authorization: Option<Secret>,
    /// A Go template, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

pub struct Signal {
    endpoint: String,
    number: String,
    recipients: Vec<String>,
    authorization: Option<Secret>,
    template: GoText,
}

impl Channel for Signal {
    type Config = Config;

    fn info() -> Info {
        Info::new("Signal")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("signal")
            .wants_http("POST {endpoint}", "Hands each notification to signal-cli-rest-api.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { endpoint, number, recipients, authorization, template_body } = config;
        let template = GoText::new(None, template_body.as_deref(), false)?;
        let endpoint = web_url("endpoint", &endpoint)?.to_owned();
        let number = number.trim().to_owned();
        if !is_number(&number) {
            return Err(ConfigError::option("number", "must be a number like `+4915112345678`"));
        }
        let recipients = list(&recipients.unwrap_or_default());
        check(&recipients).map_err(|message| ConfigError::option("recipients", message))?;
        Ok(Self { endpoint, number, recipients, authorization, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let recipients = self.recipients(notification)?;
        let own = self.template.body(notification)?;
        let message = json!({
            "message": own.map_or_else(|| text(notification), |own| MESSAGE.cut(&own)),
            "number": self.number,
            "recipients": recipients,
            "text_mode": "normal",
        });
        let mut request = http::post(&self.endpoint).json(&message);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        receipt(&request.timeout(ANSWER_LIMIT).send()?)
    }
}

export!(Signal);

impl Signal {
    /// The contact's, or else those of the form.
    fn recipients(&self, notification: &Notification) -> Result<Vec<String>, SendError> {
        let name = &notification.contact.full_name;
        let own: Vec<_> = notification.addresses("signal").flat_map(list).collect();
        let recipients = if own.is_empty() { self.recipients.clone() } else { own };
        if recipients.is_empty() {
            return Err(SendError::address(format!(
                "contact {name} has no signal address, and the channel names none"
            )));
        }
        check(&recipients).map_err(|message| SendError::address(format!("contact {name} {message}")))?;
        Ok(recipients)
    }
}

fn text(notification: &Notification) -> String {
    let title = TITLE.cut(&headline(notification));
    let body = body(notification, Markup::Plain, MESSAGE.less(MESSAGE.measure(&title) + "\n\n".len()));
    if body.is_empty() { title } else { format!("{title}\n\n{body}") }
}

fn list(text: &str) -> Vec<String> {
    let words = text.split(|char: char| char.is_whitespace() || char == ',');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The message goes on after the name of what was read.
fn check(recipients: &[String]) -> Result<(), String> {
    let is_too_long = |text: &&String| text.chars().count() > RECIPIENT_CHARS_MAX;
    if recipients.len() > RECIPIENTS_MAX {
        return Err(format!("has more than {RECIPIENTS_MAX} recipients"));
    }
    if recipients.iter().find(is_too_long).is_some() {
        return Err(format!("has a recipient of more than {RECIPIENT_CHARS_MAX} characters"));
    }
    // A number without its country would be looked up in the sender's.
    let is_local = |text: &&String| text.bytes().all(|byte| byte.is_ascii_digit());
    match recipients.iter().find(is_local) {
        Some(local) => Err(format!("has `{local}`; write `+`, the country and the number")),
        None => Ok(()),
    }
}

/// E.164: a plus and at most 15 digits.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Only 200 to 299 is success. Diun takes every status for one, also 500.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(error) = response.failure() else {
        // A time in milliseconds, which is how Signal names a message; as text in all releases of the API so far.
        let id = answer["timestamp"].as_str();
        return Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id)));
    };
    let Some(words) = answer["error"].as_str() else { return Err(error) };
    let message = format!("{}: {}", response.status_line(), one_line(words, REASON));
    // The API gives 400 for whatever signal-cli says.
    if words.contains("Unregistered user") || words.contains("is not registered") {
        return Err(SendError::address(message));
    }
    Err(SendError { message, ..error })
}

#[cfg(test)]
mod tests;
