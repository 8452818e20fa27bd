//! Matrix: writes each notification to rooms, as Diun's notifier does (`reference/diun.md` §1.3).

mod answer; // what a homeserver says back
mod room; // where a message goes

use sandbell_chat_text::{
    GoText, Limit, Markup, Several, body, headline, markdown_to_html_within, one_line, web_url,
};
use sandbell_sdk::http::Request;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::room::{ROOMS_MAX, rooms};

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// An event may have 65,536 bytes; both forms together stay below half of it, as JSON makes quotes twice as long.
const PLAIN: Limit = Limit::Bytes(8000);
const HTML: Limit = Limit::Bytes(16_000);
const TITLE: Limit = Limit::Bytes(500);
const CLIENT: &str = "_matrix/client/v3";

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the homeserver, e.g. `https://matrix.org`.
    #[config(
        rename = "homeserver_url",
        default = "https://matrix.org",
        label = "Homeserver URL",
        label(de_DE = "Homeserver-URL"),
        help(de_DE = "Adresse des Homeservers, z. B. https://matrix.org.")
    )]
    homeserver: String,
    /// Who writes, e.g. `sandbell` or `@sandbell:example.com`; together with a password.
    #[config(
        label = "User",
        label(de_DE = "Benutzer"),
        help(
            de_DE = "Wer schreibt, z. B. sandbell oder @sandbell:example.com; zusammen mit einem Passwort."
        )
    )]
    user: Option<String>,
    #[config(label = "Password", label(de_DE = "Passwort"))]
    password: Option<Secret>,
    /// Instead of user and password: a token of a session that stays. Then a repetition is not shown twice.
    #[config(
        label = "Access Token",
        label(de_DE = "Zugangstoken"),
        help(
            de_DE = "Statt Benutzer und Passwort: ein Token einer Sitzung, die bleibt. Eine Wiederholung erscheint dann nicht zweimal."
        )
    )]
    access_token: Option<Secret>,
    /// Where to write, unless the contact has rooms of its own (address type `matrix`): `!id:server` or `#alias:server`,
    /// separated by commas or blanks.
    #[config(
        label = "Rooms",
        label(de_DE = "Räume"),
        help(
            de_DE = "Wohin geschrieben wird, sofern der Kontakt keine eigenen Räume hat (Adresstyp matrix): !id:server oder #alias:server, durch Kommas oder Leerzeichen getrennt."
        )
    )]
    room_id: Option<String>,
    /// A notice does not ring, and no other bot answers it.
    #[config(
        default = "notice",
        label = "Message Type",
        label(de_DE = "Nachrichtentyp"),
        help(de_DE = "Eine Notiz klingelt nicht, und kein anderer Bot antwortet ihr.")
    )]
    msg_type: MessageType,
    /// A Go template in Markdown, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

#[derive(Clone, Copy, Choice)]
enum MessageType {
    Notice,
    Text,
}

pub struct Matrix {
    /// Without a slash at the end.
    homeserver: String,
    login: Login,
    rooms: Vec<String>,
    msg_type: MessageType,
    template: GoText,
}

enum Login {
    Password { user: String, password: Secret },
    Token(Secret),
}

impl Channel for Matrix {
    type Config = Config;

