//! Quoting and unquoting of Go's string and character literals.

/// Appends the text as a double-quoted Go literal; with `ascii`, everything else is escaped.
pub(crate) fn double(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for c in text.chars() {
        escape(out, c, '"', ascii);
    }
    out.push('"');
}

/// Appends the character as a single-quoted Go literal.
pub(crate) fn single(out: &mut String, c: char, ascii: bool) {
    out.push('\'');
    escape(out, c, '\'', ascii);
    out.push('\'');
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    let short = match c {
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0c' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0b' => 'v',
        '\\' => '\\',
        _ if c == quote => quote,
        _ if is_print(c) && (!ascii || c.is_ascii()) => return out.push(c),
        _ => {
            let code = u32::from(c);
            match code {
                0..0x80 => hex(out, "\\x", code, 2),
                0x80..0x1_0000 => hex(out, "\\u", code, 4),
                _ => hex(out, "\\U", code, 8),
            }
            return;
        }
    };
    out.push('\\');
    out.push(short);
}

/// Appends a prefix and a number in lower case hexadecimal, with at least so many digits.
pub(crate) fn hex(out: &mut String, prefix: &str, number: u32, digits: u32) {
    out.push_str(prefix);
    for place in (0..digits).rev() {
        out.extend(char::from_digit((number >> (4 * place)) & 0xf, 16));
    }
}

/// Whether Go's `unicode.IsPrint` holds: letters, marks, numbers, punctuation, symbols, the ASCII space.
///
/// Unassigned characters follow the Unicode version of the Rust library, which may be newer than Go's.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    if c.is_whitespace() || c.is_control() {
        return false;
    }
    // Only at the start of a text does the library escape marks that combine, which are printable.
    let mut buffer = [0; 5];
    buffer[0] = b'a';
    let end = 1 + c.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..end]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

/// The text of a string literal in double quotes or backquotes; `None` for bad syntax.
///
/// `\x` and octal escapes that do not make up UTF-8 together are replaced as [`String::from_utf8_lossy`] does:
/// Go keeps the bytes, but every place a channel's text goes to needs UTF-8.
pub(crate) fn unquote(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (unit, after) = unquote_one(rest, '"')?;
        match unit {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = after;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The number of a character literal such as `'a'`, and what stands behind the character before the last quote.
///
/// `None` for bad syntax; more than one character is for the caller to refuse.
pub(crate) fn unquote_char(literal: &str) -> Option<(i64, &str)> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let (unit, rest) = unquote_one(inner, '\'')?;
    let number = match unit {
        Unit::Byte(byte) => byte.into(),
        Unit::Char(c) => u32::from(c).into(),
    };
    Some((number, rest))
}

enum Unit {
    Byte(u8),
    Char(char),
}

fn unquote_one(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return (first != quote && first != '\n').then_some((Unit::Char(first), chars.as_str()));
    }
    let kind = chars.next()?;
    let rest = chars.as_str();
    let (digits, radix) = match kind {
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        '0'..='7' => (3, 8),
        _ => {
            let c = match kind {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                '\\' => '\\',
                _ if kind == quote => quote,
                _ => return None,
            };
            return Some((Unit::Char(c), rest));
        }
    };
    // An octal escape has no letter before its digits.
    let from = if radix == 8 { &text[1..] } else { rest };
    let number = from.get(..digits)?;
    if !number.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(number, radix).ok()?;
    let unit = match kind {
        'u' | 'U' => Unit::Char(char::from_u32(code)?),
        _ => Unit::Byte(u8::try_from(code).ok()?),
    };
    Some((unit, &from[digits..]))
}
