//! A notification as Cloudforet's plugins read it (`reference/cloudforet.md` §2.1), from whatever source it is.

use sandbell_sdk::serde_json::{self, Value};
use sandbell_sdk::{Notification, Severity, parse_rfc3339};

use crate::facts::{facts, headline, links};
use crate::time::civil;

const URL_BYTES_MAX: usize = 2000;

/// Cloudforet's four types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudforetType {
    Info,
    Error,
    Success,
    Warning,
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudforetTag {
    pub key: String,
    pub value: String,
    pub is_short: bool,
}

/// Title, description, tags, and buttons; nothing is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudforetMessage {
    pub kind: CloudforetType,
    pub title: String,
    pub link: Option<String>,
    pub description: String,
    pub tags: Vec<CloudforetTag>,
    pub callbacks: Vec<(String, String)>,
    pub image_url: Option<String>,
    /// Seconds since 1970.
    pub occurred_at: Option<i64>,
}

impl CloudforetType {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Error => "ERROR",
            Self::Success => "SUCCESS",
            Self::Warning => "WARNING",
            Self::None => "NOTIFICATION",
        }
    }

    /// As 0xRRGGBB, in chats.
    pub fn colour(self) -> u32 {
        match self {
            Self::Info => 0x0043_beff,
            Self::Error => 0x00ff_6a6a,
            Self::Success => 0x0060_b731,
            Self::Warning => 0x00ff_ce02,
            Self::None => 0x0085_8895,
        }
    }

    /// As 0xRRGGBB, in mails.
    pub fn mail_colour(self) -> u32 {
        if self == Self::Info || self == Self::None { 0x00a7_a9b2 } else { self.colour() }
    }
}

impl CloudforetMessage {
    /// What Cloudforet sent; of other sources what takes its place.
    pub fn of(notification: &Notification) -> Self {
        let is_own = notification.source.system == "cloudforet";
        let payload: Value = serde_json::from_str(&notification.source.payload).unwrap_or_default();
        // The whole request, or its message alone.
        let message = if payload["message"].is_object() { &payload["message"] } else { &payload };
        let tags = message["tags"].as_array().filter(|_| is_own);
        let tags = match tags {
            Some(tags) => tags.iter().filter_map(tag).collect(),
            None => facts(notification).into_iter().map(|(key, value)| long_tag(key, value)).collect(),
        };
        let all = links(notification, URL_BYTES_MAX);
        let brought =
            notification.links.iter().filter(|link| all.contains(&(link.label.as_str(), link.url.as_str())));
        let image_url = message["image_url"].as_str().filter(|url| is_own && url.starts_with("https://"));
        Self {
            kind: kind(notification.severity()),
            title: headline(notification),
            link: all.iter().find(|(label, _)| *label == "Object").map(|(_, url)| (*url).to_owned()),
            description: notification.event.message.trim().to_owned(),
            tags,
            callbacks: brought.map(|link| (link.label.clone(), link.url.clone())).collect(),
            image_url: image_url.map(str::to_owned),
            occurred_at: parse_rfc3339(&notification.event.time),
        }
    }

    /// `June 27, 2022 09:22 AM (UTC)`; empty where nothing says when.
    pub fn occurred_at_text(&self) -> String {
        let Some(civil) = self.occurred_at.map(civil) else { return String::new() };
        let (month, clock) = (civil.full_month_name(), civil.half_day_clock());
        format!("{month} {:02}, {} {clock} (UTC)", civil.day, civil.year)
    }
}

fn kind(severity: Option<Severity>) -> CloudforetType {
    match severity {
        Some(Severity::Ok) => CloudforetType::Success,
        Some(Severity::Debug | Severity::Info | Severity::Notice) => CloudforetType::Info,
        Some(Severity::Warning) => CloudforetType::Warning,
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => CloudforetType::Error,
        None => CloudforetType::None,
    }
}

fn tag(tag: &Value) -> Option<CloudforetTag> {
    let (key, value) = (tag["key"].as_str()?.to_owned(), tag["value"].as_str()?.to_owned());
    Some(CloudforetTag { key, value, is_short: tag["options"]["short"] == true })
}

fn long_tag(key: &str, value: String) -> CloudforetTag {
    CloudforetTag { key: key.to_owned(), value, is_short: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cloudforet;

    #[test]
    fn a_request_keeps_what_the_notification_has_no_word_for() {
        let message = CloudforetMessage::of(&cloudforet());
        assert_eq!(
            (message.kind, message.title.as_str()),
            (CloudforetType::Error, "This is sample notification")
        );
        assert_eq!(message.occurred_at_text(), "June 27, 2022 09:22 AM (UTC)");
        assert_eq!(message.image_url.as_deref(), Some("https://picsum.photos/200/300"));
        let tags: Vec<_> =
            message.tags.iter().map(|tag| format!("{}={} {}", tag.key, tag.value, tag.is_short)).collect();
        assert_eq!(tags, ["project_id=project-xxxxx true", "resource_id=net/af83 false"]);
        assert_eq!(
            message.callbacks,
            [("Acknowledge".to_owned(), "https://monitoring.example.com/ack".to_owned())]
        );
    }

    #[test]
    fn another_source_is_read_alike() {
        let message = CloudforetMessage::of(&Notification::example());
        assert_eq!((message.kind.as_str(), message.kind.colour()), ("ERROR", 0x00ff_6a6a));
        assert_eq!(message.tags[0], long_tag("host", "dummy-809".to_owned()));
        assert_eq!((message.callbacks.len(), message.image_url), (0, None));
    }
}
