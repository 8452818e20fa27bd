//! The values of broker calls: what a plugin hands over and what it gets back.
//!
//! They mirror the interfaces `http`, `smtp`, `amqp` and `mqtt` of `wit/channel.wit` and hold secrets only by name.

use std::time::Duration;

/// Text assembled by the host; see `part` in the contract.
pub type Template = Vec<Part>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// The name of an option of kind `secret`.
    Secret(String),
    Derived(Derived),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// `url`, `json`, `base64`, `hmac-sha256-hex`, `hmac-sha256-base64`, `hmac-sha1-base64`,
    /// `jwt-rs256` or `jwt-es256`.
    pub how: String,
    pub of: Vec<Atom>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    Literal(String),
    Secret(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: Template,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Empty,
    Bytes(Vec<u8>),
    Text(Template),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: String,
    pub url: Template,
    pub query: Vec<Field>,
    pub headers: Vec<Field>,
    pub body: Body,
    /// Lowers the host's limit, never raises it.
    pub timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why a request got no answer. `code` is one of the contract's words for `http.error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    pub code: &'static str,
    pub message: String,
    /// False only if no byte of the request left.
    pub request_sent: bool,
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    None,
    Starttls,
    Tls,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    /// The name of an option of kind `secret`.
    pub password: String,
    /// `plain`, `login`, `xoauth2`; absent: the best of the first two that the server offers.
    pub mechanism: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub login: Option<Login>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relay {
    /// A relay that the operator declared.
    Named(String),
    Server(Server),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub filename: String,
    pub content_type: String,
    pub data: Vec<u8>,
    pub inline_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Mail {
    pub sender: Option<Mailbox>,
    pub reply_to: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub bcc: Vec<Mailbox>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecipient {
    pub address: String,
    pub reply: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub message_id: String,
    pub reply: String,
    pub refused: Vec<RefusedRecipient>,
}

/// Why a mail was not accepted. `code` is one of the contract's words for `smtp.error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SmtpError {
    pub code: &'static str,
    /// The server's three-digit reply, if it came to that.
    pub reply_code: Option<u16>,
    pub message: String,
}

/// Who publishes, to a broker of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    /// The name of an option of kind `secret`.
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqpServer {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub vhost: String,
    pub login: Option<Credentials>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmqpBroker {
    /// A broker that the operator declared.
    Named(String),
    Server(AmqpServer),
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AmqpMessage {
    pub exchange: String,
    pub routing_key: String,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub persistent: bool,
    pub mandatory: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttServer {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// `3.1.1` or `5`.
    pub version: String,
    /// Empty: the broker gives one.
    pub client_id: String,
    pub login: Option<Credentials>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttBroker {
    /// A broker that the operator declared.
    Named(String),
    Server(MqttServer),
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MqttMessage {
    pub topic: String,
    /// With version 5 only, as are the headers.
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    pub retain: bool,
}

/// Why a message was not taken. `code` is one of the contract's words for `amqp.error` and `mqtt.error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PublishError {
    pub code: &'static str,
    pub message: String,
}
