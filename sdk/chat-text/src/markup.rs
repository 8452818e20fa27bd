//! Markup: what must be escaped so that foreign text stays text.

use std::borrow::Cow;

use crate::Limit;
use crate::limit::ELLIPSIS;

/// What a service reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Nothing has a meaning.
    Plain,
    /// `CommonMark` (0.31) and its relatives that know a backslash: Discord's, Gotify's, Mattermost's, ntfy's.
    Markdown,
    /// The few inline tags of HTML that messengers know; a line break is a line break.
    Html,
}

impl Markup {
    /// Escapes text and cuts it to `limit`, which counts what is sent: an escaped character or a URL is whole or not
    /// there, and what is missing is an ellipsis.
    pub fn escape(self, text: &str, limit: Limit) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut length, mut cut) = (0, 0);
        let ellipsis = limit.measure(ELLIPSIS);
        let mut pieces = Pieces { markup: self, rest: text, place: Place::LineStart };
        while let Some(piece) = pieces.next() {
            if length + ellipsis <= limit.max() {
                cut = out.len();
            }
            length += limit.measure(&piece);
            if length > limit.max() {
                out.truncate(cut);
                out.truncate(out.trim_end().len());
                // No room even for the ellipsis leaves nothing.
                out.push_str(if ellipsis <= limit.max() { ELLIPSIS } else { "" });
                return out;
            }
            out.push_str(&piece);
        }
        out
    }

    /// Escaped and bold; empty text stays empty.
    pub fn bold(self, text: &str, limit: Limit) -> String {
        let escaped = self.escape(text.trim(), limit);
        match self {
            _ if escaped.is_empty() => escaped,
            Self::Plain => escaped,
            Self::Markdown => format!("**{escaped}**"),
            Self::Html => format!("<b>{escaped}</b>"),
        }
    }

    /// A link with words; in plain text the words and the URL.
    pub fn link(self, label: &str, url: &str, limit: Limit) -> String {
        let label = self.escape(label, limit);
        match self {
            Self::Plain => format!("{label}: {url}"),
            Self::Markdown => format!("[{label}]({})", inside_parentheses(url)),
            Self::Html => {
                format!("<a href=\"{}\">{label}</a>", self.escape(url, Limit::Bytes(usize::MAX)))
            }
        }
    }

    /// Ends a line inside a paragraph.
    pub(crate) fn line_break(self) -> &'static str {
        match self {
            Self::Plain | Self::Html => "\n",
            Self::Markdown => "  \n",
        }
    }
}

/// What ends a link's target, and what a backslash would change, percent-encoded.
fn inside_parentheses(url: &str) -> Cow<'_, str> {
    const ENCODED: [(char, &str); 7] =
        [('(', "%28"), (')', "%29"), ('<', "%3C"), ('>', "%3E"), (' ', "%20"), ('\\', "%5C"), ('\n', "%0A")];
    let mut url = Cow::Borrowed(url);
    for (char, encoded) in ENCODED {
        if url.contains(char) {
            url = Cow::Owned(url.replace(char, encoded));
        }
    }
    url
}

/// Where in a line of Markdown a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    /// After nothing but digits: a dot would begin a list.
    Number,
    Inside,
}

/// Text in escaped pieces that cannot be divided.
struct Pieces<'a> {
    markup: Markup,
    rest: &'a str,
    place: Place,
}

impl<'a> Pieces<'a> {
    fn next(&mut self) -> Option<Cow<'a, str>> {
        loop {
            let char = self.rest.chars().next()?;
            let text = self.rest;
            let (here, rest) = text.split_at(char.len_utf8());
            // No service shows it, and some count it.
            if char == '\r' || char == '\0' {
                self.rest = rest;
                continue;
            }
            if self.markup == Markup::Markdown
                && let Some(length) = url_length(text)
            {
                let (url, rest) = text.split_at(length);
                (self.rest, self.place) = (rest, Place::Inside);
                return Some(format!("<{url}>").into());
            }
            self.rest = rest;
            return Some(match self.markup {
                Markup::Plain => here.into(),
                Markup::Html => html(char).map_or(here.into(), Cow::Borrowed),
                Markup::Markdown => self.markdown(char, here),
            });
        }
    }

    /// `rest` is already what comes after `char`.
    fn markdown(&mut self, char: char, here: &'a str) -> Cow<'a, str> {
        let is_start = self.place == Place::LineStart;
        let is_after_number = self.place == Place::Number;
        self.place = match char {
            '\n' => Place::LineStart,
            ' ' | '\t' if is_start => Place::LineStart,
            '0'..='9' if is_start || is_after_number => Place::Number,
            _ => Place::Inside,
        };
        let next = self.rest.chars().find(|char| *char != '\r');
        let is_escaped = match char {
            // Indentation would make code of it.
            ' ' if is_start => return "\u{a0}".into(),
            '\t' if is_start => return "\u{a0}\u{a0}\u{a0}\u{a0}".into(),
            '\n' if !is_start && next.is_some_and(|next| next != '\n') => {
                return Markup::Markdown.line_break().into();
            }
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '|' => true,
            '&' => next.is_some_and(|next| next == '#' || next.is_ascii_alphanumeric()),
            '#' | '+' | '-' | '=' | ':' => is_start,
            '.' | ')' => is_after_number,
            _ => false,
        };
        if is_escaped { format!("\\{here}").into() } else { here.into() }
    }
}

