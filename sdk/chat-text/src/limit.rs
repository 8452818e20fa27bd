//! How long a text may be, in the unit that a service counts.

use crate::Markup;

pub(crate) const ELLIPSIS: &str = "…";

/// The longest text that a service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Unicode scalar values.
    Chars(usize),
    /// UTF-16 code units: an emoji counts twice.
    Utf16(usize),
    /// Bytes of UTF-8.
    Bytes(usize),
}

impl Limit {
    pub fn max(self) -> usize {
        match self {
            Self::Chars(max) | Self::Utf16(max) | Self::Bytes(max) => max,
        }
    }

    /// The length of `text` in this unit.
    pub fn measure(self, text: &str) -> usize {
        match self {
            Self::Chars(_) => text.chars().count(),
            Self::Utf16(_) => text.encode_utf16().count(),
            Self::Bytes(_) => text.len(),
        }
    }

    /// The same unit with `used` less room, down to none.
    #[must_use]
    pub fn less(self, used: usize) -> Self {
        self.with_max(self.max().saturating_sub(used))
    }

    /// The same unit with another maximum.
    #[must_use]
    pub fn with_max(self, max: usize) -> Self {
        match self {
            Self::Chars(_) => Self::Chars(max),
            Self::Utf16(_) => Self::Utf16(max),
            Self::Bytes(_) => Self::Bytes(max),
        }
    }

    /// Cuts plain text between characters; what is missing is an ellipsis.
    pub fn cut(self, text: &str) -> String {
        Markup::Plain.escape(text, self)
    }
}

/// Foreign text in one line for an error: control characters and line breaks become blanks.
pub fn one_line(text: &str, limit: Limit) -> String {
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    limit.cut(&words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        for (limit, text, want) in [
            (Limit::Chars(5), "äöüßé", "äöüßé"),
            (Limit::Chars(5), "äöüßéñ", "äöüß…"),
            (Limit::Chars(1), "ab", "…"),
            (Limit::Chars(0), "ab", ""),
            (Limit::Chars(0), "", ""),
            (Limit::Utf16(4), "😀😀", "😀😀"),
            (Limit::Utf16(4), "😀😀😀", "😀…"),
            (Limit::Bytes(7), "äöü", "äöü"),
            (Limit::Bytes(7), "äöüß", "äö…"),
            (Limit::Bytes(2), "abc", ""),
            (Limit::Chars(4), "a  bc d", "a…"),
        ] {
            let cut = limit.cut(text);
            assert_eq!(cut, want, "{limit:?} {text}");
            assert!(limit.measure(&cut) <= limit.max());
        }
    }

    #[test]
    fn foreign_text_becomes_one_line() {
        assert_eq!(one_line("<h1>\n\tout\u{1b} of order</h1>\n", Limit::Chars(50)), "<h1> out of order</h1>");
        assert_eq!(one_line(" a\r\nb c", Limit::Chars(3)), "a…");
        assert_eq!(one_line("\0", Limit::Chars(3)), "");
    }
}
