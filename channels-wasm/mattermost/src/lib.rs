//! Mattermost: posts each notification through an incoming webhook, as a message attachment.

mod answer; // what Mattermost says back
mod message; // the attachment

use sandbell_sdk::prelude::*;

use crate::message::Layout;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);

#[derive(ChannelConfig)]
pub struct Config {
    /// Created in Mattermost under Integrations > Incoming Webhooks, e.g. `https://chat.example.com/hooks/…`. Whoever
    /// knows it can post.
    #[config(
        label = "Webhook URL",
        label(de_DE = "Webhook-URL"),
        help(
            de_DE = "Wird in Mattermost unter Integrationen > Eingehende Webhooks angelegt, z. B. https://chat.example.com/hooks/…. Wer sie kennt, kann schreiben."
        )
    )]
    webhook_url: Secret,
    /// Where to post instead of in the webhook's own channel, unless the contact has a channel (address type
    /// `mattermost`): a channel's name, or `@user`.
    #[config(
        label = "Channel",
        label(de_DE = "Kanal"),
        help(
            de_DE = "Wohin statt in den Kanal des Webhooks geschrieben wird, sofern der Kontakt keinen Kanal hat (Adresstyp mattermost): der Name eines Kanals oder @benutzer."
        ),
        placeholder = "town-square"
    )]
    channel: Option<String>,
    /// Who is alerted, separated by blanks: `@here`, `@channel`, `@all`, a user or a group.
    #[config(
        label = "Mentions",
        label(de_DE = "Erwähnungen"),
        help(
            de_DE = "Wer benachrichtigt wird, durch Leerzeichen getrennt: @here, @channel, @all, ein Benutzer oder eine Gruppe."
        ),
        placeholder = "@here @jdoe"
    )]
    mentions: Option<String>,
    /// Shown as the sender instead of the webhook's own name, where the server allows it.
    #[config(
        label = "Sender Name",
        label(de_DE = "Absendername"),
        help(
            de_DE = "Wird statt des Namens des Webhooks als Absender gezeigt, sofern der Server es erlaubt."
        )
    )]
    username: Option<String>,
    /// URL of a picture that is shown instead of the webhook's own, where the server allows it.
    #[config(
        label = "Icon URL",
        label(de_DE = "Symbol-URL"),
        help(
            de_DE = "URL eines Bildes, das statt des Bildes des Webhooks gezeigt wird, sofern der Server es erlaubt."
        )
    )]
    icon_url: Option<String>,
}

pub struct Mattermost {
    webhook_url: Secret,
    layout: Layout,
}

impl Channel for Mattermost {
    type Config = Config;

    fn info() -> Info {
        Info::new("Mattermost")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("mattermost")
            .wants_http(
                "POST {webhook_url}",
                "Posts each notification to the incoming webhook, and to nothing else.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { webhook_url, channel, mentions, username, icon_url } = config;
        let mentions = message::mentions(&mentions.unwrap_or_default())?;
        Ok(Self { webhook_url, layout: Layout { channel, mentions, username, icon_url } })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let message = self.layout.message(notification);
        let response = http::post(&self.webhook_url).json(&message).timeout(ANSWER_LIMIT).send()?;
        answer::check(&response)
    }
}

export!(Mattermost);

#[cfg(test)]
mod tests;
