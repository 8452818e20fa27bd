//! Message, facts and links in one text.

use sandbell_sdk::Notification;

use crate::{Limit, Markup, facts, links};

/// The longest URL that is linked; browsers and chats differ, all take this.
const URL_BYTES_MAX: usize = 2000;
const KEY: Limit = Limit::Chars(60);
const VALUE: Limit = Limit::Chars(300);
const LABEL: Limit = Limit::Chars(80);
/// Between links.
const DOT: &str = " · ";

/// Everything below the headline: the message, a line for each fact, a line of links.
///
/// A long message is cut, but leaves half of the room to the facts and links; of those, each is whole or not there.
pub fn body(notification: &Notification, markup: Markup, limit: Limit) -> String {
    let message = markup.escape(notification.event.message.trim_end(), limit);
    let gap = "\n\n".len();
    let kept = limit.measure(&message).min(limit.max() / 2);
    let tail = tail(notification, markup, limit.less(if kept == 0 { 0 } else { kept + gap }));
    if tail.is_empty() {
        return message;
    }
    let room = limit.less(limit.measure(&tail) + gap);
    let message = markup.escape(notification.event.message.trim_end(), room);
    if message.is_empty() { tail } else { [message, tail].join("\n\n") }
}

fn tail(notification: &Notification, markup: Markup, limit: Limit) -> String {
    let links = links(notification, URL_BYTES_MAX);
    let links = links.into_iter().map(|(label, url)| markup.link(label, url, LABEL));
    let facts = facts(notification).into_iter().map(|(key, value)| fact(key, &value, markup));
    let mut parts = [String::new(), String::new()];
    // Links first: a reader who can go on finds the facts there.
    let link_separator = if markup == Markup::Plain { "\n" } else { DOT };
    let mut room = limit;
    for (part, separator, items) in
        [(1, link_separator, links.collect::<Vec<_>>()), (0, markup.line_break(), facts.collect())]
    {
        let gap = if part == 0 && !parts[1].is_empty() { "\n\n" } else { "" };
        for item in items {
            let before = if parts[part].is_empty() { gap } else { separator };
            let length = limit.measure(before) + limit.measure(&item);
            if length > room.max() {
                continue;
            }
            room = room.less(length);
            if !parts[part].is_empty() {
                parts[part].push_str(separator);
            }
            parts[part].push_str(&item);
        }
    }
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

fn fact(key: &str, value: &str, markup: Markup) -> String {
    let value = markup.escape(value.trim(), VALUE);
    let key = markup.bold(&format!("{}:", key.trim()), KEY);
    format!("{key} {value}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_body_says_message_facts_and_links() {
        let notification = Notification::example();
        assert_snapshot!(body(&notification, Markup::Html, Limit::Chars(4096)), @r#"
        Something &lt;went&gt; wrong &amp; broke

        <b>host:</b> dummy-809
        <b>service:</b> random fortune
        <b>When:</b> 2024-07-12 12:47:30 +0200

        <a href="https://icinga.example.com/icingadb/service?name=random%20fortune&amp;host.name=dummy-809">Object</a> · <a href="https://icinga.example.com/notifications/incident?id=1437">Incident</a>
        "#);
        assert_snapshot!(body(&notification, Markup::Markdown, Limit::Chars(4096)).replace("  \n", "··\n"), @r"
        Something \<went\> wrong & broke

        **host:** dummy-809··
        **service:** random fortune··
        **When:** 2024-07-12 12:47:30 +0200

        [Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)
        ");
        assert_snapshot!(body(&notification, Markup::Plain, Limit::Chars(4096)), @"
        Something <went> wrong & broke

        host: dummy-809
        service: random fortune
        When: 2024-07-12 12:47:30 +0200

        Object: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809
        Incident: https://icinga.example.com/notifications/incident?id=1437
        ");
    }

    #[test]
    fn a_bare_notification_has_a_bare_body() {
        let mut notification = Notification::example();
        notification.event.message = "only this\n".to_owned();
        notification.event.time.clear();
        notification.object.tags.clear();
        notification.object.url.clear();
        notification.incident = None;
        assert_eq!(body(&notification, Markup::Markdown, Limit::Chars(100)), "only this");
        notification.event.message.clear();
        assert_eq!(body(&notification, Markup::Markdown, Limit::Chars(100)), "");
    }

    #[test]
    fn every_limit_is_kept_and_the_message_leaves_room() {
        let mut notification = Notification::example();
        notification.event.message = "&_😀é\n".repeat(3000);
        notification.object.tags = vec![("k*".repeat(50), "<v>".repeat(500)); 50];
        for markup in [Markup::Plain, Markup::Markdown, Markup::Html] {
            for max in [0, 1, 2, 3, 10, 50, 100, 250, 1024, 4096, 8000] {
                for limit in [Limit::Chars(max), Limit::Utf16(max), Limit::Bytes(max)] {
                    let text = body(&notification, markup, limit);
                    assert!(limit.measure(&text) <= max, "{markup:?} {limit:?} {text}");
                    assert!(max < 1024 || text.contains("incident?id=1437"), "{markup:?} {limit:?}");
                    assert!(max < 1024 || text.contains('…'));
                }
            }
        }
    }
}
