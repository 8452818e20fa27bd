//! Takes secrets out of what comes back: answers, errors, logs.
//!
//! The second line of defence (`reference/security.md` §1.5): a server may echo a secret in a form that is not
//! looked for here. The first line is that a guest never holds one.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::template::{Secrets, encode};

/// Shorter secrets are left alone: replacing every `on` would make answers unreadable and hide nothing.
const SECRET_BYTES_MIN: usize = 4;

/// Base64 of a shorter secret is too short to be told from other text.
const BASE64_SECRET_BYTES_MIN: usize = 6;

/// Finds a channel's secrets in one pass, in plain, percent-encoded, JSON, hexadecimal and base64 form.
pub(crate) struct Scrubber {
    finder: Option<AhoCorasick>,
    /// The name of the secret for each pattern of the finder.
    names: Vec<String>,
}

impl Scrubber {
    pub(crate) fn new(secrets: &Secrets) -> Self {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut names = Vec::new();
        for (name, value) in secrets.plain() {
            let mut forms = Vec::new();
            for text in [value, value.trim(), behind_host(value)] {
                if text.len() >= SECRET_BYTES_MIN {
                    forms.extend(forms_of(text));
                }
            }
            forms.sort_unstable();
            forms.dedup();
            names.extend(forms.iter().map(|_| name.to_owned()));
            patterns.extend(forms);
        }
        let finder = (!patterns.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns).ok())
            .flatten();
        Self { finder, names }
    }

    pub(crate) fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(finder) = self.finder.as_ref().filter(|finder| finder.is_match(bytes)) else {
            return Cow::Borrowed(bytes);
        };
        let mut out = Vec::with_capacity(bytes.len());
        let mut last = 0;
        for found in finder.find_iter(bytes) {
            out.extend_from_slice(&bytes[last..found.start()]);
            out.extend_from_slice(format!("[redacted:{}]", self.names[found.pattern()]).as_bytes());
            last = found.end();
        }
        out.extend_from_slice(&bytes[last..]);
        Cow::Owned(out)
    }

    pub(crate) fn text(&self, text: &str) -> String {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => text.to_owned(),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// Path and query of a secret that is a URL: servers echo them without the host.
fn behind_host(value: &str) -> &str {
    value.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path.trim())
}

fn forms_of(text: &str) -> Vec<Vec<u8>> {
    let json = encode::json(text);
    let hex = encode::hex(text.as_bytes());
    let query = encode::query(text.as_bytes());
    let mut forms = vec![
        text.to_owned(),
        encode::path(text.as_bytes()),
        lower_escapes(&query),
        query.replace("%20", "+"),
        query,
        json.replace('/', "\\/"),
        // Go escapes these for HTML.
        json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"),
        json,
        hex.to_uppercase(),
        hex,
    ];
    if text.len() >= BASE64_SECRET_BYTES_MIN {
        for shift in 0..3 {
            forms.push(base64_at(text, shift, &STANDARD_NO_PAD));
            forms.push(base64_at(text, shift, &URL_SAFE_NO_PAD));
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// The characters of base64 that depend on `text` alone when `shift` bytes of something else stand before it.
fn base64_at(text: &str, shift: usize, engine: &base64::engine::GeneralPurpose) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(text.as_bytes());
    let encoded = engine.encode(&bytes);
    let first = (shift * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    encoded[first..end].to_owned()
}

/// `%2F` as `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // An encoder writes two digits after each percent sign.
        let (digits, rest) = part.split_at(2.min(part.len()));
        out.extend(["%", &digits.to_ascii_lowercase(), rest]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::secrets;

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let secret = "hünter2/+ \"x\"&y";
        let scrubber = Scrubber::new(&secrets(&[("t", secret)]));
        let check = |text: &str| {
            let got = scrubber.text(&format!("before {text} after"));
            assert_eq!(got, "before [redacted:t] after", "{text}");
        };
        check(secret);
        check(&encode::path(secret.as_bytes()));
        check(&encode::query(secret.as_bytes()));
        check(&encode::query(secret.as_bytes()).replace("%20", "+"));
        check(&lower_escapes(&encode::query(secret.as_bytes())));
        check(&encode::json(secret));
        check(&encode::json(secret).replace('/', "\\/"));
        check(&encode::json(secret).replace('&', "\\u0026"));
        check(&encode::hex(secret.as_bytes()));
        check(&encode::hex(secret.as_bytes()).to_uppercase());
    }

    #[test]
    fn base64_is_masked_wherever_it_starts() {
        let scrubber = Scrubber::new(&secrets(&[("t", "sub?~?~way>>")]));
        for shift in 0..6 {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(format!("{}sub?~?~way>>:rest", "u".repeat(shift)));
                let got = scrubber.text(&encoded);
                assert!(got.contains("[redacted:t]"), "{encoded} {got}");
            }
        }
    }

    #[test]
    fn a_secret_url_is_masked_without_its_host_too() {
        let scrubber = Scrubber::new(&secrets(&[("hook", "https://hooks.example/services/T0/B0/x")]));
        let check = |text: &str, want: &str| assert_eq!(scrubber.text(text), want);
        check("POST /services/T0/B0/x HTTP/1.1", "POST /[redacted:hook] HTTP/1.1");
        check("see https://hooks.example/services/T0/B0/x", "see [redacted:hook]");
        check("https://hooks.example/", "https://hooks.example/");
    }

    #[test]
    fn what_is_too_short_or_not_there_is_left_alone() {
        let scrubber = Scrubber::new(&secrets(&[("a", "on"), ("b", "abcd"), ("c", "abcdef")]));
        let check = |text: &str, want: &str| assert_eq!(scrubber.text(text), want);
        check("on abcd abcdef abc", "on [redacted:b] [redacted:c] abc");
        let text = b"nothing of it \xff";
        assert!(matches!(scrubber.bytes(text), Cow::Borrowed(same) if same == text));
        assert_eq!(*scrubber.bytes(b"\xffabcd\xff"), *b"\xff[redacted:b]\xff");
        assert_eq!(Scrubber::new(&secrets(&[])).text("abcd"), "abcd");
    }
}
