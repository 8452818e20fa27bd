//! NAVER WORKS (LINE WORKS): sends each notification through a bot, as Cloudforet's channel of that name does
//! (`reference/cloudforet.md` §2.2).

mod message; // what is shown

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

const TOKEN_URL: &str = "https://auth.worksmobile.com/oauth2/v2.0/token";
const BOTS_URL: &str = "https://www.worksapis.com/v1.0/bots";
/// How a service account is told from a person (RFC 7523 §2.1).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ADDRESS_TYPE: &str = "naver-works";
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Of the server's own words in an error.
const REASON: Limit = Limit::Chars(200);

#[derive(ChannelConfig)]
pub struct Config {
    /// Client ID of the app, from the developer console.
    #[config(
        label = "Client ID",
        label(de_DE = "Client-ID"),
        help(de_DE = "Client-ID der App aus der Entwicklerkonsole.")
    )]
    client_id: String,
    #[config(label = "Client Secret", label(de_DE = "Client-Secret"))]
    client_secret: Secret,
    /// Service account of the app, e.g. `abcde.serviceaccount@example.com`.
    #[config(
        label = "Service Account",
        label(de_DE = "Dienstkonto"),
        help(de_DE = "Dienstkonto der App, z. B. abcde.serviceaccount@example.com.")
    )]
    service_account: String,
    /// Private key of the service account, PEM, from the first line to the last.
    #[config(
        label = "Private Key",
        label(de_DE = "Privater Schlüssel"),
        help(de_DE = "Privater Schlüssel des Dienstkontos, PEM, von der ersten bis zur letzten Zeile.")
    )]
    private_key: Secret,
    /// The bot that sends.
    #[config(label = "Bot ID", label(de_DE = "Bot-ID"), help(de_DE = "Der Bot, der sendet."))]
    bot_id: String,
    /// The channel of contacts that have no address of the type `naver-works`.
    #[config(
        label = "Channel ID",
        label(de_DE = "Kanal-ID"),
        help(de_DE = "Der Kanal für Kontakte ohne Adresse vom Typ naver-works.")
    )]
    channel_id: Option<String>,
}

pub struct NaverWorks {
    client_id: String,
    client_secret: Secret,
    service_account: String,
    private_key: Secret,
    bot_id: String,
    channel_id: Option<String>,
}

impl Channel for NaverWorks {
    type Config = Config;

    fn info() -> Info {
        Info::new("NAVER WORKS")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type(ADDRESS_TYPE)
            .wants_http(
                "POST https://auth.worksmobile.com/oauth2/v2.0/token",
                "Gets an access token for the service account.",
            )
            .wants_http(
                "POST https://www.worksapis.com/v1.0/bots/{bot_id}/channels/*",
                "Sends each notification to a channel of the bot.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { client_id, client_secret, service_account, private_key, bot_id, channel_id } = config;
        let bot_id = bot_id.trim().to_owned();
        if !is_id(&bot_id) {
            return Err(ConfigError::option("bot_id", "must be an ID: letters, digits and `-`"));
        }
        let channel_id = channel_id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        if channel_id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(ConfigError::option("channel_id", "must be an ID: letters, digits and `-`"));
        }
        Ok(Self { client_id, client_secret, service_account, private_key, bot_id, channel_id })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let channel = self.channel(notification)?;
        let url = format!("{BOTS_URL}/{}/channels/{channel}/messages", self.bot_id);
        let message = message::message(notification);
        let post =
            |token: &Secret| http::post(&url).bearer(token).json(&message).timeout(ANSWER_LIMIT).send();
        let mut response = post(&self.token_request().token()?)?;
        if response.status() == 401 {
            // Tokens are taken back when the key or the secret is changed.
            response = post(&self.token_request().new_token()?)?;
        }
        receipt(&response, notification.delivery.dry_run)
    }
}

export!(NaverWorks);

impl NaverWorks {
    fn channel<'a>(&'a self, notification: &'a Notification) -> Result<&'a str, SendError> {
        let addresses = &notification.contact.addresses;
        let own = addresses
            .iter()
            .find(|address| address.kind == ADDRESS_TYPE)
            .map(|address| address.address.trim());
        let channel = own.or(self.channel_id.as_deref()).ok_or_else(|| {
            SendError::address(
                "the contact has no address of the type naver-works, and there is no channel_id",
            )
        })?;
        if !is_id(channel) {
            return Err(SendError::address(
                "the contact's address is no ID of a channel: letters, digits and `-`",
            ));
        }
        Ok(channel)
    }

    fn token_request(&self) -> http::Request {
        let claims = json!({ "iss": self.client_id, "sub": self.service_account });
        http::post(TOKEN_URL)
            .form([
                ("assertion", self.private_key.jwt_rs256(&claims)),
                ("grant_type", GRANT_TYPE.into()),
                ("client_id", Template::from(&self.client_id)),
                ("client_secret", Template::from(&self.client_secret)),
                ("scope", "bot".into()),
            ])
            .timeout(ANSWER_LIMIT)
    }
}

/// What needs no encoding in a URL and cannot lead elsewhere.
fn is_id(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// 201 alone is success (`reference/cloudforet.md` §2.2).
fn receipt(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    if let Some(error) = response.failure() {
        return Err(SendError { message: reason(response), ..error });
    }
    if response.status() == 201 || is_dry_run {
        return Ok(Receipt::new());
    }
    let message = format!("{}: no answer of NAVER WORKS", response.summary());
    Err(SendError::never(code::PROTOCOL, message))
}

/// In the service's words: `403 FORBIDDEN: bot is not in the channel`.
fn reason(response: &Response) -> String {
    let answer: Value = sandbell_sdk::serde_json::from_slice(response.bytes()).unwrap_or_default();
    match (answer["code"].as_str(), answer["description"].as_str()) {
        (Some(code), Some(description)) => {
            one_line(&format!("{} {code}: {description}", response.status()), REASON)
        }
        (None, _) | (_, None) => response.summary(),
    }
}

#[cfg(test)]
mod tests;
