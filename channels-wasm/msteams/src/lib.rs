//! Microsoft Teams: posts each notification as a card, as Diun's, Cloudforet's and Argus' channels do
//! (`reference/diun.md` §1.3, `cloudforet.md` §2.2, `argus.md` §4.2).

mod adaptive; // the card of workflows
mod answer; // what Teams says back
mod dialect; // the cards of other systems' channels
mod legacy; // the card of connectors
mod text; // lengths

use sandbell_chat_text::GoText;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

/// Half of what the host waits for an attempt, as workflows are slow.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

#[derive(ChannelConfig)]
pub struct Config {
    /// Created in Teams under Workflows > "Send webhook alerts to a channel", or that of a connector. Whoever knows it
    /// can post.
    #[config(
        label = "Webhook URL",
        label(de_DE = "Webhook-URL"),
        help(
            de_DE = "Wird in Teams unter Workflows > „Webhookwarnungen an einen Kanal senden“ angelegt, oder die eines Connectors. Wer sie kennt, kann schreiben."
        )
    )]
    webhook_url: Secret,
    /// Workflows take adaptive cards. Message cards are the older form, for connectors.
    #[config(
        default = "adaptive_card",
        label = "Card Type",
        label(de_DE = "Kartentyp"),
        help(
            de_DE = "Workflows nehmen Adaptive Cards. Nachrichtenkarten sind die ältere Form, für Connectors."
        )
    )]
    card_type: CardType,
    /// Lists tags, time and author in the card.
    #[config(
        default = true,
        label = "Facts",
        label(de_DE = "Fakten"),
        help(de_DE = "Führt in der Karte Tags, Zeit und Urheber auf.")
    )]
    render_facts: bool,
    /// Whose card it is: Sandbell's own, or that of the Teams channel of Diun, Cloudforet or Argus. By default that of the
    /// system that the notification came from.
    #[config(
        default = "auto",
        label = "Style",
        label(de_DE = "Stil"),
        help(
            de_DE = "Wessen Karte es ist: Sandbells eigene, oder die des Teams-Kanals von Diun, Cloudforet oder Argus. Ohne Angabe die des Systems, von dem die Benachrichtigung kam."
        )
    )]
    style: Style,
    /// A Go template in Markdown, with Diun's helpers, in the place of Diun's text; the own style becomes Diun's by it.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(
            de_DE = "Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle von Diuns Text; der eigene Stil wird dadurch zu Diuns."
        )
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
    #[choice(label = "Cloudforet")]
    Cloudforet,
    #[choice(label = "Argus")]
    Argus,
}

#[derive(Clone, Copy, Choice)]
enum CardType {
    #[choice(label = "Adaptive Card")]
    AdaptiveCard,
    #[choice(label = "Message Card")]
    MessageCard,
}

pub struct Teams {
    webhook_url: Secret,
    card_type: CardType,
    render_facts: bool,
    style: Style,
    template: GoText,
}

impl Channel for Teams {
    type Config = Config;

    fn info() -> Info {
        Info::new("Microsoft Teams")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("msteams")
            .wants_http("POST {webhook_url}", "Posts each notification to the webhook, and to nothing else.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { webhook_url, card_type, render_facts, style, template_body } = config;
        let template = GoText::new(None, template_body.as_deref(), false)?;
        Ok(Self { webhook_url, card_type, render_facts, style, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let message = self.message(notification)?;
        let response = http::post(&self.webhook_url).json(&message).timeout(ANSWER_LIMIT).send()?;
        answer::check(response)
    }
}

export!(Teams);

impl Teams {
    fn message(&self, notification: &Notification) -> Result<Value, SendError> {
        let body = self.template.body(notification)?;
        let style = self.style.of(notification);
        let is_own = matches!(style, Style::Auto | Style::Own);
        let style = if is_own && body.is_some() { Style::Diun } else { style };
        let is_adaptive = matches!(self.card_type, CardType::AdaptiveCard);
        Ok(match (style, is_adaptive) {
            (Style::Diun, true) => dialect::diun_adaptive_card(notification, body, self.render_facts),
            (Style::Diun, false) => dialect::diun_message_card(notification, body, self.render_facts),
            (Style::Cloudforet, _) => dialect::cloudforet(notification),
            (Style::Argus, _) => dialect::argus(notification),
            (Style::Auto | Style::Own, true) => adaptive::message(notification, self.render_facts),
            (Style::Auto | Style::Own, false) => legacy::message(notification, self.render_facts),
        })
    }
}

impl Style {
    /// The style of the notification's own system, where the form does not name another.
    fn of(self, notification: &Notification) -> Self {
        match (self, notification.source.system.as_str()) {
            (Self::Auto, "diun") => Self::Diun,
            (Self::Auto, "cloudforet") => Self::Cloudforet,
            (Self::Auto, "argus") => Self::Argus,
            (Self::Auto, _) => Self::Own,
            (named, _) => named,
        }
    }
}

#[cfg(test)]
mod tests;
