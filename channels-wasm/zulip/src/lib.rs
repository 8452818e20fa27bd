//! Zulip: a bot writes each notification to a channel's topic, or to users directly.

mod answer; // what Zulip says back
mod content; // the message and its limits
mod target; // where a message goes

use sandbell_chat_text::{Limit, headline, web_url};
use sandbell_sdk::prelude::*;

use crate::target::Target;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Zulip's limit of a topic.
const TOPIC: Limit = Limit::Chars(60);

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Zulip server, e.g. `https://example.zulipchat.com`.
    #[config(
        label = "Zulip URL",
        label(de_DE = "Zulip-URL"),
        help(de_DE = "Adresse des Zulip-Servers, z. B. https://example.zulipchat.com.")
    )]
    site: String,
    /// Mail address of the bot, shown in Zulip under Settings > Bots.
    #[config(
        label = "Bot Address",
        label(de_DE = "Adresse des Bots"),
        help(de_DE = "Mailadresse des Bots. Zulip zeigt sie unter Einstellungen > Bots an.")
    )]
    email: String,
    /// API key of the bot, shown beside its address.
    #[config(
        label = "API Key",
        label(de_DE = "API-Schlüssel"),
        help(de_DE = "API-Schlüssel des Bots. Zulip zeigt ihn neben der Adresse an.")
    )]
    api_key: Secret,
    /// Channel to write to, unless the contact has an address of its own (address type `zulip`).
    #[config(
        label = "Channel",
        label(de_DE = "Kanal"),
        help(
            de_DE = "Kanal, in den geschrieben wird, sofern der Kontakt keine eigene Adresse hat (Adresstyp zulip)."
        )
    )]
    channel: Option<String>,
    /// Topic within the channel. Without it each object has its own.
    #[config(
        label = "Topic",
        label(de_DE = "Thema"),
        help(de_DE = "Thema im Kanal. Ohne Angabe hat jedes Objekt ein eigenes.")
    )]
    topic: Option<String>,
}

pub struct Zulip {
    /// Without a slash at the end.
    site: String,
    email: String,
    api_key: Secret,
    channel: Option<String>,
    topic: Option<String>,
}

impl Channel for Zulip {
    type Config = Config;

    fn info() -> Info {
        Info::new("Zulip")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("zulip")
            .wants_http("POST {site}/api/v1/messages", "Writes each notification as the bot of the key.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { site, email, api_key, channel, topic } = config;
        let site = web_url("site", &site)?.trim_end_matches('/').to_owned();
        let email = email.trim().to_owned();
        if !email.contains('@') || email.contains(':') {
            return Err(ConfigError::option("email", "must be the mail address of a bot"));
        }
        Ok(Self { site, email, api_key, channel, topic })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let target = self.target(notification)?;
        let mut fields = vec![("content", content::content(notification))];
        match target {
            Target::Users(users) => {
                fields.extend([("type", "direct".to_owned()), ("to", json!(users).to_string())]);
            }
            Target::Topic { channel, topic } => {
                let topic = topic.or_else(|| self.topic.clone()).unwrap_or_else(|| topic_of(notification));
                // In JSON, or a channel whose name is a number would be taken for its ID.
                let channel = json!(channel).to_string();
                fields.extend([("type", "stream".to_owned()), ("to", channel), ("topic", TOPIC.cut(&topic))]);
            }
        }
        let response = http::post(format!("{}/api/v1/messages", self.site))
            .basic(&self.email, &self.api_key)
            .form(fields)
            .timeout(ANSWER_LIMIT)
            .send()?;
        answer::check(&response, notification.delivery.dry_run)
    }
}

export!(Zulip);

impl Zulip {
    /// The contact's, or else that of the form.
    fn target(&self, notification: &Notification) -> Result<Target, SendError> {
        let name = &notification.contact.full_name;
        let own = Target::of_contact(notification.addresses("zulip"))
            .map_err(|message| SendError::address(format!("contact {name} {message}")))?;
        let channel = || Some(Target::Topic { channel: self.channel.clone()?, topic: None });
        own.or_else(channel).ok_or_else(|| {
            SendError::address(format!("contact {name} has no zulip address, and the channel names none"))
        })
    }
}

/// One object, one topic: its history reads from top to bottom.
fn topic_of(notification: &Notification) -> String {
    let name = notification.object.name.trim();
    if name.is_empty() { headline(notification) } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