fn html(char: char) -> Option<&'static str> {
    match char {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        _ => None,
    }
}

/// Bytes of the URL at the start of `text`, without the punctuation of the sentence around it.
fn url_length(text: &str) -> Option<usize> {
    let start = ["https://", "http://"].into_iter().find(|start| text.starts_with(start))?;
    let is_end = |char: char| {
        char.is_whitespace() || char.is_control() || matches!(char, '<' | '>' | '"' | '`' | '\\')
    };
    let end = text.find(is_end).unwrap_or(text.len());
    let url = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*', '_']);
    (url.len() > start.len()).then_some(url.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: Limit = Limit::Chars(1000);

    #[test]
    fn markdown_of_the_source_stays_text() {
        for (text, want) in [
            ("*a* _b_ `c` ~~d~~ |e|", r"\*a\* \_b\_ \`c\` \~\~d\~\~ \|e\|"),
            ("[a](b) ![c](d)", r"\[a\](b) !\[c\](d)"),
            ("<b>x</b> a & b &lt; &#65;", r"\<b\>x\</b\> a & b \&lt; \&#65;"),
            (r"C:\temp", r"C:\\temp"),
            ("# a\n- b\n+ c\n1. d\n2) e\n=", "\\# a  \n\\- b  \n\\+ c  \n1\\. d  \n2\\) e  \n\\="),
            ("a - b # c 1. d", "a - b # c 1. d"),
            ("3.5 of 4", r"3\.5 of 4"),
            ("a\r\nb\n\nc\n", "a  \nb\n\nc\n"),
            ("a\n    code\n\tcode", "a  \n\u{a0}\u{a0}\u{a0}\u{a0}code  \n\u{a0}\u{a0}\u{a0}\u{a0}code"),
            ("see https://x.example/a_b*c?d=(e), ok", "see <https://x.example/a_b*c?d=(e>), ok"),
            ("https://", "https://"),
            ("@everyone 👩‍👩‍👧 é", "@everyone 👩‍👩‍👧 é"),
            ("", ""),
        ] {
            assert_eq!(Markup::Markdown.escape(text, MANY), want, "{text}");
        }
    }

    #[test]
    fn html_of_the_source_stays_text_and_is_escaped_once() {
        assert_eq!(
            Markup::Html.escape("<script>\"a\" & 'b'\r\n&amp;", MANY),
            "&lt;script&gt;&quot;a&quot; &amp; 'b'\n&amp;amp;"
        );
    }

    #[test]
    fn what_is_escaped_is_cut_as_a_whole() {
        for (markup, limit, text, want) in [
            (Markup::Html, Limit::Chars(6), "a&", "a&amp;"),
            (Markup::Html, Limit::Chars(6), "ab&", "ab…"),
            (Markup::Html, Limit::Chars(6), "&&", "&amp;…"),
            (Markup::Markdown, Limit::Chars(4), "a***", r"a\*…"),
            (Markup::Markdown, Limit::Chars(3), "a***", "a…"),
            (Markup::Markdown, Limit::Chars(20), "see https://x.example/path", "see…"),
            (Markup::Markdown, Limit::Utf16(5), "😀_😀", r"😀\_…"),
        ] {
            assert_eq!(markup.escape(text, limit), want, "{text}");
        }
    }

    #[test]
    fn links_keep_their_shape() {
        let url = "https://x.example/a_(b)?c=\"d\"&e=<f>";
        assert_eq!(
            Markup::Markdown.link("a [b]", url, MANY),
            r#"[a \[b\]](https://x.example/a_%28b%29?c="d"&e=%3Cf%3E)"#
        );
        assert_eq!(
            Markup::Html.link("a < b", url, MANY),
            r#"<a href="https://x.example/a_(b)?c=&quot;d&quot;&amp;e=&lt;f&gt;">a &lt; b</a>"#
        );
        assert_eq!(Markup::Plain.link("a", "https://x.example", MANY), "a: https://x.example");
    }

    #[test]
    fn bold_is_bold_or_nothing() {
        assert_eq!(Markup::Markdown.bold(" a* ", MANY), r"**a\***");
        assert_eq!(Markup::Html.bold("a&b", MANY), "<b>a&amp;b</b>");
        assert_eq!(Markup::Plain.bold("a", MANY), "a");
        assert_eq!(Markup::Markdown.bold(" ", MANY), "");
    }
}
