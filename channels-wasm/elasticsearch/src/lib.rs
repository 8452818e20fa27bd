//! Elasticsearch: adds each notification to an index, as Diun's channel of that name does (`reference/diun.md` §1.3).

mod document; // what is stored

use sandbell_chat_text::{Limit, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Diun's channel waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Of the server's own words.
const REASON: Limit = Limit::Chars(200);
/// Elasticsearch's limit of an index's name.
const INDEX_BYTES_MAX: usize = 255;

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of a node.
    #[config(
        default = "http://localhost:9200",
        label = "Elasticsearch URL",
        label(de_DE = "Elasticsearch-URL"),
        help(de_DE = "Adresse eines Knotens.")
    )]
    address: String,
    /// Together with a password.
    #[config(
        label = "User Name",
        label(de_DE = "Benutzername"),
        help(de_DE = "Zusammen mit einem Passwort.")
    )]
    username: Option<String>,
    #[config(label = "Password", label(de_DE = "Passwort"))]
    password: Option<Secret>,
    /// Stored in every document, to tell several senders apart.
    #[config(
        default = "diun",
        label = "Client",
        label(de_DE = "Client"),
        help(de_DE = "Steht in jedem Dokument, um mehrere Absender zu unterscheiden.")
    )]
    client: String,
    /// Index or data stream that the documents are added to.
    #[config(
        default = "diun-notifications",
        label = "Index",
        label(de_DE = "Index"),
        help(de_DE = "Index oder Data Stream, dem die Dokumente hinzugefügt werden.")
    )]
    index: String,
}

pub struct Elasticsearch {
    /// Without a slash at the end.
    address: String,
    login: Option<(String, Secret)>,
    client: String,
    index: String,
}

impl Channel for Elasticsearch {
    type Config = Config;

    fn info() -> Info {
        Info::new("Elasticsearch")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("elasticsearch")
            .wants_http("POST {address}/{index}/_doc", "Adds a document for each notification to the index.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { address, username, password, client, index } = config;
        let address = web_url("address", &address)?.trim_end_matches('/').to_owned();
        let login = match (username, password) {
            (Some(username), Some(password)) if !username.contains(':') => Some((username, password)),
            (Some(_), Some(_)) => return Err(ConfigError::option("username", "must have no `:`")),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ConfigError::option("password", "is missing beside the user name"));
            }
            (None, Some(_)) => return Err(ConfigError::option("username", "is missing beside the password")),
        };
        if !is_index(&index) {
            let message =
                "must be the name of an index: small letters, digits, `-`, `_` and `.`, not at the start";
            return Err(ConfigError::option("index", message));
        }
        Ok(Self { address, login, client, index })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let url = format!("{}/{}/_doc", self.address, self.index);
        let mut request = http::post(url).json(&document::document(notification, &self.client));
        if let Some((username, password)) = &self.login {
            request = request.basic(username, password);
        }
        receipt(&request.timeout(ANSWER_LIMIT).send()?, notification.delivery.dry_run)
    }
}

export!(Elasticsearch);

/// Elasticsearch allows more; what is here also needs no encoding in a URL. A dot opens the names of system indices.
fn is_index(index: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    (1..=INDEX_BYTES_MAX).contains(&index.len())
        && !index.starts_with(['-', '_', '.'])
        && index.bytes().all(is_allowed)
}

/// Only an answer with the document's ID is success: a proxy's page is not.
fn receipt(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    if let Some(error) = response.failure() {
        return Err(SendError { message: message(response, &answer), ..error });
    }
    match answer["_id"].as_str() {
        Some(id) => Ok(Receipt::new().id(id)),
        None if is_dry_run => Ok(Receipt::new()),
        None => {
            let message = format!("{}: no answer of Elasticsearch", response.summary());
            Err(SendError::never(code::PROTOCOL, message))
        }
    }
}

/// In Diun's words: `400 mapper_parsing_exception: failed to parse …`.
fn message(response: &Response, answer: &Value) -> String {
    let error = &answer["error"];
    let (Some(kind), Some(reason)) = (error["type"].as_str(), error["reason"].as_str()) else {
        return response.summary();
    };
    one_line(&format!("{} {kind}: {reason}", response.status()), REASON)
}

#[cfg(test)]
mod tests;
