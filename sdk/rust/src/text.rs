//! Icinga's words for a notification, shared by every channel that sends plain text (`reference/icinga.md` §4.4).
//!
//! Icinga has two sets of them. A notification that says what kind of event it is comes from a release up to v0.2.0;
//! later ones do not say.

use std::fmt::Write as _;

use crate::channel::{Event, Notification, Severity};

impl Notification {
    /// The first address of this kind that is not empty.
    pub fn address(&self, kind: &str) -> Option<&str> {
        self.addresses(kind).next()
    }

    /// Every address of this kind that is not empty, in order.
    pub fn addresses(&self, kind: &str) -> impl Iterator<Item = &str> {
        let addresses = self.contact.addresses.iter().filter(move |address| address.kind == kind);
        addresses.map(|address| address.address.as_str()).filter(|address| !address.is_empty())
    }

    /// How bad it is: the incident's word, or else the event's own.
    pub fn severity(&self) -> Option<Severity> {
        self.incident.as_ref().and_then(|incident| incident.severity).or(self.event.severity)
    }

    /// One line that says what this is about: the source's own headline if there is one, else Icinga's.
    pub fn subject(&self) -> String {
        let name = &self.object.name;
        if let Some(title) = self.event.title.as_ref().filter(|title| !title.is_empty()) {
            return title.clone();
        }
        let prefix =
            self.incident.as_ref().map(|incident| format!("[#{}] ", incident.id)).unwrap_or_default();
        let severity = self.severity().map(Severity::as_str);
        match (self.event.kind.as_str(), severity) {
            ("", Some(severity)) if self.incident.is_some() => format!("{prefix}{name} is {severity}"),
            ("", _) => format!("{prefix}{name}"),
            ("state", Some(severity)) => format!("{prefix}state {name} is {severity}"),
            (kind @ ("acknowledgement-cleared" | "downtime-removed"), _) => {
                format!("{prefix}{kind} from {name}")
            }
            (kind, _) => format!("{prefix}{kind} on {name}"),
        }
    }

    /// The whole notification as text of several lines, without a line break at the end.
    pub fn body(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_body(&mut text);
        text
    }

    fn write_body(&self, text: &mut String) -> std::fmt::Result {
        let Self { object, incident, event, extra, .. } = self;
        let headline = match event.kind.as_str() {
            "" => "Message",
            "state" => "Output",
            _ => "Comment",
        };
        if !event.message.is_empty() {
            write!(text, "{headline}: {}\n\n", event.message)?;
        }
        write!(text, "When: {}\n\n", event.when())?;
        let is_release = !event.kind.is_empty();
        if is_release && !event.username.is_empty() {
            write!(text, "Author: {}\n\n", event.username)?;
        }
        write!(text, "Object: {}\n\nTags:\n", object.url)?;
        write_sorted(text, &object.tags)?;
        if is_release && !extra.is_empty() {
            text.write_str("\nExtra Tags:\n")?;
            write_sorted(text, extra)?;
        }
        let incident = incident.as_ref().map(|incident| incident.url.as_str());
        write!(text, "\nIncident: {}", incident.unwrap_or("No active incident found for this object"))
    }
}

impl Event {
    /// The time for people, in the offset that the source used: `2024-07-12 12:47:30 +0200`, or `UTC` for `Z`.
    ///
    /// Anything that is no RFC 3339 comes back as it is.
    pub fn when(&self) -> String {
        if crate::time::parse_rfc3339(&self.time).is_none() {
            return self.time.clone();
        }
        let (date, clock) = (&self.time[..10], &self.time[11..19]);
        let zone = self.time[19..].trim_start_matches(|char: char| char == '.' || char.is_ascii_digit());
        match zone {
            "Z" | "z" => format!("{date} {clock} UTC"),
            offset => format!("{date} {clock} {}", offset.replace(':', "")),
        }
    }

    /// Seconds since 1970, for channels that show the time in the reader's own zone.
    pub fn unix_seconds(&self) -> Option<i64> {
        crate::time::parse_rfc3339(&self.time)
    }
}

