//! ntfy: publishes each notification to a topic, as Diun's channel of that name does (`reference/diun.md` §1.3).

mod answer; // what ntfy says back
mod message; // the message and its limits

use sandbell_chat_text::{GoText, web_url};
use sandbell_sdk::prelude::*;

use crate::message::Layout;

/// What Diun's channel waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// ntfy's limit of a topic's name.
const TOPIC_BYTES_MAX: usize = 64;

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the ntfy server.
    #[config(
        default = "https://ntfy.sh",
        label = "ntfy URL",
        label(de_DE = "ntfy-URL"),
        help(de_DE = "Adresse des ntfy-Servers.")
    )]
    endpoint: String,
    /// Where to publish, unless the contact has a topic of its own (address type `ntfy`). Whoever knows a topic that
    /// is not protected can read it.
    #[config(
        label = "Topic",
        label(de_DE = "Thema"),
        help(
            de_DE = "Wohin veröffentlicht wird, sofern der Kontakt kein eigenes Thema hat (Adresstyp ntfy). Wer ein ungeschütztes Thema kennt, kann es lesen."
        )
    )]
    topic: Option<String>,
    /// An access token, for topics that are protected.
    #[config(
        label = "Access Token",
        label(de_DE = "Zugriffstoken"),
        help(de_DE = "Ein Zugriffstoken für geschützte Themen.")
    )]
    token: Option<Secret>,
    /// From 1 to 5; 5 rings until somebody looks. Without it the severity decides.
    #[config(
        label = "Priority",
        label(de_DE = "Priorität"),
        help(
            de_DE = "Von 1 bis 5; bei 5 klingelt es, bis jemand hinsieht. Ohne Angabe entscheidet der Schweregrad."
        ),
        min = 1,
        max = 5
    )]
    priority: Option<u8>,
    /// Words beside the message, separated by commas; ntfy shows an emoji for those it knows, e.g. `package`. Without
    /// them the severity decides.
    #[config(
        label = "Tags",
        label(de_DE = "Schlagwörter"),
        help(
            de_DE = "Wörter neben der Nachricht, durch Kommas getrennt. Für die, die ntfy kennt, zeigt es ein Emoji, z. B. package. Ohne Angabe entscheidet der Schweregrad."
        ),
        placeholder = "warning,skull"
    )]
    tags: Option<String>,
    /// URL of a PNG or JPEG that is shown beside the message.
    #[config(
        label = "Icon URL",
        label(de_DE = "Symbol-URL"),
        help(de_DE = "URL eines PNG- oder JPEG-Bildes, das neben der Nachricht gezeigt wird.")
    )]
    icon: Option<String>,
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

pub struct Ntfy {
    endpoint: String,
    topic: Option<String>,
    token: Option<Secret>,
    layout: Layout,
    template: GoText,
}

impl Channel for Ntfy {
    type Config = Config;

    fn info() -> Info {
        Info::new("ntfy")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("ntfy")
            .wants_http("POST {endpoint}", "Publishes each notification to the topic.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { endpoint, topic, token, priority, tags, icon, template_title, template_body } = config;
        let template = GoText::new(template_title.as_deref(), template_body.as_deref(), false)?;
        let endpoint = web_url("endpoint", &endpoint)?.to_owned();
        let topic = topic.map(|topic| topic.trim().to_owned());
        if topic.as_deref().is_some_and(|topic| !is_topic(topic)) {
            return Err(ConfigError::option("topic", TOPIC_RULE));
        }
        let words = |tags: String| {
            let words = tags.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        let layout = Layout { priority, tags: tags.map(words), icon };
        Ok(Self { endpoint, topic, token, layout, template })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let topic = notification.address("ntfy").or(self.topic.as_deref()).ok_or_else(|| {
            let name = &notification.contact.full_name;
            SendError::address(format!("contact {name} has no ntfy topic, and the channel names none"))
        })?;
        if !is_topic(topic) {
            let topic = topic.escape_debug();
            return Err(SendError::address(format!("the topic `{topic}` {TOPIC_RULE}")));
        }
        let own = self.template.own(notification)?;
        // As JSON to the root: a title in a header could not be Unicode.
        let mut request = http::post(&self.endpoint).json(&self.layout.message(topic, notification, own));
        if let Some(token) = &self.token {
            request = request.bearer(token);
        }
        let response = request.timeout(ANSWER_LIMIT).send()?;
        answer::check(&response, notification.delivery.dry_run)
    }
}

export!(Ntfy);

const TOPIC_RULE: &str = "must have 1 to 64 letters, digits, `-` or `_`";

fn is_topic(topic: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=TOPIC_BYTES_MAX).contains(&topic.len()) && topic.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests;
