//! Rocket.Chat: posts each notification as a user, as the channels of Icinga and Diun do (`reference/icinga.md` §4.3,
//! `diun.md` §1.3).

mod message; // Icinga's and Diun's

use sandbell_chat_text::GoText;
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Icinga's channel waits for the whole exchange.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Rocket.Chat server, e.g. `https://chat.example.com`.
    #[config(
        label = "Rocket.Chat URL",
        label(de_DE = "Rocket.Chat-URL"),
        help(de_DE = "Adresse des Rocket.Chat-Servers, z. B. https://chat.example.com.")
    )]
    url: String,
    /// ID of the user who posts; Rocket.Chat shows it together with the token.
    #[config(
        label = "User ID",
        label(de_DE = "Benutzer-ID"),
        help(de_DE = "ID des Benutzers, der schreibt. Rocket.Chat zeigt sie zusammen mit dem Token an.")
    )]
    user_id: String,
    /// Created in Rocket.Chat under My Account > Personal Access Tokens.
    #[config(
        label = "Personal Access Token",
        label(de_DE = "Persönliches Zugangstoken"),
        help(de_DE = "Wird in Rocket.Chat unter Mein Konto > Persönliche Zugangstoken angelegt.")
    )]
    token: Secret,
    /// For contacts without an address of their own (address type `rocketchat`): `#room`, `@user` or a room's ID.
    #[config(
        label = "Room",
        label(de_DE = "Raum"),
        help(
            de_DE = "Für Kontakte ohne eigene Adresse (Adresstyp rocketchat): #raum, @benutzer oder die ID eines Raums."
        )
    )]
    channel: Option<String>,
    /// Whose message it is: that of Icinga's channel or that of Diun's. By default Diun's for what Diun sent.
    #[config(
        default = "auto",
        label = "Style",
        label(de_DE = "Stil"),
        help(
            de_DE = "Wessen Nachricht es ist: die von Icingas Kanal oder die von Diuns. Ohne Angabe Diuns für das, was Diun sandte."
        )
    )]
    style: Style,
    /// Diun's style: shows the text and its fields in an attachment.
    #[config(
        default = true,
        label = "Attachment",
        label(de_DE = "Anhang"),
        help(de_DE = "Diuns Stil: zeigt den Text und seine Felder in einem Anhang.")
    )]
    render_attachment: bool,
    /// A Go template with Diun's helpers, in the place of the first line.
    #[config(
        label = "Title Template",
        label(de_DE = "Titel-Template"),
        help(de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle der ersten Zeile.")
    )]
    template_title: Option<String>,
    /// A Go template with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Choice)]
enum Style {
    #[choice(label = "By source")]
    Auto,
    #[choice(label = "Icinga")]
    Icinga,
    #[choice(label = "Diun")]
    Diun,
}

pub struct RocketChat {
    /// Without a slash at the end.
    url: String,
    user_id: String,
    token: Secret,
    channel: Option<String>,
    style: Style,
    render_attachment: bool,
    template: GoText,
}

impl Channel for RocketChat {
    type Config = Config;

    fn info() -> Info {
        Info::new("Rocket.Chat")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("rocketchat")
            .wants_http(
                "POST {url}/api/v1/chat.postMessage",
                "Posts each notification as the user of the token.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { url, user_id, token, channel, style, render_attachment, template_title, template_body } =
            config;
        let template = GoText::new(template_title.as_deref(), template_body.as_deref(), false)?;
        let url = url.trim().trim_end_matches('/').to_owned();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(ConfigError::option("url", "must start with `https://` or `http://`"));
        }
        Ok(Self { url, user_id, token, channel, style, render_attachment, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let room = notification.address("rocketchat").or(self.channel.as_deref()).ok_or_else(|| {
            let name = &notification.contact.full_name;
            SendError::address(format!(
                "contact user {name} does not specify a rocketchat channel or username"
            ))
        })?;
        let own = self.template.own(notification)?;
        let is_diun = match self.style {
            Style::Auto => notification.source.system == "diun",
            Style::Diun => true,
            Style::Icinga => false,
        };
        let message = if is_diun {
            message::diun(notification, room, own, self.render_attachment)
        } else {
            message::icinga(notification, room, own)
        };
        let response = http::post(format!("{}/api/v1/chat.postMessage", self.url))
            .header("X-Auth-Token", &self.token)
            .header("X-User-Id", &self.user_id)
            .json(&message)
            .timeout(ANSWER_LIMIT)
            .send()
            .map_err(unsent)?;
        receipt(&response)
    }
}

export!(RocketChat);

/// Icinga's words before the reason, the reason's own retry decision behind them.
fn unsent(error: http::Error) -> SendError {
    let error = SendError::from(error);
    let message = format!("error while sending http request to rocketchat server: {}", error.message);
    SendError { message, ..error }
}

/// The status line in Icinga's words, and what Rocket.Chat says about it.
///
/// Rocket.Chat can say no with a status of 200; an answer without `success` says nothing against it.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let reason = answer["error"].as_str().or(answer["message"].as_str());
    if let Some(error) = response.failure() {
        let status = response.status_line();
        let message = reason.map_or(status.clone(), |reason| format!("{status}: {reason}"));
        return Err(SendError { message, ..error });
    }
    if answer["success"] == false {
        let reason = reason.unwrap_or("no reason given");
        return Err(SendError::permanent(format!("Rocket.Chat refused the message: {reason}")));
    }
    let id = answer["message"]["_id"].as_str();
    Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id)))
}

#[cfg(test)]
mod tests;
