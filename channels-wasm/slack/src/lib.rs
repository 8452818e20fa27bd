//! Slack: posts each notification through an incoming webhook.

mod answer; // what Slack says back
mod attachment; // the older form, which Mattermost and other servers also understand
mod blocks; // Block Kit
mod mrkdwn; // Slack's markup: escaping, lengths, mentions

use sandbell_sdk::prelude::*;

use crate::mrkdwn::Mention;

#[derive(ChannelConfig)]
pub struct Config {
    /// Created in Slack under Apps > Incoming Webhooks, e.g. `https://hooks.slack.com/services/…`. Whoever knows it can
    /// post.
    #[config(
        label = "Webhook URL",
        label(de_DE = "Webhook-URL"),
        help(
            de_DE = "Wird in Slack unter Apps > Incoming Webhooks angelegt, z. B. https://hooks.slack.com/services/…. Wer sie kennt, kann schreiben."
        )
    )]
    webhook_url: Secret,
    /// Block Kit is Slack's own layout. Attachments are the older one, for servers that imitate Slack, such as
    /// Mattermost, and for webhooks that may choose their channel.
    #[config(
        default = "blocks",
        label = "Format",
        label(de_DE = "Format"),
        help(
            de_DE = "Block Kit ist Slacks eigenes Layout. Anhänge sind das ältere, für Server, die Slack nachahmen, etwa Mattermost, und für Webhooks, die ihren Kanal wählen dürfen."
        )
    )]
    format: Format,
    /// Who is alerted: `here`, `channel`, `everyone`, or the ID of a member (`U…`) or a user group (`S…`).
    #[config(
        label = "Mention",
        label(de_DE = "Erwähnung"),
        help(
            de_DE = "Wer benachrichtigt wird: here, channel, everyone oder die ID eines Mitglieds (U…) oder einer Benutzergruppe (S…)."
        ),
        placeholder = "here"
    )]
    mention: Option<String>,
}

#[derive(Clone, Copy, Choice)]
enum Format {
    #[choice(label = "Block Kit")]
    Blocks,
    #[choice(label = "Attachments")]
    Attachments,
}

pub struct Slack {
    webhook_url: Secret,
    format: Format,
    mention: Option<Mention>,
}

impl Channel for Slack {
    type Config = Config;

    fn info() -> Info {
        Info::new("Slack")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("slack")
            .wants_http(
                "POST {webhook_url}",
                "Posts each notification to the incoming webhook, and to nothing else.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { webhook_url, format, mention } = config;
        let mention = mention.map(|text| text.parse()).transpose()?;
        Ok(Self { webhook_url, format, mention })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let mention = self.mention.as_ref();
        let message = match self.format {
            Format::Blocks => blocks::message(notification, mention),
            Format::Attachments => attachment::message(notification, mention),
        };
        let response = http::post(&self.webhook_url).json(&message).send()?;
        answer::check(response)
    }
}

export!(Slack);

/// The colour of the bar beside a message: Icinga Web's, where it has one.
fn colour(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Ok) => "#44bb77",
        Some(Severity::Debug | Severity::Info | Severity::Notice) => "#3399ff",
        Some(Severity::Warning) => "#ffaa44",
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => "#ff5566",
        None => "#aaaaaa",
    }
}

/// Where a reader can go on: the incident, the object, and the buttons that the source brought.
fn links(notification: &Notification) -> Vec<(&str, &str)> {
    let incident = notification.incident.as_ref().map(|incident| ("Incident", incident.url.as_str()));
    let own = [Some(("Object", notification.object.url.as_str())), incident];
    let brought = notification.links.iter().map(|link| (link.label.as_str(), link.url.as_str()));
    let is_usable = |(label, url): &(&str, &str)| {
        !label.is_empty()
            && (url.starts_with("https://") || url.starts_with("http://"))
            && url.len() <= URL_BYTES_MAX
    };
    own.into_iter().flatten().chain(brought).filter(is_usable).collect()
}

/// The longest URL that Slack takes for a button.
const URL_BYTES_MAX: usize = 3000;
