//! The message: what the source said stands in code, because Zulip's Markdown knows no way to escape.
//!
//! Nothing in code is a mention, a link or an emphasis; Zulip's own manual says so of what must stay as it is.

use sandbell_chat_text::{Limit, code_block, code_fence, code_span, facts, headline, links, one_line};
use sandbell_sdk::prelude::*;

/// Zulip's limit of a message.
const CONTENT: Limit = Limit::Chars(10_000);
const TITLE: Limit = Limit::Chars(250);
/// All facts together; what does not fit is left out.
const FACTS: Limit = Limit::Chars(3000);
const KEY: Limit = Limit::Chars(60);
const VALUE: Limit = Limit::Chars(300);
const LABEL: Limit = Limit::Chars(80);
const LINKS_MAX: usize = 5;
const URL_BYTES_MAX: usize = 1000;

/// The headline in bold, message and facts in a block, and a line of links.
pub(crate) fn content(notification: &Notification) -> String {
    let title = format!("**{}**", code_span(&one_line(&headline(notification), TITLE)));
    let links = link_line(notification);
    let facts = fact_lines(notification);
    let message = notification.event.message.trim_end();
    let fences = "text\n\n".len() + 2 * code_fence(message).len().max(code_fence(&facts).len());
    let used: usize =
        [&title, &links, &facts].into_iter().map(|text| CONTENT.measure(text) + "\n\n".len()).sum();
    let message = CONTENT.less(used + fences).cut(message);
    let inner: Vec<_> = [message, facts].into_iter().filter(|text| !text.is_empty()).collect();
    let parts = [title, code_block(&inner.join("\n\n")), links];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn fact_lines(notification: &Notification) -> String {
    let mut lines = String::new();
    for (key, value) in facts(notification) {
        let line = format!("{}: {}", one_line(key, KEY), one_line(&value, VALUE));
        if FACTS.measure(&lines) + FACTS.measure(&line) < FACTS.max() {
            lines.extend([if lines.is_empty() { "" } else { "\n" }, &line]);
        }
    }
    lines
}

/// Labels lose what Zulip could take for markup.
fn link_line(notification: &Notification) -> String {
    let markup = ['[', ']', '(', ')', '*', '`', '@', '#', '~', '<', '>', '$', ':'];
    let link = |(label, url): (&str, &str)| {
        let label = one_line(&label.replace(markup, " "), LABEL);
        let url = url.replace('(', "%28").replace(')', "%29").replace('<', "%3C").replace('>', "%3E");
        (!label.is_empty()).then(|| format!("[{label}]({url})"))
    };
    let links = links(notification, URL_BYTES_MAX).into_iter().take(LINKS_MAX);
    links.filter_map(link).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zulips_limit_is_kept() {
        for text in ["a".repeat(30_000), "`".repeat(30_000), "😀`\n".repeat(9000)] {
            let mut notification = Notification::example();
            notification.object.name.clone_from(&text);
            notification.event.message.clone_from(&text);
            notification.object.tags = vec![(text.clone(), text.clone()); 90];
            let content = content(&notification);
            assert!(content.chars().count() <= 10_000, "{}", content.chars().count());
            notification.event.message = "a".repeat(30_000);
            let content = super::content(&notification);
            assert!((9_900..=10_000).contains(&content.chars().count()), "{}", content.chars().count());
        }
    }
}
