//! Pushover: pushes each notification to users or groups, as Diun's channel of that name does (`reference/diun.md` §1.3).

mod answer; // what Pushover says back

use sandbell_chat_text::{GoText, Limit, Markup, OwnText, body, headline, links, markdown_to_html_within};
use sandbell_sdk::prelude::*;

const URL: &str = "https://api.pushover.net/1/messages.json";
/// What Diun's channel waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Pushover's limits, tags of HTML included.
const MESSAGE: Limit = Limit::Chars(1024);
const TITLE: Limit = Limit::Chars(250);
const URL_BYTES_MAX: usize = 512;
const URL_TITLE: Limit = Limit::Chars(100);
/// Pushover takes so many users at once.
const RECIPIENTS_MAX: usize = 50;

#[derive(ChannelConfig)]
pub struct Config {
    /// Of the application, from pushover.net.
    #[config(
        label = "API Token",
        label(de_DE = "API-Token"),
        help(de_DE = "Token der Anwendung, von pushover.net.")
    )]
    token: Secret,
    /// Key of the user or group, for contacts without one of their own (address type `pushover`).
    #[config(
        label = "Recipient",
        label(de_DE = "Empfänger"),
        help(
            de_DE = "Schlüssel des Benutzers oder der Gruppe, für Kontakte ohne eigenen (Adresstyp pushover)."
        )
    )]
    recipient: Option<Secret>,
    /// From -2 (nothing is shown) to 2 (rings until somebody confirms). Without it the severity decides, up to 1.
    #[config(
        label = "Priority",
        label(de_DE = "Priorität"),
        help(
            de_DE = "Von -2 (nichts wird gezeigt) bis 2 (klingelt, bis jemand bestätigt). Ohne Angabe entscheidet der Schweregrad, bis 1."
        ),
        min = -2,
        max = 2
    )]
    priority: Option<i8>,
    /// Name of a sound, e.g. `siren`. Without it the user's own.
    #[config(
        label = "Sound",
        label(de_DE = "Ton"),
        help(de_DE = "Name eines Tons, z. B. siren. Ohne Angabe der des Benutzers.")
    )]
    sound: Option<String>,
    /// With priority 2: after how many seconds it rings again.
    #[config(
        default = 60,
        label = "Ring Again After",
        label(de_DE = "Erneut klingeln nach"),
        help(de_DE = "Bei Priorität 2: nach wie vielen Sekunden es erneut klingelt."),
        min = 30,
        max = 10800
    )]
    retry: u16,
    /// With priority 2: after how many seconds it stops ringing.
    #[config(
        default = 3600,
        label = "Give Up After",
        label(de_DE = "Aufgeben nach"),
        help(de_DE = "Bei Priorität 2: nach wie vielen Sekunden es nicht mehr klingelt."),
        min = 30,
        max = 10800
    )]
    expire: u16,
    /// A Go template with Diun's helpers, in the place of the title.
    #[config(
        label = "Title Template",
        label(de_DE = "Titel-Template"),
        help(de_DE = "Ein Go-Template mit Diuns Funktionen, anstelle des Titels.")
    )]
    template_title: Option<String>,
    /// A Go template in Markdown, with Diun's helpers, in the place of the text.
    #[config(
        multiline,
        label = "Body Template",
        label(de_DE = "Text-Template"),
        help(de_DE = "Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.")
    )]
    template_body: Option<String>,
}

pub struct Pushover {
    config: Config,
    template: GoText,
}

impl Channel for Pushover {
    type Config = Config;

    fn info() -> Info {
        Info::new("Pushover")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("pushover")
            .wants_http(
                "POST https://api.pushover.net/1/messages.json",
                "Pushes each notification through Pushover.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        if config.sound.as_deref().is_some_and(|sound| !is_word(sound)) {
            return Err(ConfigError::option("sound", "must be the name of a sound, e.g. `siren`"));
        }
        let template = GoText::new(config.template_title.as_deref(), config.template_body.as_deref(), false)?;
        Ok(Self { config, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let user = self.user(notification)?;
        let response = http::post(URL).form(self.fields(user, notification)?).timeout(ANSWER_LIMIT).send()?;
        answer::check(&response, notification.delivery.dry_run)
    }
}

export!(Pushover);

impl Pushover {
    /// The contact's keys, or else that of the form.
    fn user(&self, notification: &Notification) -> Result<Template, SendError> {
        let name = &notification.contact.full_name;
        let keys: Vec<_> = notification.addresses("pushover").map(str::trim).collect();
        if let Some(key) = keys.iter().find(|key| !is_word(key)) {
            let key = key.escape_debug();
            return Err(SendError::address(format!(
                "the address `{key}` is no key of a Pushover user or group"
            )));
        }
        match keys.len() {
            0 => self.config.recipient.as_ref().map(Template::from).ok_or_else(|| {
                SendError::address(format!("contact {name} has no pushover key, and the channel names none"))
            }),
            1..=RECIPIENTS_MAX => Ok(keys.join(",").into()),
            _ => Err(SendError::address(format!(
                "contact {name} has more than {RECIPIENTS_MAX} pushover keys"
            ))),
        }
    }

    fn fields(
        &self,
        user: Template,
        notification: &Notification,
    ) -> Result<Vec<(&'static str, Template)>, SendError> {
        let Config { token, priority: fixed, sound, retry, expire, .. } = &self.config;
        let OwnText { title, body: own } = self.template.own(notification)?;
        let title = TITLE.cut(&title.unwrap_or_else(|| headline(notification)));
        let text = own.map_or_else(
            || body(notification, Markup::Html, MESSAGE),
            |own| markdown_to_html_within(&own, MESSAGE),
        );
        // Pushover refuses an empty message.
        let text = if text.is_empty() { Markup::Html.escape(&title, MESSAGE) } else { text };
        let priority = fixed.unwrap_or_else(|| priority(notification.severity()));
        let mut fields = vec![
            ("token", Template::from(token)),
            ("user", user),
            ("title", title.into()),
            ("message", text.into()),
            ("html", "1".into()),
            ("priority", priority.to_string().into()),
        ];
        if priority == 2 {
            fields.push(("retry", retry.to_string().into()));
            fields.push(("expire", expire.to_string().into()));
        }
        if let Some(sound) = sound {
            fields.push(("sound", sound.into()));
        }
        if let Some((label, url)) = links(notification, URL_BYTES_MAX).first() {
            fields.push(("url", (*url).into()));
            fields.push(("url_title", URL_TITLE.cut(label).into()));
        }
        if let Some(seconds) = notification.event.unix_seconds() {
            fields.push(("timestamp", seconds.to_string().into()));
        }
        Ok(fields)
    }
}

/// Never 2: that nobody sleeps until somebody confirms is for the operator to decide.
fn priority(severity: Option<Severity>) -> i8 {
    match severity {
        Some(Severity::Debug) => -2,
        Some(Severity::Info) => -1,
        Some(Severity::Ok | Severity::Notice | Severity::Warning) | None => 0,
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => 1,
    }
}

/// Keys and names of sounds.
fn is_word(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests;
