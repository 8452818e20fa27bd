//! Integers, floats and hexadecimal text, with flags, width and precision.

use crate::format::printer::{Flag, Printer};

/// No `f64` has more digits than this that are not zero; the library formats no more than 65535.
const DIGITS_MAX: usize = 1100;

/// How the digits of an integer are written.
#[derive(Clone, Copy)]
pub(super) struct Radix {
    base: u64,
    is_upper: bool,
    /// What stands before the digits: with the flag `#`, or always.
    prefix: &'static str,
    always_prefix: bool,
}

impl Radix {
    pub(super) const DECIMAL: Self = Self { base: 10, is_upper: false, prefix: "", always_prefix: false };
    pub(super) const BINARY: Self = Self { base: 2, prefix: "0b", ..Self::DECIMAL };
    pub(super) const OCTAL: Self = Self { base: 8, prefix: "0", ..Self::DECIMAL };
    pub(super) const OCTAL_WITH_PREFIX: Self =
        Self { base: 8, prefix: "0o", always_prefix: true, ..Self::DECIMAL };
    pub(super) const HEX: Self = Self { base: 16, prefix: "0x", ..Self::DECIMAL };
    pub(super) const UPPER_HEX: Self = Self { base: 16, is_upper: true, prefix: "0X", ..Self::DECIMAL };
}

/// Appends the digits of a number.
pub(super) fn digits(out: &mut String, mut number: u64, radix: Radix) {
    let mut reversed = [0u8; 64];
    let mut count = 0;
    loop {
        let digit = u8::try_from(number % radix.base).unwrap_or(0);
        reversed[count] = match digit {
            0..10 => b'0' + digit,
            _ if radix.is_upper => b'A' + digit - 10,
            _ => b'a' + digit - 10,
        };
        count += 1;
        number /= radix.base;
        if number == 0 {
            break;
        }
    }
    out.extend(reversed[..count].iter().rev().map(|&byte| char::from(byte)));
}

pub(super) fn integer(printer: &mut Printer<'_>, magnitude: u64, is_negative: bool, radix: Radix) {
    let flags = printer.flags;
    let sign = match () {
        () if is_negative => "-",
        () if flags.has(Flag::Plus) => "+",
        () if flags.has(Flag::Space) => " ",
        () => "",
    };
    // Leading zeros come from a precision, or else from a width with the flag `0`.
    let digits_min = match (flags.precision, flags.width) {
        (Some(0), _) if magnitude == 0 => {
            printer.out.fill(' ', flags.width.unwrap_or(0));
            return;
        }
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.has(Flag::Zero) && !flags.has(Flag::Minus) => {
            width.saturating_sub(sign.len())
        }
        _ => 0,
    };
    let mut number = String::new();
    digits(&mut number, magnitude, radix);
    let zeros = digits_min.saturating_sub(number.len());
    let mut text = String::from(sign);
    let starts_with_zero = zeros > 0 || number.starts_with('0');
    if radix.always_prefix {
        // `#` asks for the octal zero as well.
        text.push_str(radix.prefix);
        text.push_str(if flags.has(Flag::Sharp) && !starts_with_zero { "0" } else { "" });
    } else if flags.has(Flag::Sharp) && !(radix.base == 8 && starts_with_zero) {
        text.push_str(radix.prefix);
    }
    text.extend(std::iter::repeat_n('0', zeros));
    text.push_str(&number);
    printer.flags.remove(Flag::Zero);
    printer.pad(&text);
    printer.flags = flags;
}

