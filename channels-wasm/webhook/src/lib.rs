//! Webhook: any HTTP request, made of Go templates, as Icinga Notifications' own webhook channel makes it, and what the
//! source sent, as Diun's and Quay's webhooks send it (`reference/diun.md` §1.3, `quay.md` §3.2).
//!
//! Options, defaults, templates and error texts are those of `reference/icinga.md` §4.2. What differs: a template that
//! does not end is stopped, a request has a deadline, redirects and proxies are the operator's business, the method is
//! written in capitals, and no error repeats the URL.

mod header; // headers of the operator
mod json_template; // Quay's templates
mod signature; // Standard Webhooks
mod status; // which answers are good

use sandbell_chat_text::{diun_data, icinga_data};
use sandbell_go_template::{Functions, Template as GoTemplate};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

use crate::header::Headers;
use crate::json_template::JsonTemplate;
use crate::status::StatusCodes;

const BODY_DEFAULT: &str = "{{json .}}";
const CODES_DEFAULT: &str = "200";

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
    /// Whose request it is. Icinga's is made of the templates. Diun's and Quay's are what the source sent, unless there is a
    /// template, and every success counts. By default that of the system that the notification came from.
    #[config(
        default = "auto",
        label = "Style",
        label(de_DE = "Stil"),
        help(
            de_DE = "Wessen Anfrage es ist. Icingas ist aus den Templates gemacht. Diuns und Quays sind, was die Quelle sandte, sofern es kein Template gibt, und jeder Erfolg zählt. Ohne Angabe die des Systems, von dem die Benachrichtigung kam."
        )
    )]
    style: Style,
    /// Quay's template for the body: JSON whose strings may hold `${name}`, `${a.b[0].c}` or `${a[*].b}` of what the source
    /// sent.
    #[config(
        multiline,
        label = "JSON Template",
        label(de_DE = "JSON-Template"),
        help(
            de_DE = "Quays Template für die Anfragedaten: JSON, in dessen Texten ${name}, ${a.b[0].c} oder ${a[*].b} aus dem stehen kann, was die Quelle sandte."
        )
    )]
    template: Option<String>,
    /// One on a line, `Name: value`. A value may be a Go template.
    #[config(
        multiline,
        label = "Headers",
        label(de_DE = "Header"),
        help(de_DE = "Einer je Zeile, Name: Wert. Ein Wert kann ein Go-Template sein.")
    )]
    headers: Option<String>,
    /// Sent as the header `Authorization`, e.g. `Bearer …`.
    #[config(
        label = "Authorization Header",
        label(de_DE = "Authorization-Header"),
        help(de_DE = "Wird als Header Authorization gesendet, z. B. Bearer ….")
    )]
    authorization: Option<Secret>,
    /// Signs each request after the Standard Webhooks specification. The receiver's key is `whsec_` and the base64 of this
    /// text.
    #[config(
        label = "Signing Secret",
        label(de_DE = "Signaturgeheimnis"),
        help(
            de_DE = "Signiert jede Anfrage nach der Spezifikation Standard Webhooks. Der Schlüssel des Empfängers ist whsec_ und dieser Text in Base64."
        )
    )]
    signing_secret: Option<Secret>,
}

#[derive(Clone, Copy, PartialEq, Eq, Choice)]
enum Style {
    #[choice(label = "By source")]
    Auto,
    #[choice(label = "Icinga")]
    Icinga,
    #[choice(label = "Diun")]
    Diun,
    #[choice(label = "Quay")]
    Quay,
}

