//! Pushbullet: pushes each notification to devices, people or a channel's subscribers.

mod answer; // what Pushbullet says back
mod target; // where a push goes

use sandbell_chat_text::{Limit, Markup, Several, body, headline, links};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

use crate::target::{TARGETS_MAX, Target, targets};

const URL: &str = "https://api.pushbullet.com/v2/pushes";
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Pushbullet names no limits; these are for those who read on a phone.
const TITLE: Limit = Limit::Chars(250);
const BODY: Limit = Limit::Chars(4000);
const URL_BYTES_MAX: usize = 2000;

#[derive(ChannelConfig)]
pub struct Config {
    /// Created in Pushbullet under Settings > Account. Whoever has it reads and writes the whole account.
    #[config(
        label = "Access Token",
        label(de_DE = "Zugangstoken"),
        help(
            de_DE = "Wird in Pushbullet unter Settings > Account angelegt. Wer es hat, liest und schreibt das ganze Konto."
        )
    )]
    token: Secret,
    /// Where to push, unless the contact has addresses of its own (address type `pushbullet`): mail addresses, `#tags`
    /// of channels or IDs of devices, separated by commas or blanks. Without both all devices of the account.
    #[config(
        label = "Targets",
        label(de_DE = "Ziele"),
        help(
            de_DE = "Wohin, sofern der Kontakt keine eigenen Adressen hat (Adresstyp pushbullet): Mailadressen, #Tags von Kanälen oder IDs von Geräten, durch Kommas oder Leerzeichen getrennt. Ohne beides alle Geräte des Kontos."
        )
    )]
    targets: Option<String>,
}

pub struct Pushbullet {
    token: Secret,
    targets: Vec<Target>,
}

impl Channel for Pushbullet {
    type Config = Config;

    fn info() -> Info {
        Info::new("Pushbullet")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("pushbullet")
            .wants_http(
                "POST https://api.pushbullet.com/v2/pushes",
                "Pushes each notification through Pushbullet.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { token, targets: text } = config;
        let targets = targets(text.as_deref().unwrap_or_default())
            .map_err(|message| ConfigError::option("targets", message))?;
        Ok(Self { token, targets })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let mut several = Several::default();
        for target in &self.targets(notification)? {
            let response = http::post(URL)
                .header("Access-Token", &self.token)
                .json(&push(target, notification))
                .timeout(ANSWER_LIMIT)
                .send();
            let sent = response
                .map_err(SendError::from)
                .and_then(|response| answer::iden(&response, notification.delivery.dry_run));
            if several.is_over(target, sent) {
                break;
            }
        }
        several.settle()
    }
}

export!(Pushbullet);

impl Pushbullet {
    /// The contact's, or else those of the form, or else everything that the account has.
    fn targets(&self, notification: &Notification) -> Result<Vec<Target>, SendError> {
        let name = &notification.contact.full_name;
        let mut own = Vec::new();
        for address in notification.addresses("pushbullet") {
            own.extend(targets(address).map_err(|message| {
                SendError::address(format!("the address `{}` {message}", address.escape_debug()))
            })?);
        }
        if own.len() > TARGETS_MAX {
            return Err(SendError::address(format!(
                "contact {name} has more than {TARGETS_MAX} pushbullet addresses"
            )));
        }
        if own.is_empty() {
            own.clone_from(&self.targets);
        }
        if own.is_empty() {
            own.push(Target::Everything);
        }
        Ok(own)
    }
}

/// The `guid` is the delivery's, so that a repetition is not pushed twice.
fn push(target: &Target, notification: &Notification) -> Value {
    let title = TITLE.cut(&headline(notification));
    let mut push = json!({
        "type": "note",
        "title": title,
        "body": body(notification, Markup::Plain, BODY),
        "guid": format!("{}-{target}", notification.delivery.id),
    });
    if let Some((_, url)) = links(notification, URL_BYTES_MAX).first() {
        push["type"] = "link".into();
        push["url"] = (*url).into();
    }
    if let Some((key, value)) = target.field() {
        push[key] = value.into();
    }
    push
}

#[cfg(test)]
mod tests;
