//! Kakao Alimtalk through Megabird: fills in a template that Kakao has approved, as Cloudforet's plugin does
//! (`reference/cloudforet.md` §2.2).
//!
//! Kakao delivers nothing but approved templates, so a notification is three variables and no text of its own.

use sandbell_chat_text::{Limit, headline, links, one_line, phone_number, phone_numbers, web_url};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::Value;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A whole Alimtalk has 1,000 characters; these leave room for the template's own.
const VARIABLE: Limit = Limit::Chars(100);
const URL_BYTES_MAX: usize = 500;
/// Of one request.
const RECEIVERS_MAX: usize = 100;
/// What Cloudforet writes where nothing says which webhook it was: "internal system".
const INTERNAL: &str = "내부 시스템";

#[derive(ChannelConfig)]
pub struct Config {
    /// Of the account at Megabird.
    #[config(
        label = "Access Key",
        label(de_DE = "Zugangsschlüssel"),
        help(de_DE = "Des Kontos bei Megabird.")
    )]
    access_key: Secret,
    /// The Kakao channel that sends, e.g. `@spaceone`.
    #[config(
        label = "Sender",
        label(de_DE = "Absender"),
        help(de_DE = "Der Kakao-Kanal, der sendet, z. B. @spaceone.")
    )]
    sender: String,
    /// Of the approved template. Its variables are the project, what triggered it, and a link.
    #[config(
        label = "Template ID",
        label(de_DE = "Vorlagen-ID"),
        help(
            de_DE = "Der freigegebenen Vorlage. Ihre Variablen sind das Projekt, der Auslöser und ein Link."
        )
    )]
    template_id: String,
    /// Korean mobile numbers, separated by commas, for contacts without one of their own (address type `phone`).
    #[config(
        label = "Phone Numbers",
        label(de_DE = "Telefonnummern"),
        help(
            de_DE = "Koreanische Mobilnummern, durch Kommas getrennt, für Kontakte ohne eigene (Adresstyp phone)."
        ),
        placeholder = "01012345678"
    )]
    phone_number: Option<String>,
    /// Address of Megabird's API.
    #[config(
        default = "https://api.megabird.co.kr:8080/v1/openapi",
        label = "API URL",
        label(de_DE = "API-URL"),
        help(de_DE = "Adresse der API von Megabird.")
    )]
    api_url: String,
}

pub struct KakaoBiz {
    url: String,
    access_key: Secret,
    sender: String,
    template_id: String,
    receivers: Vec<String>,
}

impl Channel for KakaoBiz {
    type Config = Config;

    fn info() -> Info {
        Info::new("Kakao Alimtalk")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("phone")
            .wants_http(
                "POST {api_url}/alimtalk/send",
                "Hands each notification to Megabird, which hands it to Kakao.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { access_key, sender, template_id, phone_number, api_url } = config;
        let url = format!("{}/alimtalk/send", web_url("api_url", &api_url)?.trim_end_matches('/'));
        let receivers = phone_numbers(phone_number.as_deref().unwrap_or_default(), korean_mobile)
            .map_err(|word| ConfigError::option("phone_number", format!("has `{word}`; {NUMBER}")))?;
        if receivers.len() > RECEIVERS_MAX {
            return Err(ConfigError::option("phone_number", format!("must be at most {RECEIVERS_MAX}")));
        }
        Ok(Self {
            url,
            access_key,
            sender: sender.trim().to_owned(),
            template_id: template_id.trim().to_owned(),
            receivers,
        })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let receivers = self.receivers(notification)?;
        let response = http::post(&self.url)
            .header("Authorization", &self.access_key)
            .json(&self.message(&receivers, notification))
            .timeout(ANSWER_LIMIT)
            .send()?;
        // The original takes 200 for success and nothing else.
        if response.status() == 200 {
            return Ok(Receipt::new());
        }
        let message = response.summary();
        response.check()?;
        Err(SendError::never(code::PROTOCOL, format!("{message}: only 200 means that it was sent")))
    }
}

export!(KakaoBiz);

const NUMBER: &str = "write a Korean mobile number like `01012345678` or `+821012345678`";

impl KakaoBiz {
    /// The contact's, or else those of the form.
    fn receivers(&self, notification: &Notification) -> Result<Vec<String>, SendError> {
        let name = &notification.contact.full_name;
        let mut own = Vec::new();
        for address in notification.addresses("phone") {
            own.extend(phone_numbers(address, korean_mobile).map_err(|word| {
                SendError::address(format!("the address `{}` is no number; {NUMBER}", word.escape_debug()))
            })?);
        }
        let receivers = if own.is_empty() { self.receivers.clone() } else { own };
        match receivers.len() {
            0 => Err(SendError::address(format!(
                "contact {name} has no phone number, and the channel names none"
            ))),
            1..=RECEIVERS_MAX => Ok(receivers),
            _ => {
                Err(SendError::address(format!("contact {name} has more than {RECEIVERS_MAX} phone numbers")))
            }
        }
    }

    fn message(&self, receivers: &[String], notification: &Notification) -> Value {
        let (project, trigger) = variables(notification);
        let link = links(notification, URL_BYTES_MAX).first().map_or("", |(_, url)| *url);
        let receiver = |number: &String| json!({ "mbnum": number, "var1Vl": project, "var2Vl": trigger, "var3Vl": link });
        json!({
            "chnId": self.sender,
            "tmplId": self.template_id,
            "subTxtUseYn": "N",
            "messageReceiverList": receivers.iter().map(receiver).collect::<Vec<_>>(),
            // Names of the variables, as the template has them.
            "var1Vl": "프로젝트명",
            "var2Vl": "웹훅명",
            "var3Vl": "링크",
        })
    }
}

/// Cloudforet's tags `Project` and `Triggered by`; other sources have an object and a headline.
fn variables(notification: &Notification) -> (String, String) {
    let tag = |name: &str| {
        let found =
            notification.object.tags.iter().find(|(key, value)| key == name && !value.trim().is_empty());
        found.map(|(_, value)| one_line(value, VARIABLE))
    };
    let is_cloudforet = notification.source.system == "cloudforet";
    let project = tag("Project").unwrap_or_else(|| one_line(&notification.object.name, VARIABLE));
    let trigger = tag("Triggered by").unwrap_or_else(|| {
        if is_cloudforet { INTERNAL.to_owned() } else { one_line(&headline(notification), VARIABLE) }
    });
    (project, trigger)
}

/// `010`, `011`, `016` to `019` and seven or eight digits, also with Korea's country code; Megabird takes digits alone.
fn korean_mobile(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|char| !matches!(char, ' ' | '-' | '.')).collect();
    let national = match phone_number(&plain) {
        Some(number) => format!("0{}", number.strip_prefix("+82")?),
        None => plain,
    };
    let is_mobile =
        ["010", "011", "016", "017", "018", "019"].iter().any(|start| national.starts_with(start));
    let is_number = matches!(national.len(), 10 | 11) && national.bytes().all(|byte| byte.is_ascii_digit());
    (is_mobile && is_number).then_some(national)
}

#[cfg(test)]
mod tests;
