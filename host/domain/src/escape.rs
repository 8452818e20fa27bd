//! Makes text that others wrote fit to be shown: one line, nothing that moves a cursor.

/// Writes control characters, line and paragraph separators, bidirectional controls and the byte order mark as
/// `\n`, `\r`, `\t` or `\u{…}`, and a backslash as `\\`, so that the result is one printable line that reads back.
///
/// Guests, remote servers and events are untrusted: whatever they wrote passes here before a terminal or a log
/// sees it (`reference/security.md` §1.4 L1).
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hostile(char) => out.extend(char.escape_unicode()),
            _ => out.push(char),
        }
    }
    out
}

/// As [`line()`], but keeps line feeds and tabs and leaves backslashes: for text that is shown as a block.
pub fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hostile(char) && !matches!(char, '\n' | '\t') {
            out.extend(char.escape_unicode());
        } else {
            out.push(char);
        }
    }
    out
}

/// The first `bytes_max` bytes of `text`, cut between characters, with a mark that says how much is missing.
pub fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max);
    format!("{}…[{} bytes more]", &text[..end], text.len() - end)
}

/// Characters that can change what a reader sees around them.
fn is_hostile(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{061c}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_becomes_one_printable_line() {
        let check = |text: &str, want: &str| assert_eq!(line(text), want);
        check("plain é 漢字 🙂", "plain é 漢字 🙂");
        check("\x1b[31mred\x1b[0m", r"\u{1b}[31mred\u{1b}[0m");
        check("a\nb\r\tc\\", r"a\nb\r\tc\\");
        check("a\u{202e}b\u{feff}", r"a\u{202e}b\u{feff}");
        check("\0\u{7f}\u{9b}", r"\u{0}\u{7f}\u{9b}");
        assert_eq!(block("a\nb\x1b\\"), "a\nb\\u{1b}\\");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("ééé", 6), "ééé");
        assert_eq!(cut("ééé", 5), "éé…[2 bytes more]");
        assert_eq!(cut("abc", 0), "…[3 bytes more]");
    }
}