/// The bytes of a text in hexadecimal: `#` writes `0x`, a space separates the bytes.
pub(super) fn hex_text(printer: &mut Printer<'_>, bytes: &[u8], is_upper: bool) {
    let flags = printer.flags;
    let bytes = &bytes[..flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let prefix = if is_upper { "0X" } else { "0x" };
    let mut text = String::new();
    for (i, &byte) in bytes.iter().enumerate() {
        let is_apart = flags.has(Flag::Space);
        text.push_str(if is_apart && i > 0 { " " } else { "" });
        text.push_str(if flags.has(Flag::Sharp) && (is_apart || i == 0) { prefix } else { "" });
        let start = text.len();
        crate::quote::hex(&mut text, "", byte.into(), 2);
        if is_upper {
            text[start..].make_ascii_uppercase();
        }
    }
    printer.pad(&text);
}

pub(super) fn float(printer: &mut Printer<'_>, number: f64, verb: char) {
    let flags = printer.flags;
    let style = if verb == 'v' { 'g' } else { verb };
    let default = if matches!(style, 'g' | 'G') { None } else { Some(6) };
    let precision = flags.precision.or(default);
    let mut text = String::new();
    let sign = match () {
        () if number.is_sign_negative() && !number.is_nan() => "-",
        () if flags.has(Flag::Plus) => "+",
        () if flags.has(Flag::Space) => " ",
        () => "",
    };
    if number.is_nan() || number.is_infinite() {
        text.push_str(if number.is_infinite() && sign.is_empty() { "+" } else { sign });
        text.push_str(if number.is_nan() { "NaN" } else { "Inf" });
        printer.flags.remove(Flag::Zero);
        printer.pad(&text);
        printer.flags = flags;
        return;
    }
    shortest(&mut text, number.abs(), style, precision);
    if flags.has(Flag::Sharp) {
        text = with_point(&text, style, flags.precision);
    }
    let width = flags.width.unwrap_or(0);
    let written = sign.len() + text.len();
    if flags.has(Flag::Zero) && !flags.has(Flag::Minus) && width > written {
        printer.out.push_str(sign);
        printer.out.fill('0', width - written);
        printer.out.push_str(&text);
    } else {
        printer.pad(&[sign, &text].concat());
    }
}

/// Gives the number a decimal point, and under `g` the trailing zeros that the precision asks for.
fn with_point(text: &str, style: char, precision: Option<usize>) -> String {
    let (mantissa, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let mut out = String::from(mantissa);
    if !mantissa.contains('.') {
        out.push('.');
    }
    if matches!(style, 'g' | 'G') {
        let significant = mantissa.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
        // A lone zero is itself a significant digit.
        let significant = if mantissa == "0" { 1 } else { significant };
        let zeros = precision.unwrap_or(6).saturating_sub(significant);
        out.extend(std::iter::repeat_n('0', zeros));
    }
    out.push_str(exponent);
    out
}

/// Appends a number that is not negative, as Go's `strconv.FormatFloat` does for `e`, `f` and `g`.
///
/// Without a precision, the fewest digits that give the same number back.
pub(crate) fn shortest(out: &mut String, number: f64, style: char, precision: Option<usize>) {
    match style.to_ascii_lowercase() {
        'f' => fixed(out, number, precision),
        'e' => scientific(out, number, precision, style),
        _ => {
            // The number of significant digits; 0 means 1.
            let significant = precision.map(|precision| precision.clamp(1, DIGITS_MAX));
            let text = match significant {
                Some(significant) => format!("{number:.*e}", significant - 1),
                None => format!("{number:e}"),
            };
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0') } else { mantissa };
            let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
            let threshold = match significant {
                None => 6,
                Some(significant) => {
                    let places = usize::try_from(exponent + 1).unwrap_or(0);
                    if significant > digits && digits >= places { digits } else { significant }
                }
            };
            if exponent < -4 || i64::from(exponent) >= i64::try_from(threshold).unwrap_or(i64::MAX) {
                let style = if style == 'G' { 'E' } else { 'e' };
                scientific(out, number, Some(digits - 1), style);
            } else {
                let after_point = i64::try_from(digits).unwrap_or(0) - 1 - i64::from(exponent);
                let after_point = usize::try_from(after_point).unwrap_or(0);
                fixed(out, number, Some(after_point));
            }
        }
    }
}

/// Appends the number without an exponent.
fn fixed(out: &mut String, number: f64, precision: Option<usize>) {
    let Some(precision) = precision else { return out.push_str(&number.to_string()) };
    let digits = precision.min(DIGITS_MAX);
    let text = format!("{number:.digits$}");
    out.push_str(&text);
    out.extend(std::iter::repeat_n('0', precision - digits));
}

/// Appends `1.5e+06`: the exponent has a sign and two digits at least.
fn scientific(out: &mut String, number: f64, precision: Option<usize>, letter: char) {
    let digits = precision.map(|precision| precision.min(DIGITS_MAX));
    let text = match digits {
        Some(digits) => format!("{number:.digits$e}"),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    out.push_str(mantissa);
    out.extend(std::iter::repeat_n('0', precision.unwrap_or(0) - digits.unwrap_or(0)));
    out.push(letter);
    out.push(sign);
    out.push_str(if exponent.len() < 2 { "0" } else { "" });
    out.push_str(exponent);
}