    fn info() -> Info {
        Info::new("Matrix")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("matrix")
            .wants_http("POST {homeserver_url}/_matrix/client/v3/login", "Logs in with user and password.")
            .wants_http(
                "POST {homeserver_url}/_matrix/client/v3/join/*",
                "Joins the rooms that it writes to.",
            )
            .wants_http("PUT {homeserver_url}/_matrix/client/v3/rooms/*", "Writes each notification.")
            .wants_http(
                "POST {homeserver_url}/_matrix/client/v3/logout",
                "Ends the session that the login began.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { homeserver, user, password, access_token, room_id, msg_type, template_body } = config;
        let template = GoText::new(None, template_body.as_deref(), false)?;
        let homeserver = web_url("homeserver_url", &homeserver)?.trim_end_matches('/').to_owned();
        let login = match (user, password, access_token) {
            (None, None, Some(token)) => Login::Token(token),
            (Some(user), Some(password), None) => Login::Password { user: user.trim().to_owned(), password },
            _ => return Err(ConfigError::new("either user and password or an access token must be set")),
        };
        let rooms = rooms(room_id.as_deref().unwrap_or_default())
            .map_err(|message| ConfigError::option("room_id", message))?;
        Ok(Self { homeserver, login, rooms, msg_type, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let rooms = self.rooms(notification)?;
        let own = self.template.body(notification)?;
        let session = self.log_in(notification)?;
        let message = self.message(notification, own.as_deref());
        let mut several = Several::default();
        for room in &rooms {
            let sent = self.write(&session, room, &message, notification);
            if several.is_over(room, sent) {
                break;
            }
        }
        if matches!(self.login, Login::Password { .. }) {
            self.log_out(&session);
        }
        several.settle()
    }
}

export!(Matrix);

impl Matrix {
    /// The contact's, or else those of the form.
    fn rooms(&self, notification: &Notification) -> Result<Vec<String>, SendError> {
        let name = &notification.contact.full_name;
        let mut own = Vec::new();
        for address in notification.addresses("matrix") {
            own.extend(rooms(address).map_err(|message| {
                SendError::address(format!("the address `{}` {message}", address.escape_debug()))
            })?);
        }
        let rooms = if own.is_empty() { self.rooms.clone() } else { own };
        match rooms.len() {
            0 => Err(SendError::address(format!(
                "contact {name} has no matrix room, and the channel names none"
            ))),
            1..=ROOMS_MAX => Ok(rooms),
            _ => Err(SendError::address(format!("contact {name} has more than {ROOMS_MAX} rooms"))),
        }
    }

    /// The token of a session, or the secret that is one.
    fn log_in(&self, notification: &Notification) -> Result<Template, SendError> {
        let (user, password) = match &self.login {
            Login::Token(token) => return Ok(token.into()),
            Login::Password { user, password } => (user, password),
        };
        let login = http::object()
            .value("type", "m.login.password")
            .value("identifier", &json!({ "type": "m.id.user", "user": user }))
            .secret("password", password)
            .value("initial_device_display_name", "Sandbell");
        let url = format!("{}/{CLIENT}/login", self.homeserver);
        let response = http::post(url).json_object(login).timeout(ANSWER_LIMIT).send()?;
        let token =
            answer::field(&response, "access_token", notification.delivery.dry_run).map_err(|error| {
                // A homeserver says 403 for a wrong password, as for a room.
                let code = if error.code == code::ADDRESS { code::AUTH } else { error.code.as_str() };
                SendError { code: code.to_owned(), ..error }
            })?;
        Ok(token.into())
    }

    /// That a session is left over is no reason to say that the message was not sent.
    fn log_out(&self, session: &Template) {
        let url = format!("{}/{CLIENT}/logout", self.homeserver);
        if let Err(error) = authorised(http::post(url), session).json(&json!({})).send() {
            log::warn!("The session at the homeserver could not be ended: {error}");
        }
    }

    /// Joins, which does nothing in a room that was joined, and writes.
    fn write(
        &self,
        session: &Template,
        room: &str,
        message: &Value,
        notification: &Notification,
    ) -> Result<String, SendError> {
        let is_dry_run = notification.delivery.dry_run;
        let url = format!("{}/{CLIENT}/join/{}", self.homeserver, http::encoded(room));
        let joined = authorised(http::post(url), session).json(&json!({})).send()?;
        let id = answer::field(&joined, "room_id", is_dry_run)?;
        // In a dry run nobody says what an alias stands for.
        let id = http::encoded(if id.is_empty() { room } else { &id });
        let transaction = http::encoded(&notification.delivery.id);
        let url = format!("{}/{CLIENT}/rooms/{id}/send/m.room.message/{transaction}", self.homeserver);
        let sent = authorised(http::request("PUT", url), session).json(message).send()?;
        answer::field(&sent, "event_id", is_dry_run)
    }

    /// `own` is what a template of the operator made.
    fn message(&self, notification: &Notification, own: Option<&str>) -> Value {
        let (plain, html) = match own {
            Some(own) => (PLAIN.cut(own), markdown_to_html_within(own, HTML)),
            None => texts(notification),
        };
        json!({
            "msgtype": match self.msg_type {
                MessageType::Notice => "m.notice",
                MessageType::Text => "m.text",
            },
            "body": plain,
            "format": "org.matrix.custom.html",
            "formatted_body": html,
        })
    }
}

/// Plain and in HTML.
fn texts(notification: &Notification) -> (String, String) {
    let title = one_line(&headline(notification), TITLE);
    let joined = |title: &str, body: String, gap: &str| {
        if body.is_empty() { title.to_owned() } else { format!("{title}{gap}{body}") }
    };
    let plain = joined(&title, body(notification, Markup::Plain, PLAIN), "\n\n");
    let html = body(notification, Markup::Html, HTML).trim_end().replace('\n', "<br/>");
    let title = Markup::Html.bold(&title, TITLE.with_max(2 * TITLE.max()));
    (plain, joined(&title, html, "<br/><br/>"))
}

fn authorised(request: Request, session: &Template) -> Request {
    request.bearer(session).timeout(ANSWER_LIMIT)
}

#[cfg(test)]
mod tests;
