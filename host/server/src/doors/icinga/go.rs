//! How Go writes what the daemon and its tests expect byte for byte.

use std::fmt::Write as _;

/// Escapes a JSON text as Go's encoder does: `<`, `>`, `&`, U+2028 and U+2029 become `\u…`.
///
/// In JSON these characters can only stand inside of strings, so the text need not be understood.
pub(super) fn escape_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        match char {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out
}

/// Quotes a text as Go's `%q`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            _ if is_printable(char) => out.push(char),
            _ => {
                let _ = match u32::from(char) {
                    code @ 0..=0x7f => write!(out, "\\x{code:02x}"),
                    code @ 0x80..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Rust escapes what Unicode calls unprintable, which is what Go does.
fn is_printable(char: char) -> bool {
    char == ' ' || (!char.is_whitespace() && !char.escape_debug().to_string().starts_with("\\u{"))
}

/// Replaces `\u` escapes of surrogates that have no partner by U+FFFD, as Go reads them.
pub(super) fn mend_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let taken = match (unit(tail), tail.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.push_str(&tail[..12]);
                12
            }
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                6
            }
            // Any other escape is copied with what it escapes, so that `\\` does not begin another one.
            _ => {
                let length = 1 + tail[1..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&tail[..length]);
                length
            }
        };
        rest = &tail[taken..];
    }
    out.push_str(rest);
    out
}

/// The code unit of a `\uXXXX` that `text` begins with.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_escaped_as_go_escapes_it() {
        assert_eq!(escape_html("{\"a\":\"<ca&b>\u{2028}é\"}"), r#"{"a":"\u003cca\u0026b\u003e\u2028é"}"#);
    }

    #[test]
    fn a_text_is_quoted_as_go_quotes_it() {
        let check = |text: &str, want: &str| assert_eq!(quote(text), want);
        check("Foo", r#""Foo""#);
        check("", r#""""#);
        check("a\"b\\c", r#""a\"b\\c""#);
        check("\x01\x07\n\x7f", r#""\x01\a\n\x7f""#);
        check("é 漢 🙂 it's", r#""é 漢 🙂 it's""#);
        check("\u{a0}\u{feff}\u{e0001}", r#""\u00a0\ufeff\U000e0001""#);
    }

    #[test]
    fn a_lone_surrogate_becomes_a_replacement_character() {
        let check = |text: &str, want: &str| assert_eq!(mend_surrogates(text), want);
        check(r#"{"a":"\ud83d\ude42"}"#, r#"{"a":"\ud83d\ude42"}"#);
        check(r#"{"a":"\ud83dx"}"#, r#"{"a":"\ufffdx"}"#);
        check(r#"{"a":"\ude42\ud83d"}"#, r#"{"a":"\ufffd\ufffd"}"#);
        check(r#"{"a":"\\ud83d"}"#, r#"{"a":"\\ud83d"}"#);
        check(r#"{"a":"\u00e9é"}"#, r#"{"a":"\u00e9é"}"#);
        for text in ["\\ud83d", "\\u", "\\é", "\\ud83é", "\\"] {
            let _ = mend_surrogates(text);
        }
    }
}
