//! Webhook: any HTTP request, made of Go templates, as Icinga Notifications' own webhook channel makes it.
//!
//! Options, defaults, templates and error texts are those of `reference/icinga.md` §4.2. What differs: a template that
//! does not end is stopped, a request has a deadline, redirects and proxies are the operator's business, the method is
//! written in capitals, and no error repeats the URL.

mod status; // which answers are good

use sandbell_chat_text::icinga_data;
use sandbell_go_template::{Functions, Template as GoTemplate};
use sandbell_sdk::prelude::*;

use crate::status::StatusCodes;

#[derive(ChannelConfig)]
pub struct Config {
    /// The method of the request: GET, HEAD, POST, PUT, PATCH or DELETE.
    #[config(
        required,
        default = "POST",
        label = "HTTP Method",
        label(de_DE = "HTTP-Methode"),
        help(de_DE = "Die Methode der Anfrage: GET, HEAD, POST, PUT, PATCH oder DELETE.")
    )]
    method: String,
    /// The URL of the request, a Go template. Scheme, host and port must be plain text.
    #[config(
        label = "URL Template",
        label(de_DE = "URL-Template"),
        help(de_DE = "Die URL der Anfrage, ein Go-Template. Schema, Host und Port müssen fester Text sein.")
    )]
    url_template: String,
    /// The body of the request, a Go template. The default is the notification as JSON.
    #[config(
        default = "{{json .}}",
        label = "Request Body Template",
        label(de_DE = "Anfragedaten-Template"),
        help(de_DE = "Der Inhalt der Anfrage, ein Go-Template. Vorgabe ist die Benachrichtigung als JSON.")
    )]
    request_body_template: String,
    /// The status codes that mean success, separated by commas, without spaces.
    #[config(
        required,
        default = "200",
        label = "Response Status Codes",
        label(de_DE = "Antwort-Status-Codes"),
        help(de_DE = "Die Statuscodes, die Erfolg bedeuten, durch Kommas getrennt, ohne Leerzeichen.")
    )]
    response_status_codes: String,
}

pub struct Webhook {
    method: String,
    url: GoTemplate,
    body: GoTemplate,
    accepted: StatusCodes,
}

impl Channel for Webhook {
    type Config = Config;

    fn info() -> Info {
        Info::new("Webhook")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("webhook")
            .wants_http(
                "{method} {url_template}",
                "Sends each notification to the URL of the form, and to nothing else.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { method, url_template, request_body_template, response_status_codes } = config;
        let parse = |option: &str, what: &str, text: &str| {
            GoTemplate::parse_with(what, text, Functions::new().with_json()).map_err(|error| {
                ConfigError::option(option, format!("cannot parse {what} template: {error}"))
            })
        };
        Ok(Self {
            method: method.to_ascii_uppercase(),
            url: parse("url_template", "URL", &url_template)?,
            body: parse("request_body_template", "Request Body", &request_body_template)?,
            accepted: response_status_codes.parse().map_err(|error: status::BadCode| {
                ConfigError::option("response_status_codes", error.to_string())
            })?,
        })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let data = icinga_data(notification);
        let render = |what: &str, template: &GoTemplate| {
            template
                .render(&data)
                .map_err(|error| SendError::config(format!("cannot execute {what} template: {error}")))
        };
        // Go's client encodes the blanks that names bring in; a raw one would end the URL.
        let url = render("URL", &self.url)?.replace(' ', "%20");
        let body = render("Request Body", &self.body)?;
        let mut request = http::request(&self.method, url);
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send()?;
        if notification.delivery.dry_run || self.accepted.contains(response.status()) {
            return Ok(Receipt::new().detail(format!("HTTP {}", response.status())));
        }
        let message =
            format!("unaccepted HTTP response status code {} not in {}", response.status(), self.accepted);
        // The status that is not accepted may still say that it is worth another try.
        Err(match response.check() {
            Err(error) => SendError { message, ..error },
            Ok(_) => SendError::permanent(message),
        })
    }
}

export!(Webhook);

#[cfg(test)]
mod tests;
