//! Discord: posts each notification through a webhook, as Diun's channel of that name does (`reference/diun.md` §1.3).

mod answer; // what Discord says back
mod mention; // who is alerted
mod message; // the embed and its limits

use sandbell_chat_text::GoText;
use sandbell_sdk::prelude::*;

use crate::mention::Mentions;
use crate::message::Layout;

/// What Diun's channel waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Discord's limit of a webhook's name.
const USERNAME_CHARS_MAX: usize = 80;

#[derive(ChannelConfig)]
pub struct Config {
    /// Created in Discord under Channel Settings > Integrations > Webhooks. Whoever knows it can post; `?thread_id=…` at
    /// its end posts in a thread.
    #[config(
        label = "Webhook URL",
        label(de_DE = "Webhook-URL"),
        help(
            de_DE = "Wird in Discord unter Kanaleinstellungen > Integrationen > WebHooks angelegt. Wer sie kennt, kann schreiben; mit ?thread_id=… am Ende wird in einen Thread geschrieben."
        )
    )]
    webhook_url: Secret,
    /// Who is alerted, separated by blanks: `@here`, `@everyone`, a user `<@ID>` or a role `<@&ID>`.
    #[config(
        label = "Mentions",
        label(de_DE = "Erwähnungen"),
        help(
            de_DE = "Wer benachrichtigt wird, durch Leerzeichen getrennt: @here, @everyone, ein Benutzer <@ID> oder eine Rolle <@&ID>."
        ),
        placeholder = "@here <@&123456789012345678>"
    )]
    mentions: Option<String>,
    /// Shows the message beside a bar in the severity's colour. Otherwise all is one text.
    #[config(
        default = true,
        label = "Embed",
        label(de_DE = "Einbettung"),
        help(
            de_DE = "Zeigt die Nachricht neben einem Balken in der Farbe des Schweregrads. Sonst ist alles ein Text."
        )
    )]
    render_embeds: bool,
    /// Lists tags, time and author in the embed.
    #[config(
        default = true,
        label = "Fields",
        label(de_DE = "Felder"),
        help(de_DE = "Führt in der Einbettung Tags, Zeit und Urheber auf.")
    )]
    render_fields: bool,
    /// Shown as the sender instead of the webhook's own name.
    #[config(
        label = "Sender Name",
        label(de_DE = "Absendername"),
        help(de_DE = "Wird statt des Namens des Webhooks als Absender gezeigt.")
    )]
    username: Option<String>,
    /// URL of a picture that is shown instead of the webhook's own.
    #[config(
        label = "Avatar URL",
        label(de_DE = "Avatar-URL"),
        help(de_DE = "URL eines Bildes, das statt des Bildes des Webhooks gezeigt wird.")
    )]
    avatar_url: Option<String>,
    /// A Go template in Markdown, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

pub struct Discord {
    webhook_url: Secret,
    layout: Layout,
    template: GoText,
}

impl Channel for Discord {
    type Config = Config;

    fn info() -> Info {
        Info::new("Discord")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("discord")
            .wants_http("POST {webhook_url}", "Posts each notification to the webhook, and to nothing else.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config {
            webhook_url,
            mentions,
            render_embeds,
            render_fields,
            username,
            avatar_url,
            template_body,
        } = config;
        let template = GoText::new(None, template_body.as_deref(), false)?;
        let mentions: Mentions = mentions.unwrap_or_default().parse()?;
        if let Some(username) = &username {
            check_username(username).map_err(|message| ConfigError::option("username", message))?;
        }
        let layout = Layout { mentions, render_embeds, render_fields, username, avatar_url };
        Ok(Self { webhook_url, layout, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let own = self.template.body(notification)?;
        let response = http::post(&self.webhook_url)
            // Without it Discord says nothing about the message that it made.
            .query("wait", "true")
            .json(&self.layout.message(notification, own.as_deref()))
            .timeout(ANSWER_LIMIT)
            .send()?;
        answer::check(&response)
    }
}

export!(Discord);

/// Discord refuses every message under such a name.
fn check_username(username: &str) -> Result<(), &'static str> {
    let lower = username.to_ascii_lowercase();
    if username.trim().is_empty() || username.chars().count() > USERNAME_CHARS_MAX {
        Err("must have 1 to 80 characters")
    } else if lower.contains("discord") || lower.contains("clyde") {
        Err("must not contain `discord` or `clyde`, which Discord refuses")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
