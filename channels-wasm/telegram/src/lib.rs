//! Telegram: a bot writes each notification to chats and their topics, as Diun's channel does (`reference/diun.md` §1.3).
//!
//! Its messages are Sandbell's own, or those of Diun's, Cloudforet's and Icinga's channels.

mod answer; // what Telegram says back
mod target; // chats and topics
mod text; // the message in each style

use sandbell_chat_text::{GoText, Several, web_url};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::target::{TARGETS_MAX, Target, targets};
use crate::text::Message;

/// What Diun's channel waits for each chat.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

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
    /// Whose message it is: Sandbell's own, or that of the Telegram channel of Diun, Cloudforet or Icinga. By default that of
    /// Diun and Cloudforet for what they sent, and Sandbell's own for everything else.
    #[config(
        default = "auto",
        label = "Style",
        label(de_DE = "Stil"),
        help(
            de_DE = "Wessen Nachricht es ist: Sandbells eigene, oder die des Telegram-Kanals von Diun, Cloudforet oder Icinga. Ohne Angabe die von Diun und Cloudforet für das, was sie sandten, sonst Sandbells eigene."
        )
    )]
    style: Style,
    /// A Go template with Diun's helpers, in the place of the message: in Diun's style Markdown, else HTML.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(
            de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle der Nachricht: in Diuns Stil Markdown, sonst HTML."
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
    #[choice(label = "Icinga")]
    Icinga,
}

pub struct Telegram {
    /// Without a slash at the end.
    api_url: String,
    token: Secret,
    targets: Vec<Target>,
    disable_notification: bool,
    style: Style,
    template: GoText,
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
        let Config { token, chats, disable_notification, api_url, style, template_body } = config;
        let template = GoText::new(None, template_body.as_deref(), true)?;
        let api_url = web_url("api_url", &api_url)?.trim_end_matches('/').to_owned();
        let chats = chats.unwrap_or_default();
        let targets = targets(&chats).map_err(|message| ConfigError::option("chat_ids", message))?;
        Ok(Self { api_url, token, targets, disable_notification, style, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let targets = self.targets(notification)?;
        let text = self.text(notification)?;
        let mut outcome = Several::default();
        for target in &targets {
            let sent = self.write(target, &text, notification);
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

    fn text(&self, notification: &Notification) -> Result<Message, SendError> {
        let style = self.style.of(notification);
        if let Some(body) = self.template.body(notification)?.filter(|body| !body.trim().is_empty()) {
            return Ok(text::template(body, style == Style::Diun));
        }
        Ok(match style {
            Style::Auto | Style::Own => text::own(notification),
            Style::Diun => text::diun(notification),
            Style::Cloudforet => text::cloudforet(notification),
            Style::Icinga => text::icinga(notification),
        })
    }

    /// Markup that Telegram cannot read goes out once more as text, as Cloudforet's channel does.
    fn write(
        &self,
        target: &Target,
        text: &Message,
        notification: &Notification,
    ) -> Result<String, SendError> {
        let is_dry_run = notification.delivery.dry_run;
        let response = self.request(target, text).send()?;
        let plain = Message { text: text.text.clone(), parse_mode: None, buttons: text.buttons.clone() };
        if text.parse_mode.is_some() && answer::is_about_markup(&response) {
            return answer::message_id(&self.request(target, &plain).send()?, is_dry_run);
        }
        answer::message_id(&response, is_dry_run)
    }

    fn request(&self, target: &Target, text: &Message) -> http::Request {
        let Target { chat, topic } = target;
        let mut message = json!({
            "chat_id": chat.parse().map_or_else(|_| Value::from(chat.as_str()), |id: i64| id.into()),
            "text": text.text,
            "link_preview_options": { "is_disabled": true },
        });
        if let Some(parse_mode) = text.parse_mode {
            message["parse_mode"] = parse_mode.into();
        }
        if let Some(markup) = text.reply_markup() {
            message["reply_markup"] = markup;
        }
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

impl Style {
    /// The style of the notification's own system, where the form does not name another.
    fn of(self, notification: &Notification) -> Self {
        match (self, notification.source.system.as_str()) {
            (Self::Auto, "diun") => Self::Diun,
            (Self::Auto, "cloudforet") => Self::Cloudforet,
            (Self::Auto, _) => Self::Own,
            (named, _) => named,
        }
    }
}

#[cfg(test)]
mod tests;