pub struct Webhook {
    method: String,
    url: GoTemplate,
    body: GoTemplate,
    /// The form's body template says nothing of its own.
    is_body_default: bool,
    json: Option<JsonTemplate>,
    accepted: StatusCodes,
    /// The form's codes say nothing of their own.
    is_accepted_default: bool,
    style: Style,
    headers: Headers,
    authorization: Option<Secret>,
    signing_secret: Option<Secret>,
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
        let functions = Functions::new().with_json().with_text_helpers();
        let parse = |option: &str, what: &str, text: &str| {
            GoTemplate::parse_with(what, text, functions.clone()).map_err(|error| {
                ConfigError::option(option, format!("cannot parse {what} template: {error}"))
            })
        };
        let url = parse("url_template", "URL", &config.url_template)?;
        let body = parse("request_body_template", "Request Body", &config.request_body_template)?;
        let json = config.template.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let json = json.map(JsonTemplate::parse).transpose();
        let json = json.map_err(|error| ConfigError::option("template", error.to_string()))?;
        let accepted = config.response_status_codes.parse().map_err(|error: status::BadCode| {
            ConfigError::option("response_status_codes", error.to_string())
        })?;
        let headers = Headers::parse(config.headers.as_deref().unwrap_or_default(), &functions)
            .map_err(|message| ConfigError::option("headers", message))?;
        if config.authorization.is_some() && headers.has("authorization") {
            return Err(ConfigError::option(
                "headers",
                "has `Authorization`, which has an option of its own",
            ));
        }
        Ok(Self {
            method: config.method.to_ascii_uppercase(),
            url,
            body,
            is_body_default: config.request_body_template.trim() == BODY_DEFAULT,
            json,
            accepted,
            is_accepted_default: config.response_status_codes == CODES_DEFAULT,
            style: config.style,
            headers,
            authorization: config.authorization,
            signing_secret: config.signing_secret,
        })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let style = self.style.of(notification);
        let request = self.request(style, notification)?;
        let response = request.send()?;
        let success = StatusCodes::success();
        let is_strict = style == Style::Icinga || !self.is_accepted_default;
        let accepted = if is_strict { &self.accepted } else { &success };
        if notification.delivery.dry_run || accepted.contains(response.status()) {
            return Ok(Receipt::new().detail(format!("HTTP {}", response.status())));
        }
        let message = format!("unaccepted HTTP response status code {} not in {accepted}", response.status());
        // The status that is not accepted may still say that it is worth another try.
        Err(match response.check() {
            Err(error) => SendError { message, ..error },
            Ok(_) => SendError::permanent(message),
        })
    }
}

export!(Webhook);

impl Webhook {
    fn request(&self, style: Style, notification: &Notification) -> Result<http::Request, SendError> {
        let data = if style == Style::Diun { diun_data(notification) } else { icinga_data(notification) };
        let render = |what: &str, template: &GoTemplate| {
            template
                .render(&data)
                .map_err(|error| SendError::config(format!("cannot execute {what} template: {error}")))
        };
        // Go's client encodes the blanks that names bring in; a raw one would end the URL.
        let url = render("URL", &self.url)?.replace(' ', "%20");
        let payload = &notification.source.payload;
        let body = match &self.json {
            Some(template) => {
                let data: Value = serde_json::from_str(payload).unwrap_or_default();
                template.render(&data).to_string()
            }
            None if style != Style::Icinga && self.is_body_default => payload.clone(),
            None => render("Request Body", &self.body)?,
        };
        let mut request = http::request(&self.method, url);
        // Neither Icinga nor Diun say what they send; Quay does.
        if (style == Style::Quay || self.json.is_some()) && !self.headers.has("content-type") {
            request = request.header("Content-Type", "application/json");
        }
        let headers = self.headers.render(&data);
        let headers =
            headers.map_err(|error| SendError::config(format!("cannot execute header template: {error}")))?;
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if let Some(secret) = &self.signing_secret {
            let id = &notification.delivery.id;
            request = signature::sign(request, secret, id, signature::now(), &body);
        }
        Ok(if body.is_empty() { request } else { request.body(body) })
    }
}

impl Style {
    /// The style of the notification's own system, where the form does not name another.
    fn of(self, notification: &Notification) -> Self {
        match (self, notification.source.system.as_str()) {
            (Self::Auto, "diun") => Self::Diun,
            (Self::Auto, "quay") => Self::Quay,
            (Self::Auto, _) => Self::Icinga,
            (named, _) => named,
        }
    }
}

#[cfg(test)]
mod tests;
