//! Flowdock: posts each notification to a flow's team inbox, as Quay's method of that name does (`reference/quay.md` §3.2).
//!
//! Flowdock itself is gone; the channel is for what speaks its API.

use sandbell_chat_text::{Limit, Markup, body, headline, links, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Quay's method waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const SUBJECT: Limit = Limit::Chars(250);
/// Flowdock refuses a message of more than 8,096 bytes in all.
const CONTENT: Limit = Limit::Bytes(6000);
/// Letters, digits, blanks and underscores; everything else is refused in a project.
const PROJECT: Limit = Limit::Chars(80);
const TAG: Limit = Limit::Chars(50);
const NAME: Limit = Limit::Chars(80);
const URL_BYTES_MAX: usize = 1000;
/// Of the service's own words.
const REASON: Limit = Limit::Chars(200);

#[derive(ChannelConfig)]
pub struct Config {
    /// Of the flow, shown under Tokens. Whoever has it can post.
    #[config(
        label = "Flow API Token",
        label(de_DE = "Flow-API-Token"),
        help(de_DE = "Token des Flows, unter Tokens zu finden. Wer es hat, kann schreiben.")
    )]
    flow_api_token: Secret,
    /// From whom a message seems to come; Flowdock shows the picture of this address.
    #[config(
        default = "notifications@localhost.localdomain",
        label = "Sender Address",
        label(de_DE = "Absenderadresse"),
        help(de_DE = "Von wem eine Nachricht zu kommen scheint. Flowdock zeigt das Bild dieser Adresse.")
    )]
    from_address: String,
    /// Shown as the origin of a message, and as its sender where the source names nobody.
    #[config(
        default = "Sandbell",
        label = "Source",
        label(de_DE = "Quelle"),
        help(
            de_DE = "Wird als Herkunft einer Nachricht gezeigt, und als Absender, wo die Quelle niemanden nennt."
        )
    )]
    source: String,
    /// Address of a service that speaks Flowdock's API.
    #[config(
        default = "https://api.flowdock.com",
        label = "API URL",
        label(de_DE = "API-URL"),
        help(de_DE = "Adresse eines Dienstes, der Flowdocks API spricht.")
    )]
    endpoint: String,
}

pub struct Flowdock {
    /// Without a slash at the end.
    endpoint: String,
    flow_api_token: Secret,
    from_address: String,
    source: String,
}

impl Channel for Flowdock {
    type Config = Config;

    fn info() -> Info {
        Info::new("Flowdock")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("flowdock")
            .wants_http(
                "POST {endpoint}/v1/messages/team_inbox/*",
                "Posts each notification to the team inbox of the token's flow.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { flow_api_token, from_address, source, endpoint } = config;
        let endpoint = web_url("endpoint", &endpoint)?.trim_end_matches('/').to_owned();
        let from_address = from_address.trim().to_owned();
        if !from_address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) {
            return Err(ConfigError::option("from_address", "must be a mail address like `ops@example.com`"));
        }
        Ok(Self { endpoint, flow_api_token, from_address, source })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let url =
            Template::from(format!("{}/v1/messages/team_inbox/", self.endpoint)).with(&self.flow_api_token);
        let response = http::post(url).json(&self.message(notification)).timeout(ANSWER_LIMIT).send()?;
        receipt(&response)
    }
}

export!(Flowdock);

impl Flowdock {
    fn message(&self, notification: &Notification) -> Value {
        let subject = one_line(&headline(notification), SUBJECT);
        let content = body(notification, Markup::Html, CONTENT).replace('\n', "<br/>");
        let username = notification.event.username.trim();
        let mut message = json!({
            "source": NAME.cut(&self.source),
            "from_address": self.from_address,
            "from_name": NAME.cut(if username.is_empty() { &self.source } else { username }),
            "subject": subject,
            // Flowdock refuses an empty message.
            "content": if content.is_empty() { Markup::Html.escape(&subject, CONTENT) } else { content },
        });
        let project = project(&notification.object.name);
        if !project.is_empty() {
            message["project"] = project.into();
        }
        let tag: String = notification.event.kind.chars().filter(|char| !char.is_whitespace()).collect();
        if !tag.is_empty() {
            message["tags"] = json!([format!("#{}", TAG.cut(&tag))]);
        }
        if let Some((_, url)) = links(notification, URL_BYTES_MAX).first() {
            message["link"] = (*url).into();
        }
        message
    }
}

/// What Flowdock takes for a project: as in Quay, a slash becomes a blank.
fn project(name: &str) -> String {
    let allowed = |char: char| if char.is_ascii_alphanumeric() || char == '_' { char } else { ' ' };
    one_line(&name.chars().map(allowed).collect::<String>(), PROJECT).replace('…', "").trim().to_owned()
}

/// 200 to 299 is success; Flowdock says why not in `message` and `errors`.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let Some(error) = response.failure() else { return Ok(Receipt::new()) };
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(words) = answer["message"].as_str() else { return Err(error) };
    let errors = answer.get("errors").map(|errors| format!(" {errors}")).unwrap_or_default();
    let message = format!("{}: {}", response.status_line(), one_line(&format!("{words}{errors}"), REASON));
    // A token that is no flow's is not found.
    let code = if response.status() == 404 { code::AUTH } else { error.code.as_str() };
    Err(SendError { message, code: code.to_owned(), ..error })
}

#[cfg(test)]
mod tests;
