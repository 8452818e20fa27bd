//! Markdown of an operator's template as HTML: what Diun's mail, Matrix and Pushover channels make of it
//! (`reference/diun.md` §1.2).
//!
//! A template is an operator's, but what it puts in is a source's, so only emphasis, code, links and line breaks become
//! tags; every other `<` is text. Emphasis that does not end is text too.

use crate::{Limit, Markup};

/// Tags that Diun's own templates hold as HTML, and nothing else.
const TAGS: [&str; 10] =
    ["<code>", "</code>", "<b>", "</b>", "<i>", "</i>", "<br>", "<br/>", "<em>", "</em>"];
/// Emphasis inside emphasis; a text of stars alone must not take the stack.
const DEPTH_MAX: u8 = 8;

/// Paragraphs become `<p>`, line breaks `<br/>`.
pub fn markdown_to_html(markdown: &str) -> String {
    let paragraphs = markdown.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    let paragraphs: Vec<_> = paragraphs.map(|paragraph| inline(paragraph, 0)).collect();
    match paragraphs.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        several => format!("<p>{}</p>", several.join("</p><p>")),
    }
}

/// The same for a service that takes so much: what is longer is text without tags, cut between characters.
pub fn markdown_to_html_within(markdown: &str, limit: Limit) -> String {
    let html = markdown_to_html(markdown);
    if limit.measure(&html) <= limit.max() { html } else { Markup::Html.escape(markdown, limit) }
}

fn inline(text: &str, depth: u8) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let (piece, length) = span(rest, depth).unwrap_or_else(|| single(rest, char));
        html.push_str(&piece);
        rest = &rest[length..];
    }
    html
}

/// What begins here and has an end: its HTML and its length.
fn span(text: &str, depth: u8) -> Option<(String, usize)> {
    if let Some(tag) = TAGS.iter().find(|tag| text.starts_with(**tag)) {
        return Some(((*tag).to_owned(), tag.len()));
    }
    if text.starts_with('[') {
        return link(text, depth);
    }
    if let Some(rest) = text.strip_prefix('`') {
        let end = rest.find('`').filter(|end| *end > 0)?;
        return Some((format!("<code>{}</code>", escaped(&rest[..end])), end + 2));
    }
    for (mark, tag) in [("**", "b"), ("__", "b"), ("*", "i"), ("_", "i")] {
        let Some(rest) = text.strip_prefix(mark) else { continue };
        let end = rest.find(mark).filter(|end| *end > 0 && depth < DEPTH_MAX)?;
        let inner = &rest[..end];
        if inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace) {
            return None;
        }
        return Some((format!("<{tag}>{}</{tag}>", inline(inner, depth + 1)), end + 2 * mark.len()));
    }
    None
}

fn link(text: &str, depth: u8) -> Option<(String, usize)> {
    let middle = text.find("](")?;
    let end = middle + text[middle..].find(')')?;
    let (label, url) = (&text[1..middle], &text[middle + 2..end]);
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = !url.chars().any(|char| char.is_whitespace() || char.is_control());
    (is_web && is_plain && !label.is_empty() && !label.contains('[') && depth < DEPTH_MAX)
        .then(|| (format!("<a href=\"{}\">{}</a>", escaped(url), inline(label, depth + 1)), end + 1))
}

/// One character, or two where a backslash takes the second one's meaning.
fn single(text: &str, char: char) -> (String, usize) {
    let next = text[char.len_utf8()..].chars().next();
    match (char, next) {
        ('\\', Some(next)) if next.is_ascii_punctuation() => {
            (escaped(next.encode_utf8(&mut [0; 4])), 1 + next.len_utf8())
        }
        ('\n', _) => ("<br/>".to_owned(), 1),
        _ => (escaped(char.encode_utf8(&mut [0; 4])), char.len_utf8()),
    }
}

fn escaped(text: &str) -> String {
    Markup::Html.escape(text, Limit::Bytes(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_of_a_template_becomes_html() {
        for (text, want) in [
            ("plain & <b>bold</b>", "plain &amp; <b>bold</b>"),
            ("**a** *b* _c_ `d*`", "<b>a</b> <i>b</i> <i>c</i> <code>d*</code>"),
            (
                "[**x**](https://x.example/?a=1&b=2)",
                r#"<a href="https://x.example/?a=1&amp;b=2"><b>x</b></a>"#,
            ),
            ("[x](javascript:alert)", "[x](javascript:alert)"),
            ("<script>1</script> <code>2</code>", "&lt;script&gt;1&lt;/script&gt; <code>2</code>"),
            ("a\nb\n\nc", "<p>a<br/>b</p><p>c</p>"),
            (r"a\_b\_c \\ d\é", r"a_b_c \ d\é"),
            ("2 * 3 * 4 a_", "2 * 3 * 4 a_"),
            ("**open", "**open"),
            ("****", "****"),
            ("", ""),
            ("é😀**ü**", "é😀<b>ü</b>"),
        ] {
            assert_eq!(markdown_to_html(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_text() {
        assert_eq!(markdown_to_html_within("**a**", Limit::Chars(8)), "<b>a</b>");
        assert_eq!(markdown_to_html_within("**a**&", Limit::Chars(8)), "**a**…");
    }

    #[test]
    fn any_text_ends() {
        for text in ["*", "**", "[", "`", "_*", "[](", "\\", "<"] {
            let many = text.repeat(2000);
            assert!(!markdown_to_html(&many).is_empty());
        }
    }
}
