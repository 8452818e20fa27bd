//! Lengths: Teams takes 28 KB for a whole message and says nothing about its parts.

use std::borrow::Cow;

use sandbell_chat_text::{Limit, facts, links};
use sandbell_sdk::prelude::*;

pub(crate) const TITLE: Limit = Limit::Bytes(500);
/// In JSON a quote is twice as long, so all parts together stay below half of what Teams takes.
pub(crate) const MESSAGE: Limit = Limit::Bytes(5000);
pub(crate) const KEY: Limit = Limit::Bytes(60);
pub(crate) const VALUE: Limit = Limit::Bytes(150);
pub(crate) const LABEL: Limit = Limit::Chars(40);
const FACTS_MAX: usize = 15;
const LINKS_MAX: usize = 5;
const URL_BYTES_MAX: usize = 1000;

/// Names and values in one line each.
pub(crate) fn short_facts(notification: &Notification) -> impl Iterator<Item = (String, String)> {
    let short = |(key, value): (&str, String)| {
        (KEY.cut(&visible(key).replace('\n', " ")), VALUE.cut(&visible(&value).replace('\n', " ")))
    };
    facts(notification).into_iter().take(FACTS_MAX).map(short)
}

/// Labels and URLs of the buttons.
pub(crate) fn buttons(notification: &Notification) -> impl Iterator<Item = (String, &str)> {
    links(notification, URL_BYTES_MAX).into_iter().take(LINKS_MAX).map(|(label, url)| (LABEL.cut(label), url))
}

/// Control characters, which JSON makes six times as long, become blanks; a carriage return is dropped later.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |char: char| char.is_control() && char != '\n' && char != '\r';
    if text.contains(is_hidden) { Cow::Owned(text.replace(is_hidden, " ")) } else { Cow::Borrowed(text) }
}
