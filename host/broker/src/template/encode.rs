//! How values are written inside others: percent, JSON, base64, HMAC.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha1::Sha1;
use sha2::Sha256;

/// All but the unreserved characters (RFC 3986 §2.3): nothing in a value can end it.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// All but `pchar` (RFC 3986 §3.3): a value stays within its segment, and `123:abc` stays readable.
const PATH: &AsciiSet = &QUERY
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

pub(crate) fn query(bytes: &[u8]) -> String {
    percent_encode(bytes, QUERY).to_string()
}

pub(crate) fn path(bytes: &[u8]) -> String {
    percent_encode(bytes, PATH).to_string()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The inside of a JSON string (RFC 8259 §7), without its quotes.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out
}

/// Whether `how` takes a key; `None` if there is no such way.
pub(super) fn is_keyed(how: &str) -> Option<bool> {
    match how {
        "url" | "json" | "base64" => Some(false),
        "hmac-sha256-hex" | "hmac-sha256-base64" | "hmac-sha1-base64" => Some(true),
        _ => None,
    }
}

/// The value that a way known to [`is_keyed`] makes of `message`.
pub(super) fn derive(how: &str, key: &[u8], message: &[u8]) -> Vec<u8> {
    match how {
        "url" => query(message),
        // Atoms are texts, so what they join to is one.
        "json" => json(&String::from_utf8_lossy(message)),
        "hmac-sha256-hex" => hex(&sha256(key, message)),
        "hmac-sha256-base64" => base64(&sha256(key, message)),
        "hmac-sha1-base64" => base64(&sha1(key, message)),
        _ => base64(message),
    }
    .into_bytes()
}

fn sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
