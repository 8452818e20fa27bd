//! SMS: short messages through a mail gateway, as Argus sends them (`reference/argus.md` §4.2), or through an HTTP gateway, as
//! Cloudforet's plugin does (`reference/cloudforet.md` §2.2).

mod gateway_http; // Megabird's API
mod gateway_mail; // a mail that becomes a message
mod text; // what is short enough

use sandbell_chat_text::{phone_number, phone_numbers};
use sandbell_sdk::prelude::*;

use crate::gateway_http::HttpGateway;
use crate::gateway_mail::MailGateway;
use crate::text::Text;

/// Of one notification.
const NUMBERS_MAX: usize = 50;

#[derive(ChannelConfig)]
pub struct Config {
    /// How a message gets to the telephone network: as a mail, or as an HTTP request of Megabird's kind.
    #[config(
        default = "mail",
        label = "Gateway",
        label(de_DE = "Gateway"),
        help(
            de_DE = "Wie eine Nachricht ins Telefonnetz kommt: als Mail, oder als HTTP-Anfrage nach Art von Megabird."
        )
    )]
    gateway: Gateway,
    /// Numbers with their country, separated by commas, for contacts without one of their own (address type `sms` or
    /// `phone`).
    #[config(
        label = "Phone Numbers",
        label(de_DE = "Telefonnummern"),
        help(
            de_DE = "Nummern mit Ländervorwahl, durch Kommas getrennt, für Kontakte ohne eigene (Adresstyp sms oder phone)."
        ),
        placeholder = "+4790012345"
    )]
    phone_number: Option<String>,
    /// Stands in front of every message, e.g. `[prod]`.
    #[config(
        label = "Prefix",
        label(de_DE = "Vorsatz"),
        help(de_DE = "Steht vor jeder Nachricht, z. B. [prod].")
    )]
    prefix: Option<String>,
    /// How many characters a message may have. 160 are one SMS, if all of them are in its alphabet.
    #[config(
        default = 160,
        label = "Length",
        label(de_DE = "Länge"),
        help(
            de_DE = "Wie viele Zeichen eine Nachricht haben darf. 160 sind eine SMS, wenn alle in ihrem Alphabet stehen."
        ),
        min = 20,
        max = 1000
    )]
    length_max: u16,
    /// Mail gateway: where the mails go. `{number}` becomes the number; without it the number stands in the subject.
    #[config(
        label = "Gateway Address",
        label(de_DE = "Gateway-Adresse"),
        help(
            de_DE = "Mail-Gateway: wohin die Mails gehen. {number} wird zur Nummer; ohne das steht die Nummer im Betreff."
        ),
        placeholder = "sms@gateway.example.com"
    )]
    mail_to: Option<String>,
    /// Mail gateway: from whom the mails are.
    #[config(
        label = "Sender Address",
        label(de_DE = "Absenderadresse"),
        help(de_DE = "Mail-Gateway: von wem die Mails sind.")
    )]
    sender_mail: Option<String>,
    /// Mail gateway: the mail server.
    #[config(label = "SMTP Host", label(de_DE = "SMTP-Host"), help(de_DE = "Mail-Gateway: der Mailserver."))]
    host: Option<String>,
    #[config(default = 25, label = "SMTP Port", label(de_DE = "SMTP-Port"), min = 1, max = 65535)]
    port: u16,
    #[config(
        default = "none",
        label = "SMTP Transport Encryption",
        label(de_DE = "SMTP-Transportverschlüsselung")
    )]
    encryption: Transport,
    /// A password must also be set.
    #[config(
        label = "SMTP User",
        label(de_DE = "SMTP-Benutzer"),
        help(de_DE = "Es muss auch ein Passwort gesetzt sein.")
    )]
    user: Option<String>,
    #[config(label = "SMTP Password", label(de_DE = "SMTP-Passwort"))]
    password: Option<Secret>,
    /// HTTP gateway: where messages are sent. Megabird's is `https://api.megabird.co.kr:8080/v1/openapi/sms/send`.
    #[config(
        label = "Gateway URL",
        label(de_DE = "Gateway-URL"),
        help(
            de_DE = "HTTP-Gateway: wohin Nachrichten gesendet werden. Bei Megabird https://api.megabird.co.kr:8080/v1/openapi/sms/send."
        )
    )]
    url: Option<String>,
    /// HTTP gateway: sent as the header `Authorization`.
    #[config(
        label = "Access Key",
        label(de_DE = "Zugangsschlüssel"),
        help(de_DE = "HTTP-Gateway: wird als Header Authorization gesendet.")
    )]
    access_key: Option<Secret>,
    /// HTTP gateway: the number that sends, registered at the gateway.
    #[config(
        label = "Sender Number",
        label(de_DE = "Absendernummer"),
        help(de_DE = "HTTP-Gateway: die Nummer, die sendet, am Gateway eingetragen.")
    )]
    sender: Option<String>,
}

