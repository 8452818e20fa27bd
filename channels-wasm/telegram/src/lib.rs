//! Telegram: a bot writes each notification to chats and their topics, as Diun's channel does (`reference/diun.md` §1.3).

mod answer; // what Telegram says back
mod target; // chats and topics

use sandbell_chat_text::{Limit, Markup, Several, body, headline, web_url};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::target::{TARGETS_MAX, Target, targets};

/// What Diun's channel waits for each chat.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Telegram counts what is left after its entities are read, so this is never too much.
const TEXT: Limit = Limit::Utf16(4096);
const TITLE: Limit = Limit::Utf16(1000);

#[derive(ChannelConfig)]
pub struct Config {
    /// Given by `@BotFather`, e.g. `123456:ABC-DEF…`. Whoever has it is the bot.
    #[config(
        label = "Bot Token",
        label(de_DE = "Bot-Token"),
        help(de_DE = "Kommt von @BotFather, z. B. 123456:ABC-DEF…. Wer es hat, ist der Bot.")
    )]
    token: Secret,
    /// Where to write, unless the contact has chats of its own (address type `telegram`): IDs or `@channel`, separated
    /// by commas or blanks; `-100123:4;5` are topics 4 and 5 of a group.
    #[config(
        rename = "chat_ids",
        label = "Chats",
        label(de_DE = "Chats"),
        help(
            de_DE = "Wohin geschrieben wird, sofern der Kontakt keine eigenen Chats hat (Adresstyp telegram): IDs oder @kanal, durch Kommas oder Leerzeichen getrennt; -100123:4;5 sind die Themen 4 und 5 einer Gruppe."
        ),
        placeholder = "-1001234567890:4;5"
    )]
    chats: Option<String>,
    /// Phones show the message without a sound.
    #[config(
        label = "Silent",
        label(de_DE = "Lautlos"),
        help(de_DE = "Telefone zeigen die Nachricht ohne Ton.")
    )]
    disable_notification: bool,
    /// Another server of the Bot API than Telegram's own.
    #[config(
        default = "https://api.telegram.org",
        label = "API URL",
        label(de_DE = "API-URL"),
        help(de_DE = "Ein anderer Server der Bot-API als Telegrams eigener.")
    )]
    api_url: String,
}

pub struct Telegram {
    /// Without a slash at the end.
    api_url: String,
    token: Secret,
    targets: Vec<Target>,
    disable_notification: bool,
}

impl Channel for Telegram {
    type Config = Config;

    fn info() -> Info {
        Info::new("Telegram")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("telegram")
            .wants_http("POST {api_url}/bot*", "Writes each notification as the bot of the token.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { token, chats, disable_notification, api_url } = config;
        let api_url = web_url("api_url", &api_url)?.trim_end_matches('/').to_owned();
        let chats = chats.unwrap_or_default();
        let targets = targets(&chats).map_err(|message| ConfigError::option("chat_ids", message))?;
        Ok(Self { api_url, token, targets, disable_notification })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let targets = self.targets(notification)?;
        let text = text(notification);
        let mut outcome = Several::default();
        for target in &targets {
            let response = self.request(target, &text).send();
            let sent = response
                .map_err(SendError::from)
                .and_then(|response| answer::message_id(&response, notification.delivery.dry_run));
            if outcome.is_over(target, sent) {
                break;
            }
        }
        outcome.settle()
    }
}

export!(Telegram);

impl Telegram {
    fn targets(&self, notification: &Notification) -> Result<Vec<Target>, SendError> {
        let mut own = Vec::new();
        for address in notification.addresses("telegram") {
            let found = targets(address).map_err(|message| {
                SendError::address(format!("the address `{}` {message}", address.escape_debug()))
            })?;
            own.extend(found);
        }
        let name = &notification.contact.full_name;
        match (own.len(), self.targets.len()) {
            (0, 0) => Err(SendError::address(format!(
                "contact {name} has no telegram chat, and the channel names none"
            ))),
            (0, _) => Ok(self.targets.clone()),
            (1..=TARGETS_MAX, _) => Ok(own),
            _ => Err(SendError::address(format!("contact {name} has more than {TARGETS_MAX} chats"))),
        }
    }

    fn request(&self, target: &Target, text: &str) -> http::Request {
        let Target { chat, topic } = target;
        let mut message = json!({
            "chat_id": chat.parse().map_or_else(|_| Value::from(chat.as_str()), |id: i64| id.into()),
            "text": text,
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        });
        if let Some(topic) = topic {
            message["message_thread_id"] = (*topic).into();
        }
        if self.disable_notification {
            message["disable_notification"] = true.into();
        }
        let url = Template::from(format!("{}/bot", self.api_url)).with(&self.token).with("/sendMessage");
        http::post(url).json(&message).timeout(ANSWER_LIMIT)
    }
}

fn text(notification: &Notification) -> String {
    let title = Markup::Html.bold(&headline(notification), TITLE);
    let body = body(notification, Markup::Html, TEXT.less(TEXT.measure(&title) + "\n\n".len()));
    if body.is_empty() { title } else { format!("{title}\n\n{body}") }
}

#[cfg(test)]
mod tests;
