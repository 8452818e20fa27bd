//! Text that the host puts together, and the secrets that may stand in it.

use crate::bindings::sandbell::channel::types::{Atom, Derived, Part};

/// A configured secret: it can be placed, never read.
///
/// It holds the name of its option and nothing else; what the name stands for stays with the host, which puts it in
/// after the destination was allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    option: String,
}

/// Text with secrets in it.
///
/// Whatever takes `impl Into<Template>` takes a `&str`, a `String`, a [`Secret`] or one of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Secret {
    pub(crate) fn new(option: impl Into<String>) -> Self {
        Self { option: option.into() }
    }

    /// The option that the secret was typed into.
    pub fn option(&self) -> &str {
        &self.option
    }

    /// The lower-case hexadecimal HMAC-SHA256 of `message` under this secret.
    pub fn hmac_sha256_hex(&self, message: impl Into<String>) -> Template {
        self.hmac("hmac-sha256-hex", message)
    }

    /// The base64 HMAC-SHA256 of `message` under this secret.
    pub fn hmac_sha256_base64(&self, message: impl Into<String>) -> Template {
        self.hmac("hmac-sha256-base64", message)
    }

    /// The base64 HMAC-SHA1 of `message` under this secret.
    pub fn hmac_sha1_base64(&self, message: impl Into<String>) -> Template {
        self.hmac("hmac-sha1-base64", message)
    }

    /// A JSON Web Token with these claims, signed by this private RSA key (RS256). The host adds `iat` and, ten minutes
    /// later, `exp` where the claims have none.
    pub fn jwt_rs256(&self, claims: &serde_json::Value) -> Template {
        self.jwt("jwt-rs256", &serde_json::json!({}), claims)
    }

    /// As [`Secret::jwt_rs256`], by a private key on the curve P-256 (ES256), with a header of your own, e.g. a `kid`.
    pub fn jwt_es256(&self, header: &serde_json::Value, claims: &serde_json::Value) -> Template {
        self.jwt("jwt-es256", header, claims)
    }

    fn jwt(&self, how: &str, header: &serde_json::Value, claims: &serde_json::Value) -> Template {
        let literal = |json: &serde_json::Value| Atom::Literal(json.to_string());
        Template::derived(how, vec![self.atom(), literal(header), literal(claims)])
    }

    fn hmac(&self, how: &str, message: impl Into<String>) -> Template {
        Template::derived(how, vec![self.atom(), Atom::Literal(message.into())])
    }

    pub(crate) fn atom(&self) -> Atom {
        Atom::Secret(self.option.clone())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<secret:{}>", self.option)
    }
}

impl Template {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text, a secret or another template at the end.
    #[must_use]
    pub fn with(mut self, more: impl Into<Self>) -> Self {
        for part in more.into().parts {
            self.push(part);
        }
        self
    }

    pub(crate) fn derived(how: &str, of: Vec<Atom>) -> Self {
        Self { parts: vec![Part::Derived(Derived { how: how.to_owned(), of })] }
    }

    /// A secret inside a JSON string: escaped by the host, without the quotes.
    pub(crate) fn json_escaped(secret: &Secret) -> Self {
        Self::derived("json", vec![secret.atom()])
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if let Some(Part::Literal(last)) = self.parts.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.parts.push(Part::Literal(text.to_owned()));
        }
    }

    /// Percent-encoded: a secret by the host, everything else here. `None` where a derived value, which the host alone
    /// could encode, stands in it.
    pub(crate) fn form_encoded(self) -> Option<Self> {
        let mut encoded = Self::new();
        for part in self.parts {
            match part {
                Part::Literal(text) => encoded.push_text(&percent_encoded(&text)),
                Part::Secret(name) => encoded = encoded.with(Self::derived("url", vec![Atom::Secret(name)])),
                // Neither hexadecimal digits nor the characters of a token need it.
                Part::Derived(derived)
                    if derived.how.ends_with("-hex") || derived.how.starts_with("jwt-") =>
                {
                    encoded.parts.push(Part::Derived(derived));
                }
                Part::Derived(_) => return None,
            }
        }
        Some(encoded)
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    fn push(&mut self, part: Part) {
        match part {
            Part::Literal(text) => self.push_text(&text),
            Part::Secret(_) | Part::Derived(_) => self.parts.push(part),
        }
    }
}

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        String::from(text).into()
    }
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        Self { parts: if text.is_empty() { Vec::new() } else { vec![Part::Literal(text)] } }
    }
}

impl From<&String> for Template {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Secret> for Template {
    fn from(secret: Secret) -> Self {
        Self { parts: vec![Part::Secret(secret.option)] }
    }
}

impl From<&Secret> for Template {
    fn from(secret: &Secret) -> Self {
        secret.clone().into()
    }
}

impl From<&Self> for Template {
    fn from(template: &Self) -> Self {
        template.clone()
    }
}

/// Everything but RFC 3986's unreserved characters becomes `%XX`, so it is also right in a form.
pub(crate) fn percent_encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_texts_become_one_part() {
        let token = Secret::new("token");
        let template = Template::from("Bearer").with(" ").with(&token).with("").with("!");
        assert_eq!(
            template.into_parts(),
            [Part::Literal("Bearer ".into()), Part::Secret("token".into()), Part::Literal("!".into())]
        );
    }

    #[test]
    fn a_secret_shows_its_option_and_nothing_else() {
        assert_eq!(format!("{:?}", Secret::new("token")), "<secret:token>");
    }

    #[test]
    fn forms_are_percent_encoded() {
        for (text, want) in [("a b&c=d", "a%20b%26c%3Dd"), ("é~-._", "%C3%A9~-._"), ("", "")] {
            assert_eq!(percent_encoded(text), want);
        }
    }
}
