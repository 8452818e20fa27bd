//! What there is to say about a notification.

use sandbell_sdk::{Notification, Severity};

/// The subject, and never nothing: no service takes an empty headline.
pub fn headline(notification: &Notification) -> String {
    let subject = notification.subject();
    if subject.trim().is_empty() { "Notification".to_owned() } else { subject }
}

/// Names and values, none of them empty: the object's tags, the source's extra, when it was, and who did it.
pub fn facts(notification: &Notification) -> Vec<(&str, String)> {
    let Notification { object, event, extra, .. } = notification;
    let tags = object.tags.iter().chain(extra).map(|(key, value)| (key.as_str(), value.clone()));
    let own = [("When", event.when()), ("Author", event.username.clone())];
    tags.chain(own).filter(|(key, value)| !key.trim().is_empty() && !value.trim().is_empty()).collect()
}

/// Labels and URLs where a reader can go on: the object, the incident, and what the source brought.
///
/// Only HTTP, and nothing longer than `url_bytes_max`.
pub fn links(notification: &Notification, url_bytes_max: usize) -> Vec<(&str, &str)> {
    let incident = notification.incident.as_ref().map(|incident| ("Incident", incident.url.as_str()));
    let own = [Some(("Object", notification.object.url.as_str())), incident];
    let brought = notification.links.iter().map(|link| (link.label.as_str(), link.url.as_str()));
    let is_usable = |(label, url): &(&str, &str)| {
        !label.trim().is_empty()
            && (url.starts_with("https://") || url.starts_with("http://"))
            && !url.chars().any(|char| char.is_whitespace() || char.is_control())
            && url.len() <= url_bytes_max
    };
    own.into_iter().flatten().chain(brought).filter(is_usable).collect()
}

/// The colour of a severity as 0xRRGGBB: Icinga Web's, where it has one.
pub fn colour(severity: Option<Severity>) -> u32 {
    match severity {
        Some(Severity::Ok) => 0x0044_bb77,
        Some(Severity::Debug | Severity::Info | Severity::Notice) => 0x0033_99ff,
        Some(Severity::Warning) => 0x00ff_aa44,
        Some(Severity::Err | Severity::Crit | Severity::Alert | Severity::Emerg) => 0x00ff_5566,
        None => 0x00aa_aaaa,
    }
}

/// A colour as `#rrggbb`.
pub fn hex(colour: u32) -> String {
    format!("#{:06x}", colour & 0x00ff_ffff)
}

#[cfg(test)]
mod tests {
    use sandbell_sdk::Link;

    use super::*;

    #[test]
    fn what_is_empty_is_no_fact() {
        let mut notification = Notification::example();
        notification.event.username = "jdoe".to_owned();
        notification.object.tags.push(("empty".to_owned(), " ".to_owned()));
        notification.extra = vec![("group".to_owned(), "web".to_owned()), (String::new(), "x".to_owned())];
        let facts: Vec<_> =
            facts(&notification).iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            facts.join(", "),
            "host=dummy-809, service=random fortune, group=web, When=2024-07-12 12:47:30 +0200, Author=jdoe"
        );
    }

    #[test]
    fn only_short_http_links_without_blanks_are_links() {
        let mut notification = Notification::example();
        notification.object.url = "javascript:alert(1)".to_owned();
        let link = |label: &str, url: &str| Link { label: label.to_owned(), url: url.to_owned() };
        notification.links = vec![
            link("a", "https://x.example"),
            link(" ", "https://x.example"),
            link("c", "https://x.example/a b"),
            link("d", &format!("https://x.example/{}", "y".repeat(100))),
        ];
        let labels: Vec<_> = links(&notification, 100).into_iter().map(|(label, _)| label).collect();
        assert_eq!(labels, ["Incident", "a"]);
    }

    #[test]
    fn a_headline_is_never_empty_and_a_colour_has_six_digits() {
        let mut notification = Notification::example();
        notification.incident = None;
        notification.object.name = " ".to_owned();
        assert_eq!(headline(&notification), "Notification");
        assert_eq!(hex(colour(Some(Severity::Ok))), "#44bb77");
        assert_eq!(hex(0xff), "#0000ff");
    }
}
