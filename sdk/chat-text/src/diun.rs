//! What Diun says of an image, from the document that it sends (`reference/diun.md` §1.1).

use sandbell_sdk::serde_json::{self, Value};
use sandbell_sdk::{Notification, parse_rfc3339};

use crate::time::civil;

/// One image that is new or was updated. Beyond status and image every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiunEntry {
    pub version: String,
    pub hostname: String,
    /// `new` or `update`.
    pub status: String,
    pub provider: String,
    /// The whole reference, e.g. `docker.io/library/alpine:latest`.
    pub image: String,
    pub hub_link: String,
    pub mime_type: String,
    pub digest: String,
    /// RFC 3339, where the manifest says when it was made.
    pub created: String,
    pub platform: String,
    pub metadata: Vec<(String, String)>,
}

impl DiunEntry {
    /// `None` where the notification is not from Diun.
    pub fn of(notification: &Notification) -> Option<Self> {
        if notification.source.system != "diun" {
            return None;
        }
        let json: Value = serde_json::from_str(&notification.source.payload).ok()?;
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        let metadata = json["metadata"].as_object().into_iter().flatten();
        let metadata = metadata.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        let entry = Self {
            version: text("diun_version"),
            hostname: text("hostname"),
            status: text("status"),
            provider: text("provider"),
            image: text("image"),
            hub_link: text("hub_link"),
            mime_type: text("mime_type"),
            digest: text("digest"),
            created: text("created"),
            platform: text("platform"),
            metadata: metadata.collect(),
        };
        (!entry.image.is_empty() && !entry.status.is_empty()).then_some(entry)
    }

    pub fn is_new(&self) -> bool {
        self.status == "new"
    }

    /// Diun's default title.
    pub fn title(&self) -> String {
        format!("{} {}", self.image, self.news())
    }

    /// What happened, in the words of Diun's default texts.
    pub fn news(&self) -> &'static str {
        if self.is_new() { "is available" } else { "has been updated" }
    }

    /// The registry: everything before the first slash.
    pub fn domain(&self) -> &str {
        self.image.split_once('/').map_or("", |(domain, _)| domain)
    }

    /// Between registry and tag.
    pub fn path(&self) -> &str {
        let rest = self.image.split_once('/').map_or(self.image.as_str(), |(_, rest)| rest);
        let rest = rest.split_once('@').map_or(rest, |(path, _)| path);
        rest.rsplit_once(':').map_or(rest, |(path, _)| path)
    }

    pub fn tag(&self) -> &str {
        let rest = self.image.split_once('/').map_or(self.image.as_str(), |(_, rest)| rest);
        let rest = rest.split_once('@').map_or(rest, |(path, _)| path);
        rest.rsplit_once(':').map_or("", |(_, tag)| tag)
    }

    /// `Mar 26, 2020 12:23:56 UTC`, and really in UTC; empty where nothing says when.
    pub fn created(&self) -> String {
        let Some(civil) = parse_rfc3339(&self.created).map(civil) else { return String::new() };
        format!("{} {:02}, {} {} UTC", civil.month_name(), civil.day, civil.year, civil.clock())
    }

    /// What Diun's cards list; what is empty is left out.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("Hostname", self.hostname.clone()),
            ("Provider", self.provider.clone()),
            ("Created", self.created()),
            ("Digest", self.digest.clone()),
            ("Platform", self.platform.clone()),
            ("HubLink", self.hub_link.clone()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// Diun's own words about itself.
pub mod diun_meta {
    pub const NAME: &str = "Diun";
    pub const DESC: &str = "Docker image update notifier";
    pub const URL: &str = "https://github.com/crazy-max/diun";
    pub const LOGO: &str = "https://raw.githubusercontent.com/crazy-max/diun/master/.res/diun.png";
    pub const AUTHOR: &str = "CrazyMax";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::diun;

    #[test]
    fn a_document_becomes_an_entry() {
        let entry = DiunEntry::of(&diun("update")).unwrap();
        assert_eq!(entry.title(), "docker.io/library/alpine:latest has been updated");
        assert_eq!((entry.domain(), entry.path(), entry.tag()), ("docker.io", "library/alpine", "latest"));
        let fields: Vec<_> = entry.fields().iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            fields.join("\n"),
            "Hostname=myserver\nProvider=docker\nCreated=Mar 26, 2020 10:23:56 UTC\nDigest=sha256:216e3ae7de4c\nPlatform=linux/amd64\nHubLink=https://hub.docker.com/_/alpine"
        );
        assert_eq!(DiunEntry::of(&Notification::example()), None);
        let mut bare = diun("new");
        bare.source.payload =
            r#"{"status":"new","image":"a/b@sha256:1","created":null,"metadata":null}"#.to_owned();
        let entry = DiunEntry::of(&bare).unwrap();
        assert_eq!(
            (entry.created(), entry.path(), entry.tag(), entry.is_new()),
            (String::new(), "b", "", true)
        );
        bare.source.payload = "[]".to_owned();
        assert_eq!(DiunEntry::of(&bare), None);
    }
}
