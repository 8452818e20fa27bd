//! Microsoft Teams: posts each notification as a card, as Diun's, Cloudforet's and Argus' channels do
//! (`reference/diun.md` §1.3, `cloudforet.md` §2.2, `argus.md` §4.2).

mod adaptive; // the card of workflows
mod answer; // what Teams says back
mod legacy; // the card of connectors
mod text; // lengths

use sandbell_sdk::prelude::*;

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
}

#[derive(Clone, Copy, Choice)]
enum CardType {
    #[choice(label = "Adaptive Card")]
    AdaptiveCard,
    #[choice(label = "Message Card")]
    MessageCard,
}

pub struct Teams(Config);

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
        Ok(Self(config))
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let Config { webhook_url, card_type, render_facts } = &self.0;
        let message = match card_type {
            CardType::AdaptiveCard => adaptive::message(notification, *render_facts),
            CardType::MessageCard => legacy::message(notification, *render_facts),
        };
        let response = http::post(webhook_url).json(&message).timeout(ANSWER_LIMIT).send()?;
        answer::check(response)
    }
}

export!(Teams);

#[cfg(test)]
mod tests;
