//! Slack's markup: what must be escaped, how long a text may be, and who is alerted.
//!
//! Limits are from Slack's reference of Block Kit; they count characters of the escaped text.

use std::str::FromStr;

use sandbell_sdk::prelude::*;

pub(crate) const HEADER_CHARS_MAX: usize = 150;
pub(crate) const TEXT_CHARS_MAX: usize = 3000;
pub(crate) const FIELD_CHARS_MAX: usize = 2000;
pub(crate) const BUTTON_CHARS_MAX: usize = 75;

/// Who is alerted by a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    Here,
    Channel,
    Everyone,
    Member(String),
    Group(String),
}

impl Mention {
    pub(crate) fn to_mrkdwn(&self) -> String {
        match self {
            Self::Here => "<!here>".to_owned(),
            Self::Channel => "<!channel>".to_owned(),
            Self::Everyone => "<!everyone>".to_owned(),
            Self::Member(id) => format!("<@{id}>"),
            Self::Group(id) => format!("<!subteam^{id}>"),
        }
    }
}

impl FromStr for Mention {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let word = text.trim().trim_start_matches(['@', '!']);
        let is_id =
            word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        match word {
            "here" => Ok(Self::Here),
            "channel" => Ok(Self::Channel),
            "everyone" => Ok(Self::Everyone),
            _ if is_id && word.starts_with(['U', 'W']) => Ok(Self::Member(word.to_owned())),
            _ if is_id && word.starts_with('S') => Ok(Self::Group(word.to_owned())),
            _ => Err(ConfigError::option(
                "mention",
                "must be `here`, `channel`, `everyone`, or the ID of a member (`U…`) or a user group (`S…`)",
            )),
        }
    }
}

/// Escapes what Slack takes for markup of its own, and cuts to `chars_max` characters with an ellipsis; an entity is
/// whole or not there.
pub(crate) fn escape(text: &str, chars_max: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut count = 0;
    // Where to cut if the text turns out too long: the last place with room for the ellipsis.
    let mut cut = 0;
    for char in text.chars() {
        if count < chars_max {
            cut = escaped.len();
        }
        let entity = match char {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => {
                count += 1;
                escaped.push(char);
                if count > chars_max {
                    break;
                }
                continue;
            }
        };
        count += entity.len();
        escaped.push_str(entity);
        if count > chars_max {
            break;
        }
    }
    if count > chars_max {
        escaped.truncate(cut);
        escaped.push('…');
    }
    escaped
}

/// Cuts what is markup already, e.g. out of a template: an entity or a `<…>` is whole or not there.
pub(crate) fn cut(markup: &str, chars_max: usize) -> String {
    if markup.chars().count() <= chars_max {
        return markup.to_owned();
    }
    let mut kept: String = markup.chars().take(chars_max.saturating_sub(1)).collect();
    for (open, close) in [('<', '>'), ('&', ';')] {
        if let Some(start) = kept.rfind(open)
            && !kept[start..].contains(close)
        {
            kept.truncate(start);
        }
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_cut_between_its_parts() {
        for (text, chars_max, want) in [
            ("a<b|c>", 6, "a<b|c>"),
            ("a<b|c>d", 6, "a…"),
            ("a&amp;b", 4, "a…"),
            ("a&amp;bc", 7, "a&amp;…"),
            ("äöü", 2, "ä…"),
        ] {
            assert_eq!(cut(text, chars_max), want, "{text}");
        }
    }

    #[test]
    fn text_is_escaped_and_cut_at_whole_characters_and_entities() {
        for (text, chars_max, want) in [
            ("a & b <c>", 100, "a &amp; b &lt;c&gt;"),
            ("&amp;", 100, "&amp;amp;"),
            ("", 5, ""),
            ("abcde", 5, "abcde"),
            ("abcdef", 5, "abcd…"),
            ("äöüßé", 5, "äöüßé"),
            ("äöüßéñ", 5, "äöüß…"),
            ("a&", 6, "a&amp;"),
            ("ab&", 6, "ab…"),
            ("&&", 6, "&amp;…"),
            ("&&", 5, "…"),
            ("<>", 8, "&lt;&gt;"),
            ("👩‍👩‍👧x", 3, "👩\u{200d}…"),
        ] {
            let escaped = escape(text, chars_max);
            assert_eq!(escaped, want, "{text} {chars_max}");
            assert!(escaped.chars().count() <= chars_max);
        }
    }

    #[test]
    fn mentions_are_words_or_ids() {
        for (text, want) in [
            ("here", "<!here>"),
            ("@channel", "<!channel>"),
            ("!everyone", "<!everyone>"),
            (" @U012AB3CD ", "<@U012AB3CD>"),
            ("W012AB3CD", "<@W012AB3CD>"),
            ("S012AB3CD", "<!subteam^S012AB3CD>"),
        ] {
            assert_eq!(text.parse::<Mention>().unwrap().to_mrkdwn(), want);
        }
        for text in ["jdoe", "U", "U01>", "u012ab3cd", "", "C012AB3CD"] {
            assert_eq!(text.parse::<Mention>().unwrap_err().option.as_deref(), Some("mention"), "{text}");
        }
    }
}
