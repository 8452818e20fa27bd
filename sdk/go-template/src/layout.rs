//! Go's time layouts: a pattern is the reference time, 2 January 2006, 15:04:05, written as wished.

use crate::civil::Civil;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The English name of the month.
pub(crate) fn month(civil: Civil) -> &'static str {
    name(&MONTHS, civil.month - 1)
}

/// The English name of the day of the week.
pub(crate) fn weekday(civil: Civil) -> &'static str {
    name(&DAYS, civil.weekday())
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// The pieces of a layout, longest first where one begins with another.
const PIECES: [&str; 30] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "PM",
    "pm",
    "__2",
    "_2",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
    "1",
    "2",
];
const SHORT_PIECES: [&str; 3] = ["3", "4", "5"];

/// The piece at the start of the text, if there is one.
fn piece(text: &str) -> Option<&str> {
    // `Jan` in `January` is the month, in `Janus` it is not; `_2006` is a space and a year.
    let found = PIECES.iter().chain(&SHORT_PIECES).find(|piece| text.starts_with(**piece))?;
    let rest = &text[found.len()..];
    let is_word_start = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    match *found {
        "Jan" | "Mon" if is_word_start(rest) => None,
        "_2" if rest.starts_with("006") => None,
        _ => Some(&text[..found.len()]),
    }
}

/// The fraction of a second at the start of the text: `.000` or `,999`, not followed by a digit.
fn fraction(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let digit = *bytes.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
    if !matches!(bytes[0], b'.' | b',') {
        return None;
    }
    let length = 1 + bytes[1..].iter().take_while(|&&byte| byte == digit).count();
    (!bytes.get(length).is_some_and(u8::is_ascii_digit)).then(|| &text[..length])
}

pub(crate) fn format(layout: &str, civil: Civil, nanosecond: i64, offset_seconds: i64, zone: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        let found = if let Some(piece) = piece(rest) {
            write_piece(&mut out, piece, civil, offset_seconds, zone);
            piece
        } else if let Some(fraction) = fraction(rest) {
            write_fraction(&mut out, fraction, nanosecond);
            fraction
        } else {
            out.push(c);
            &rest[..c.len_utf8()]
        };
        rest = &rest[found.len()..];
    }
    out
}

fn write_piece(out: &mut String, piece: &str, civil: Civil, offset_seconds: i64, zone: &str) {
    let (month, day) = (month(civil), weekday(civil));
    let hour12 = (civil.hour + 11) % 12 + 1;
    match piece {
        "January" => out.push_str(month),
        "Jan" => out.push_str(&month[..3]),
        "1" => pad(out, civil.month, 1, '0'),
        "01" => pad(out, civil.month, 2, '0'),
        "Monday" => out.push_str(day),
        "Mon" => out.push_str(&day[..3]),
        "2" => pad(out, civil.day, 1, '0'),
        "_2" => pad(out, civil.day, 2, ' '),
        "02" => pad(out, civil.day, 2, '0'),
        "__2" => pad(out, civil.year_day(), 3, ' '),
        "002" => pad(out, civil.year_day(), 3, '0'),
        "15" => pad(out, civil.hour, 2, '0'),
        "3" => pad(out, hour12, 1, '0'),
        "03" => pad(out, hour12, 2, '0'),
        "4" => pad(out, civil.minute, 1, '0'),
        "04" => pad(out, civil.minute, 2, '0'),
        "5" => pad(out, civil.second, 1, '0'),
        "05" => pad(out, civil.second, 2, '0'),
        "2006" => pad(out, civil.year, 4, '0'),
        "06" => pad(out, civil.year.rem_euclid(100), 2, '0'),
        "PM" => out.push_str(if civil.hour >= 12 { "PM" } else { "AM" }),
        "pm" => out.push_str(if civil.hour >= 12 { "pm" } else { "am" }),
        "MST" if !zone.is_empty() => out.push_str(zone),
        // A zone without a name is written as its offset.
        "MST" => write_offset(out, "-0700", offset_seconds),
        _ if piece.starts_with('Z') && offset_seconds == 0 => out.push('Z'),
        _ => write_offset(out, piece, offset_seconds),
    }
}

/// Writes an offset in the form of the piece: with minutes, seconds and colons as it has them.
fn write_offset(out: &mut String, piece: &str, offset_seconds: i64) {
    out.push(if offset_seconds < 0 { '-' } else { '+' });
    let seconds = offset_seconds.abs();
    let colon = if piece.contains(':') { ":" } else { "" };
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    pad(out, seconds / 3600, 2, '0');
    if digits >= 4 {
        out.push_str(colon);
        pad(out, seconds / 60 % 60, 2, '0');
    }
    if digits >= 6 {
        out.push_str(colon);
        pad(out, seconds % 60, 2, '0');
    }
}

/// `.000` writes so many digits, `.999` drops the zeros at the end, and the point with the last digit.
fn write_fraction(out: &mut String, fraction: &str, nanosecond: i64) {
    let mut digits = String::new();
    pad(&mut digits, nanosecond, 9, '0');
    let count = (fraction.len() - 1).min(digits.len());
    let shown = &digits[..count];
    let shown = if fraction.ends_with('9') { shown.trim_end_matches('0') } else { shown };
    if !shown.is_empty() {
        out.push_str(&fraction[..1]);
        out.push_str(shown);
    }
}

fn pad(out: &mut String, number: i64, width: usize, fill: char) {
    let text = number.unsigned_abs().to_string();
    out.push_str(if number < 0 { "-" } else { "" });
    out.extend(std::iter::repeat_n(fill, width.saturating_sub(text.len())));
    out.push_str(&text);
}
