//! GitHub: opens an issue when something begins, comments on it as it goes on, and closes it when it is over.
//!
//! The issue of an incident is found by a label that names it: the list of a repository's issues is current, GitHub's
//! search is not.

mod answer; // what GitHub says back
mod content; // title and text

use sandbell_chat_text::{Step, step, thread_key, web_url};
use sandbell_sdk::http::Request;
use sandbell_sdk::prelude::*;

use crate::answer::Issue;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const API_VERSION: &str = "2022-11-28";
/// GitHub's limit of a label.
const LABEL_CHARS_MAX: usize = 50;
const LABELS_MAX: usize = 20;

#[derive(ChannelConfig)]
pub struct Config {
    /// Owner and name, e.g. `example/operations`.
    #[config(
        label = "Repository",
        label(de_DE = "Repository"),
        help(de_DE = "Besitzer und Name, z. B. example/operations.")
    )]
    repository: String,
    /// A fine-grained token of this repository that may read and write issues.
    #[config(
        label = "Token",
        label(de_DE = "Token"),
        help(de_DE = "Ein Fine-grained Token dieses Repositorys, das Issues lesen und schreiben darf.")
    )]
    token: Secret,
    /// Separated by commas. GitHub creates those that do not exist.
    #[config(
        label = "Labels",
        label(de_DE = "Labels"),
        help(de_DE = "Durch Kommas getrennt. GitHub legt an, was es nicht gibt.")
    )]
    labels: Option<String>,
    /// Closes the issue when the source says that it is over.
    #[config(
        default = true,
        label = "Close",
        label(de_DE = "Schließen"),
        help(de_DE = "Schließt das Issue, wenn die Quelle sagt, dass es vorbei ist.")
    )]
    close: bool,
    /// Of GitHub Enterprise Server it is `https://HOST/api/v3`.
    #[config(
        default = "https://api.github.com",
        label = "API URL",
        label(de_DE = "API-URL"),
        help(de_DE = "Bei GitHub Enterprise Server ist es https://HOST/api/v3.")
    )]
    api_url: String,
}

pub struct GitHub {
    /// Where the repository's issues are.
    issues: String,
    token: Secret,
    labels: Vec<String>,
    close: bool,
}

impl Channel for GitHub {
    type Config = Config;

    fn info() -> Info {
        Info::new("GitHub Issues")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("github")
            .wants_http(
                "GET,POST {api_url}/repos/{repository}/issues",
                "Finds and opens the issue of an incident.",
            )
            .wants_http("POST,PATCH {api_url}/repos/{repository}/issues/*", "Comments on it and closes it.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { repository, token, labels, close, api_url } = config;
        let api_url = web_url("api_url", &api_url)?.trim_end_matches('/');
        let repository = repository.trim();
        let is_word = |text: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            !text.is_empty() && text != ".." && text != "." && text.bytes().all(is_allowed)
        };
        if !repository.split_once('/').is_some_and(|(owner, name)| is_word(owner) && is_word(name)) {
            return Err(ConfigError::option(
                "repository",
                "must be owner and name, e.g. `example/operations`",
            ));
        }
        let words = labels.as_deref().unwrap_or_default().split(',').map(str::trim);
        let labels: Vec<_> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        if labels.len() > LABELS_MAX || labels.iter().any(|label| label.chars().count() > LABEL_CHARS_MAX) {
            let message =
                format!("must be at most {LABELS_MAX}, of at most {LABEL_CHARS_MAX} characters each");
            return Err(ConfigError::option("labels", message));
        }
        let issues = format!("{api_url}/repos/{repository}/issues");
        Ok(Self { issues, token, labels, close })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let has_thread = notification.incident.is_some() || notification.severity().is_some();
        let key = thread_key(notification);
        let found = if has_thread { self.find(&key, notification)? } else { None };
        match (found, step(notification)) {
            (Some(issue), step) => self.go_on(&issue, step, notification),
            // What is over without ever having been open needs no issue.
            (None, Step::Close) if !notification.delivery.dry_run => {
                Ok(Receipt::new().detail("there is no open issue to close"))
            }
            (None, _) => self.open(has_thread.then_some(&key), notification),
        }
    }
}

export!(GitHub);

impl GitHub {
    /// The open issue with the label of this thread.
    fn find(&self, key: &str, notification: &Notification) -> Result<Option<Issue>, SendError> {
        let request = http::get(&self.issues)
            .query("labels", key)
            .query("state", "open")
            .query("sort", "created")
            .query("direction", "asc")
            .query("per_page", "1");
        answer::first(&self.authorised(request).send()?, notification.delivery.dry_run)
    }

    fn open(&self, key: Option<&String>, notification: &Notification) -> Result<Receipt, SendError> {
        let labels: Vec<_> = self.labels.iter().chain(key).collect();
        let issue = json!({
            "title": content::title(notification),
            "body": content::body(notification),
            "labels": labels,
        });
        let response = self.authorised(http::post(&self.issues)).json(&issue).send()?;
        Ok(answer::made(&response, notification.delivery.dry_run)?.map_or_else(Receipt::new, |issue| {
            Receipt::new().id(issue.number.to_string()).link(format!("#{}", issue.number), issue.url)
        }))
    }

    /// A comment, and the end.
    fn go_on(&self, issue: &Issue, step: Step, notification: &Notification) -> Result<Receipt, SendError> {
        let is_dry_run = notification.delivery.dry_run;
        let url = format!("{}/{}", self.issues, issue.number);
        let comment = json!({ "body": content::comment(notification) });
        let response = self.authorised(http::post(format!("{url}/comments"))).json(&comment).send()?;
        answer::accepted(&response, is_dry_run)?;
        let mut receipt = Receipt::new()
            .id(issue.number.to_string())
            .detail("commented")
            .link(format!("#{}", issue.number), &issue.url);
        if step == Step::Close && self.close {
            let close = json!({ "state": "closed", "state_reason": "completed" });
            let response = self.authorised(http::request("PATCH", url)).json(&close).send();
            // The comment is there: another try would say it twice.
            let closed = response.map_err(SendError::from).and_then(|it| answer::accepted(&it, is_dry_run));
            receipt = receipt.detail(match closed {
                Ok(()) => "commented and closed".to_owned(),
                Err(error) => format!("commented, but not closed: {error}"),
            });
        }
        Ok(receipt)
    }

    fn authorised(&self, request: Request) -> Request {
        request
            .bearer(&self.token)
            .header("Accept", "application/vnd.github+json")
            .header("X-GitHub-Api-Version", API_VERSION)
            .timeout(ANSWER_LIMIT)
    }
}

#[cfg(test)]
mod tests;
