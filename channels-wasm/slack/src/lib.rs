//! Slack: posts each notification through an incoming webhook, or as the bot of a token.
//!
//! It also speaks as the Slack channels of Diun, Quay, Cloudforet and Argus do (`reference/diun.md` §1.3, `quay.md` §3.2,
//! `cloudforet.md` §2.2, `argus.md` §4.2).

mod answer; // what Slack says back
mod attachment; // the older form, which Mattermost and other servers also understand
mod blocks; // Block Kit
mod dialect; // the messages of other systems' channels
mod mrkdwn; // Slack's markup: escaping, lengths, mentions

use sandbell_chat_text::{GoText, hex};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::mrkdwn::Mention;

/// The method of the Web API; a bot posts there.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";
/// What Diun's and Quay's channels wait.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

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
    webhook_url: Option<Secret>,
    /// Instead of a webhook: the token of a bot, `xoxb-…`, with the scope `chat:write`. Then contacts can have channels
    /// of their own.
    #[config(
        label = "Bot Token",
        label(de_DE = "Bot-Token"),
        help(
            de_DE = "Statt eines Webhooks: das Token eines Bots, xoxb-…, mit der Berechtigung chat:write. Dann können Kontakte eigene Kanäle haben."
        )
    )]
    token: Option<Secret>,
    /// Where a bot posts, unless the contact has a channel of its own (address type `slack`): `#room` or an ID.
    #[config(
        label = "Channel",
        label(de_DE = "Kanal"),
        help(
            de_DE = "Wohin ein Bot schreibt, sofern der Kontakt keinen eigenen Kanal hat (Adresstyp slack): #raum oder eine ID."
        ),
        placeholder = "#monitoring"
    )]
    channel: Option<String>,
    /// Whose message it is: Sandbell's own, or that of the Slack channel of Diun, Quay, Cloudforet or Argus. By default
    /// that of the system that the notification came from.
    #[config(
        default = "auto",
        label = "Style",
        label(de_DE = "Stil"),
        help(
            de_DE = "Wessen Nachricht es ist: Sandbells eigene, oder die des Slack-Kanals von Diun, Quay, Cloudforet oder Argus. Ohne Angabe die des Systems, von dem die Benachrichtigung kam."
        )
    )]
    style: Style,
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
    /// Diun's style: lists host, provider, time, digest and platform.
    #[config(
        default = true,
        label = "Fields",
        label(de_DE = "Felder"),
        help(de_DE = "Diuns Stil: führt Host, Provider, Zeit, Digest und Plattform auf.")
    )]
    render_fields: bool,
    /// A Go template in Slack's markup, with Diun's helpers, in the place of the message.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template in Slacks Markup, mit Diuns Funktionen, anstelle der Nachricht.")
    )]
    template_body: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Choice)]
enum Style {
    #[choice(label = "By source")]
    Auto,
    #[choice(label = "Sandbell")]
    Own,
    #[choice(label = "Diun")]
    Diun,
    #[choice(label = "Quay")]
    Quay,
    #[choice(label = "Cloudforet")]
    Cloudforet,
    #[choice(label = "Argus")]
    Argus,
}

#[derive(Clone, Copy, Choice)]
enum Format {
    #[choice(label = "Block Kit")]
    Blocks,
    #[choice(label = "Attachments")]
    Attachments,
}

pub struct Slack {
    way: Way,
    style: Style,
    format: Format,
    mention: Option<Mention>,
    render_fields: bool,
    template: GoText,
}

enum Way {
    Webhook(Secret),
    Bot { token: Secret, channel: Option<String> },
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
            .wants_http(
                "POST https://slack.com/api/chat.postMessage",
                "Posts each notification as the bot of the token.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { webhook_url, token, channel, style, format, mention, render_fields, template_body } =
            config;
        let way = match (webhook_url, token) {
            (Some(url), None) => Way::Webhook(url),
            (None, Some(token)) => Way::Bot { token, channel },
            (None, None) => {
                return Err(ConfigError::option("webhook_url", "must be set, unless there is a `token`"));
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::option(
                    "token",
                    "cannot be set beside `webhook_url`; remove one of them",
                ));
            }
        };
        let mention = mention.map(|text| text.parse()).transpose()?;
        let template = GoText::new(None, template_body.as_deref(), false)?;
        Ok(Self { way, style, format, mention, render_fields, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let mut message = self.message(notification)?;
        match &self.way {
            Way::Webhook(url) => {
                let response = http::post(url).json(&message).timeout(ANSWER_LIMIT).send()?;
                answer::check(response)
            }
            Way::Bot { token, channel } => {
                let name = &notification.contact.full_name;
                let channel = notification.address("slack").or(channel.as_deref()).ok_or_else(|| {
                    SendError::address(format!(
                        "contact {name} has no slack channel, and the form names none"
                    ))
                })?;
                message["channel"] = channel.into();
                let request = http::post(POST_MESSAGE).bearer(token).json(&message).timeout(ANSWER_LIMIT);
                answer::posted(&request.send()?, notification.delivery.dry_run)
            }
        }
    }
}

export!(Slack);

impl Slack {
    fn message(&self, notification: &Notification) -> Result<Value, SendError> {
        let mention = self.mention.as_ref();
        let body = self.template.body(notification)?;
        Ok(match (self.style.of(notification), self.format) {
            (Style::Diun, _) => dialect::diun(notification, body, mention, self.render_fields),
            (Style::Quay, _) => dialect::quay(notification),
            (Style::Cloudforet, _) => dialect::cloudforet(notification),
            (Style::Argus, _) => dialect::argus(notification),
            (Style::Auto | Style::Own, Format::Blocks) => blocks::message(notification, body, mention),
            (Style::Auto | Style::Own, Format::Attachments) => {
                attachment::message(notification, body, mention)
            }
        })
    }
}

impl Style {
    /// The style of the notification's own system, where the form does not name another.
    fn of(self, notification: &Notification) -> Self {
        match (self, notification.source.system.as_str()) {
            (Self::Auto, "diun") => Self::Diun,
            (Self::Auto, "quay") => Self::Quay,
            (Self::Auto, "cloudforet") => Self::Cloudforet,
            (Self::Auto, "argus") => Self::Argus,
            (Self::Auto, _) => Self::Own,
            (named, _) => named,
        }
    }
}

/// The colour of the bar beside a message.
fn colour(severity: Option<Severity>) -> String {
    hex(sandbell_chat_text::colour(severity))
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

#[cfg(test)]
mod tests;
