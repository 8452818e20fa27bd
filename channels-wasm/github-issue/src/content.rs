//! Title and text: what the source said stands in code, because a mention in it would call people, and a `#1` would link.

use sandbell_chat_text::{
    Limit, Markup, code_block, code_fence, code_span, facts, headline, links, one_line,
};
use sandbell_sdk::prelude::*;

/// GitHub's limits of a title and of a text.
const TITLE: Limit = Limit::Chars(256);
const BODY: Limit = Limit::Chars(65_536);
/// All facts together; what does not fit is left out.
const FACTS: Limit = Limit::Chars(20_000);
const KEY: Limit = Limit::Chars(60);
const VALUE: Limit = Limit::Chars(300);
const LABEL: Limit = Limit::Chars(80);
const LINKS_MAX: usize = 10;
const URL_BYTES_MAX: usize = 2000;

/// A title has no markup and calls nobody.
pub(crate) fn title(notification: &Notification) -> String {
    one_line(&headline(notification), TITLE)
}

/// The message in a block, a line for each fact, and the links.
pub(crate) fn body(notification: &Notification) -> String {
    text("", notification)
}

/// The same below the headline, as a comment has no title.
pub(crate) fn comment(notification: &Notification) -> String {
    text(&format!("**{}**", code_span(&title(notification))), notification)
}

fn text(title: &str, notification: &Notification) -> String {
    let (facts, links) = (fact_lines(notification), link_line(notification));
    let message = notification.event.message.trim_end();
    let fences = "text\n\n".len() + 2 * code_fence(message).len();
    let used: usize = [title, &facts, &links].into_iter().map(|part| BODY.measure(part) + "\n\n".len()).sum();
    let message = code_block(&BODY.less(used + fences).cut(message));
    let parts = [title, &message, &facts, &links];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn fact_lines(notification: &Notification) -> String {
    let mut lines = String::new();
    for (key, value) in facts(notification) {
        let (key, value) = (code_span(&one_line(key, KEY)), code_span(&one_line(&value, VALUE)));
        let line = format!("- {key}: {value}");
        if FACTS.measure(&lines) + FACTS.measure(&line) < FACTS.max() {
            lines.extend([if lines.is_empty() { "" } else { "\n" }, &line]);
        }
    }
    lines
}

/// A label that could call somebody loses its signs.
fn link_line(notification: &Notification) -> String {
    let link =
        |(label, url): (&str, &str)| Markup::Markdown.link(&label.replace(['@', '#'], " "), url, LABEL);
    let links = links(notification, URL_BYTES_MAX).into_iter().take(LINKS_MAX);
    links.map(link).collect::<Vec<_>>().join(" · ")
}
