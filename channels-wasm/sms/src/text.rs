//! What is short enough for a telephone.

use sandbell_chat_text::{Limit, headline, one_line};
use sandbell_sdk::prelude::*;

/// Megabird's title of a long message.
const TITLE: Limit = Limit::Chars(20);

pub(crate) struct Text {
    prefix: String,
    limit: Limit,
}

impl Text {
    pub(crate) fn new(prefix: &str, length_max: usize) -> Self {
        let limit = Limit::Chars(length_max);
        // A prefix never takes the whole message.
        let prefix = one_line(prefix, limit.with_max(length_max / 2));
        Self { prefix, limit }
    }

    pub(crate) fn title(&self, notification: &Notification) -> String {
        one_line(&self.prefixed(&headline(notification)), TITLE)
    }

    /// One line: from Argus the description as Argus sends it, from others the headline and the message.
    pub(crate) fn message(&self, notification: &Notification) -> String {
        let (headline, message) = (headline(notification), notification.event.message.trim());
        let text = match notification.source.system.as_str() {
            "argus" if !message.is_empty() => message.to_owned(),
            _ if message.is_empty() || message == headline => headline,
            _ => format!("{headline}: {message}"),
        };
        one_line(&self.prefixed(&text), self.limit)
    }

    fn prefixed(&self, text: &str) -> String {
        if self.prefix.is_empty() { text.to_owned() } else { format!("{} {text}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_short() {
        let text = Text::new(" [prod]\n", 160);
        let mut notification = Notification::example();
        assert_eq!(
            text.message(&notification),
            "[prod] [#1437] dummy-809!random fortune is crit: Something <went> wrong & broke"
        );
        assert_eq!(text.title(&notification), "[prod] [#1437] dumm…");
        notification.event.message = "é😀\n".repeat(300);
        assert!(text.message(&notification).ends_with('…'));
        assert!(text.message(&notification).chars().count() <= 160);
        notification.source.system = "argus".to_owned();
        assert!(text.message(&notification).starts_with("[prod] é😀 é😀"));
        notification.event.message.clear();
        assert_eq!(Text::new("", 160).message(&notification), "[#1437] dummy-809!random fortune is crit");
        assert!(Text::new(&"x".repeat(200), 40).message(&notification).contains("[#1437]"));
    }
}