#[derive(Clone, Copy, Choice)]
enum Gateway {
    #[choice(label = "Mail")]
    Mail,
    #[choice(label = "HTTP (Megabird)")]
    Megabird,
}

#[derive(Clone, Copy, Choice)]
enum Transport {
    None,
    #[choice(rename = "starttls", label = "STARTTLS")]
    StartTls,
    #[choice(label = "TLS")]
    Tls,
}

pub struct Sms {
    way: Way,
    numbers: Vec<String>,
    text: Text,
}

enum Way {
    Mail(MailGateway),
    Http(HttpGateway),
}

impl Channel for Sms {
    type Config = Config;

    fn info() -> Info {
        Info::new("SMS")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("sms")
            .address_type("phone")
            .wants_smtp("{host}:{port}", "Mails each notification to the SMS gateway.")
            .wants_http("POST {url}", "Hands each notification to the SMS gateway.")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let numbers = phone_numbers(config.phone_number.as_deref().unwrap_or_default(), phone_number)
            .map_err(|word| ConfigError::option("phone_number", format!("has `{word}`; {NUMBER}")))?;
        if numbers.len() > NUMBERS_MAX {
            return Err(ConfigError::option("phone_number", format!("must be at most {NUMBERS_MAX}")));
        }
        let text = Text::new(config.prefix.as_deref().unwrap_or_default(), config.length_max.into());
        let way = match config.gateway {
            Gateway::Mail => Way::Mail(MailGateway::new(config)?),
            Gateway::Megabird => Way::Http(HttpGateway::new(config)?),
        };
        Ok(Self { way, numbers, text })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let numbers = self.numbers(notification)?;
        match &self.way {
            Way::Mail(gateway) => gateway.send(&numbers, &self.text.message(notification)),
            Way::Http(gateway) => {
                gateway.send(&numbers, &self.text.title(notification), &self.text.message(notification))
            }
        }
    }
}

export!(Sms);

const NUMBER: &str = "write a number with its country, like `+4790012345`";

impl Sms {
    /// The contact's, or else those of the form.
    fn numbers(&self, notification: &Notification) -> Result<Vec<String>, SendError> {
        let name = &notification.contact.full_name;
        let mut own = Vec::new();
        for address in notification.addresses("sms").chain(notification.addresses("phone")) {
            own.extend(phone_numbers(address, phone_number).map_err(|word| {
                SendError::address(format!("the address `{}` is no number; {NUMBER}", word.escape_debug()))
            })?);
        }
        let mut numbers = if own.is_empty() { self.numbers.clone() } else { own };
        numbers.dedup();
        match numbers.len() {
            0 => Err(SendError::address(format!(
                "contact {name} has no phone number, and the channel names none"
            ))),
            1..=NUMBERS_MAX => Ok(numbers),
            _ => Err(SendError::address(format!("contact {name} has more than {NUMBERS_MAX} phone numbers"))),
        }
    }
}

/// An option that only one kind of gateway needs.
fn needed<T>(value: Option<T>, name: &str, gateway: &str) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::option(name, format!("is required by the gateway `{gateway}`")))
}

#[cfg(test)]
mod tests;
