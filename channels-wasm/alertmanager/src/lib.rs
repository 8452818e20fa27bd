//! Alertmanager: posts an alert for each notification to its API v2.

mod alert; // labels and annotations

use sandbell_chat_text::{Limit, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

use crate::alert::Labels;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Of the server's own words.
const REASON: Limit = Limit::Chars(200);

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of Alertmanager, e.g. `http://alertmanager.example.com:9093`.
    #[config(
        label = "Alertmanager URL",
        label(de_DE = "Alertmanager-URL"),
        help(de_DE = "Adresse des Alertmanagers, z. B. http://alertmanager.example.com:9093.")
    )]
    url: String,
    /// Together with a password.
    #[config(
        label = "User Name",
        label(de_DE = "Benutzername"),
        help(de_DE = "Zusammen mit einem Passwort.")
    )]
    username: Option<String>,
    #[config(label = "Password", label(de_DE = "Passwort"))]
    password: Option<Secret>,
    /// More labels for every alert, as `name=value`, separated by commas.
    #[config(
        label = "Labels",
        label(de_DE = "Labels"),
        help(de_DE = "Weitere Labels für jeden Alarm, als name=wert, durch Kommas getrennt."),
        placeholder = "team=db,env=prod"
    )]
    labels: Option<String>,
}

pub struct Alertmanager {
    /// Without a slash at the end.
    url: String,
    login: Option<(String, Secret)>,
    labels: Labels,
}

impl Channel for Alertmanager {
    type Config = Config;

    fn info() -> Info {
        Info::new("Alertmanager")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("alertmanager")
            .wants_http("POST {url}/api/v2/alerts", "Posts an alert for each notification.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { url, username, password, labels } = config;
        let url = web_url("url", &url)?.trim_end_matches('/').to_owned();
        let login = match (username, password) {
            (Some(username), Some(password)) if !username.contains(':') => Some((username, password)),
            (Some(_), Some(_)) => return Err(ConfigError::option("username", "must have no `:`")),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ConfigError::option("password", "is missing beside the user name"));
            }
            (None, Some(_)) => return Err(ConfigError::option("username", "is missing beside the password")),
        };
        let labels = labels.unwrap_or_default().parse()?;
        Ok(Self { url, login, labels })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let alert = self.labels.alert(notification);
        let mut request = http::post(format!("{}/api/v2/alerts", self.url)).json(&json!([alert]));
        if let Some((username, password)) = &self.login {
            request = request.basic(username, password);
        }
        receipt(&request.timeout(ANSWER_LIMIT).send()?)
    }
}

export!(Alertmanager);

/// A status of 200 to 299 is success and has nothing to say; a refusal is a text in JSON.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let Some(error) = response.failure() else { return Ok(Receipt::new()) };
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(words) = answer.as_str().or(answer["message"].as_str()) else { return Err(error) };
    let message = one_line(&format!("{}: {words}", response.status_line()), REASON);
    Err(SendError { message, ..error })
}

#[cfg(test)]
mod tests;