impl Severity {
    /// Icinga's and syslog's word, e.g. `crit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Err => "err",
            Self::Crit => "crit",
            Self::Alert => "alert",
            Self::Emerg => "emerg",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

fn write_sorted(text: &mut String, tags: &[(String, String)]) -> std::fmt::Result {
    let mut sorted: Vec<_> = tags.iter().collect();
    sorted.sort();
    sorted.into_iter().try_for_each(|(key, value)| writeln!(text, "{key}: {value}"))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn notification(change: impl FnOnce(&mut Notification)) -> Notification {
        let mut notification = Notification::example();
        change(&mut notification);
        notification
    }

    #[test]
    fn subjects_are_icingas() {
        let check = |kind: &str, has_incident: bool, want: &str| {
            let notification = notification(|notification| {
                kind.clone_into(&mut notification.event.kind);
                notification.object.name = "db!disk".to_owned();
                notification.incident = notification.incident.take().filter(|_| has_incident);
            });
            assert_eq!(notification.subject(), want, "{kind}");
        };
        check("", true, "[#1437] db!disk is crit");
        check("", false, "db!disk");
        check("state", true, "[#1437] state db!disk is crit");
        check("state", false, "state on db!disk");
        check("acknowledgement-cleared", true, "[#1437] acknowledgement-cleared from db!disk");
        check("downtime-removed", false, "downtime-removed from db!disk");
        check("downtime-start", true, "[#1437] downtime-start on db!disk");
        check("custom", false, "custom on db!disk");
    }

    #[test]
    fn a_headline_of_the_source_wins_and_severity_comes_from_where_it_is() {
        let titled = notification(|notification| notification.event.title = Some("New image".to_owned()));
        assert_eq!(titled.subject(), "New image");
        let untitled = notification(|notification| notification.event.title = Some(String::new()));
        assert_eq!(untitled.subject(), "[#1437] dummy-809!random fortune is crit");
        let own = notification(|notification| {
            notification.incident = None;
            notification.event.severity = Some(Severity::Warning);
        });
        assert_eq!(own.severity(), Some(Severity::Warning));
        assert_eq!(own.subject(), "dummy-809!random fortune");
    }

    #[test]
    fn the_body_is_that_of_the_coming_release() {
        assert_snapshot!(Notification::example().body(), @r"
        Message: Something <went> wrong & broke

        When: 2024-07-12 12:47:30 +0200

        Object: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809

        Tags:
        host: dummy-809
        service: random fortune

        Incident: https://icinga.example.com/notifications/incident?id=1437
        ");
        let bare = notification(|notification| {
            notification.event.message.clear();
            notification.incident = None;
            notification.object.tags.reverse();
            notification.event.username = "not shown".to_owned();
            notification.extra = vec![("not".to_owned(), "shown".to_owned())];
        });
        assert_snapshot!(bare.body(), @r"
        When: 2024-07-12 12:47:30 +0200

        Object: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809

        Tags:
        host: dummy-809
        service: random fortune

        Incident: No active incident found for this object
        ");
        assert!(!bare.body().ends_with('\n'));
    }

    #[test]
    fn the_body_is_that_of_the_releases_so_far() {
        let comment = notification(|notification| {
            notification.event.kind = "acknowledgement-set".to_owned();
            notification.event.username = "jdoe".to_owned();
            notification.event.message = "on it\nsince noon".to_owned();
            notification.event.time = "2026-11-22T04:49:53.181747244Z".to_owned();
            notification.extra =
                vec![("hostgroup/b".to_owned(), String::new()), ("hostgroup/a".to_owned(), "x".to_owned())];
        });
        assert_snapshot!(comment.body().replace(": \n", ": (empty)\n"), @r"
        Comment: on it
        since noon

        When: 2026-11-22 04:49:53 UTC

        Author: jdoe

        Object: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809

        Tags:
        host: dummy-809
        service: random fortune

        Extra Tags:
        hostgroup/a: x
        hostgroup/b: (empty)

        Incident: https://icinga.example.com/notifications/incident?id=1437
        ");
        let state = notification(|notification| notification.event.kind = "state".to_owned());
        assert!(state.body().starts_with("Output: Something <went> wrong & broke\n\nWhen: "));
    }

    #[test]
    fn times_keep_their_offset() {
        for (time, want) in [
            ("2024-07-12T12:47:30+02:00", "2024-07-12 12:47:30 +0200"),
            ("2024-07-12T12:47:30.5-03:30", "2024-07-12 12:47:30 -0330"),
            ("2024-07-12T12:47:30.123456789Z", "2024-07-12 12:47:30 UTC"),
            ("2024-07-12T12:47:30+00:00", "2024-07-12 12:47:30 +0000"),
            ("noon", "noon"),
            ("", ""),
        ] {
            let event = notification(|notification| time.clone_into(&mut notification.event.time)).event;
            assert_eq!(event.when(), want);
        }
    }

    #[test]
    fn addresses_are_found_by_kind() {
        let several = notification(|notification| {
            let mut more = notification.contact.addresses.clone();
            more[0].address.clear();
            more.extend(notification.contact.addresses.clone());
            notification.contact.addresses = more;
        });
        assert_eq!(several.address("email"), Some("admin@example.com"));
        assert_eq!(several.addresses("slack").count(), 2);
        assert_eq!(several.address("pager"), None);
    }
}
