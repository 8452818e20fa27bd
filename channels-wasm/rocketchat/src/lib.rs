//! Rocket.Chat: posts each notification as a user, as Icinga's bundled channel does (`reference/icinga.md` §4.3).

use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Icinga's channel waits for the whole exchange.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Rocket.Chat server, e.g. `https://chat.example.com`.
    #[config(
        label = "Rocket.Chat URL",
        label(de_DE = "Rocket.Chat-URL"),
        help(de_DE = "Adresse des Rocket.Chat-Servers, z. B. https://chat.example.com.")
    )]
    url: String,
    /// ID of the user who posts; Rocket.Chat shows it together with the token.
    #[config(
        label = "User ID",
        label(de_DE = "Benutzer-ID"),
        help(de_DE = "ID des Benutzers, der schreibt. Rocket.Chat zeigt sie zusammen mit dem Token an.")
    )]
    user_id: String,
    /// Created in Rocket.Chat under My Account > Personal Access Tokens.
    #[config(
        label = "Personal Access Token",
        label(de_DE = "Persönliches Zugangstoken"),
        help(de_DE = "Wird in Rocket.Chat unter Mein Konto > Persönliche Zugangstoken angelegt.")
    )]
    token: Secret,
}

pub struct RocketChat {
    /// Without a slash at the end.
    url: String,
    user_id: String,
    token: Secret,
}

impl Channel for RocketChat {
    type Config = Config;

    fn info() -> Info {
        Info::new("Rocket.Chat")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("rocketchat")
            .wants_http(
                "POST {url}/api/v1/chat.postMessage",
                "Posts each notification as the user of the token.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { url, user_id, token } = config;
        let url = url.trim().trim_end_matches('/').to_owned();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(ConfigError::option("url", "must start with `https://` or `http://`"));
        }
        Ok(Self { url, user_id, token })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let room = notification.address("rocketchat").ok_or_else(|| {
            let name = &notification.contact.full_name;
            SendError::address(format!(
                "contact user {name} does not specify a rocketchat channel or username"
            ))
        })?;
        let text = format!("{}\n\n{}", notification.subject(), notification.body());
        let response = http::post(format!("{}/api/v1/chat.postMessage", self.url))
            .header("X-Auth-Token", &self.token)
            .header("X-User-Id", &self.user_id)
            .json(&json!({ "channel": room, "text": text }))
            .timeout(ANSWER_LIMIT)
            .send()
            .map_err(unsent)?;
        receipt(&response.check()?)
    }
}

export!(RocketChat);

/// Icinga's words before the reason, the reason's own retry decision behind them.
fn unsent(error: http::Error) -> SendError {
    let error = SendError::from(error);
    let message = format!("error while sending http request to rocketchat server: {}", error.message);
    SendError { message, ..error }
}

/// Rocket.Chat can say no with a status of 200; an answer without `success` says nothing against it.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    if answer["success"] == false {
        let reason = answer["error"].as_str().or(answer["message"].as_str()).unwrap_or("no reason given");
        return Err(SendError::permanent(format!("Rocket.Chat refused the message: {reason}")));
    }
    let id = answer["message"]["_id"].as_str();
    Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id)))
}
