//! Jira: opens an issue for each notification, as Cloudforet's plugin does (`reference/cloudforet.md` §2.2).

mod answer; // what Jira says back
mod document; // the description, in Atlassian's document format

use sandbell_chat_text::{Limit, headline, one_line, thread_key, web_url};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// Jira's limit of a summary.
const SUMMARY: Limit = Limit::Chars(255);
/// Jira's limit of a label.
const LABEL_CHARS_MAX: usize = 255;

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the site, e.g. `https://example.atlassian.net`.
    #[config(
        label = "Jira URL",
        label(de_DE = "Jira-URL"),
        help(de_DE = "Adresse der Seite, z. B. https://example.atlassian.net.")
    )]
    url: String,
    /// Of the user who opens the issues.
    #[config(
        label = "E-Mail",
        label(de_DE = "E-Mail"),
        help(de_DE = "Mailadresse des Benutzers, der die Vorgänge anlegt.")
    )]
    email: String,
    /// Of that user, created under Account settings > Security.
    #[config(
        label = "API Token",
        label(de_DE = "API-Token"),
        help(de_DE = "Token dieses Benutzers, angelegt unter Kontoeinstellungen > Sicherheit.")
    )]
    api_token: Secret,
    /// Of the project, e.g. `OPS`.
    #[config(
        label = "Project Key",
        label(de_DE = "Projektschlüssel"),
        help(de_DE = "Schlüssel des Projekts, z. B. OPS.")
    )]
    key: String,
    /// Name of an issue type of that project.
    #[config(
        default = "Task",
        label = "Issue Type",
        label(de_DE = "Vorgangstyp"),
        help(de_DE = "Name eines Vorgangstyps dieses Projekts.")
    )]
    issuetype: String,
    /// Separated by commas or blanks. The incident's own is added, so that its issues are found together.
    #[config(
        label = "Labels",
        label(de_DE = "Stichwörter"),
        help(
            de_DE = "Durch Kommas oder Leerzeichen getrennt. Das des Vorfalls kommt dazu, damit seine Vorgänge zusammen zu finden sind."
        )
    )]
    labels: Option<String>,
}

pub struct Jira {
    /// Without a slash at the end.
    url: String,
    email: String,
    api_token: Secret,
    key: String,
    issuetype: String,
    labels: Vec<String>,
}

impl Channel for Jira {
    type Config = Config;

    fn info() -> Info {
        Info::new("Jira")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("jira")
            .wants_http("POST {url}/rest/api/3/issue", "Opens an issue for each notification.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { url, email, api_token, key, issuetype, labels } = config;
        let url = web_url("url", &url)?.trim_end_matches('/').to_owned();
        let email = email.trim().to_owned();
        if email.contains(':') {
            return Err(ConfigError::option("email", "must be the mail address of a user"));
        }
        let key = key.trim().to_owned();
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(ConfigError::option("key", "must be the key of a project, e.g. `OPS`"));
        }
        let words =
            labels.as_deref().unwrap_or_default().split(|char: char| char.is_whitespace() || char == ',');
        let labels: Vec<_> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        if labels.iter().any(|label| label.chars().count() > LABEL_CHARS_MAX) {
            return Err(ConfigError::option(
                "labels",
                format!("must be of at most {LABEL_CHARS_MAX} characters each"),
            ));
        }
        Ok(Self { url, email, api_token, key, issuetype: issuetype.trim().to_owned(), labels })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let response = http::post(format!("{}/rest/api/3/issue", self.url))
            .basic(&self.email, &self.api_token)
            .json(&self.issue(notification))
            .timeout(ANSWER_LIMIT)
            .send()?;
        let key = answer::key(&response, notification.delivery.dry_run)?;
        let receipt = Receipt::new();
        if key.is_empty() {
            return Ok(receipt);
        }
        let link = format!("{}/browse/{key}", self.url);
        Ok(receipt.id(&key).link(&key, link))
    }
}

export!(Jira);

impl Jira {
    fn issue(&self, notification: &Notification) -> Value {
        let mut fields = json!({
            "project": { "key": self.key },
            "issuetype": { "name": self.issuetype },
            "summary": one_line(&headline(notification), SUMMARY),
            "description": document::document(notification),
        });
        let mut labels = self.labels.clone();
        if notification.incident.is_some() {
            labels.push(thread_key(notification));
        }
        if !labels.is_empty() {
            fields["labels"] = labels.into();
        }
        json!({ "fields": fields })
    }
}

#[cfg(test)]
mod tests;
