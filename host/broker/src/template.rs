//! Templates: the only code that turns secrets into bytes.
//!
//! Every template is rendered twice at once, for the wire and for people, and the two never mix. Sizes are checked
//! before anything is copied, so a template of a gigabyte costs what its first part costs.

pub(crate) mod encode;
mod jwt;
mod url;

use jiff::Timestamp;
use sandbell_domain::{Config, escape};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::value::{Atom, Body, Derived, HttpRequest, Part};

use jwt::Algorithm;
pub(crate) use url::RenderedUrl;

/// Parts of one template, so that empty ones cannot keep the host busy.
const PARTS_MAX: usize = 4096;

/// What people see of one template; records are cut at this length anyway.
const MASKED_BYTES_MAX: usize = 64 * 1024;

/// The longest header value (`reference/security.md` §4.4).
const HEADER_BYTES_MAX: usize = 8 * 1024;

/// The secrets of one channel, by the names of their options.
pub(crate) struct Secrets {
    values: Vec<(String, SecretString)>,
    now: fn() -> Timestamp,
}

/// A template with everything filled in: `real` for the wire, `masked` for people.
pub(crate) struct Rendered {
    pub(crate) real: Zeroizing<Vec<u8>>,
    pub(crate) masked: Vec<u8>,
    pub(crate) is_secret: bool,
}

/// How a mail server is told who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Plain,
    Login,
    Xoauth2,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("`{0}` names no secret that is set; write the name of an option of kind `secret`")]
    UnknownSecret(String),
    #[error("a secret may open a URL or stand in its path or query, not in scheme, host or port")]
    Authority,
    #[error("the secret `{0}` is not a URL of its own, so it cannot open one; enter a whole `https://…` URL")]
    NotUrl(String),
    #[error(
        "`{0}` is no way to derive a value; write url, json, base64, hmac-sha256-hex, hmac-sha256-base64, hmac-sha1-base64, jwt-rs256 or jwt-es256"
    )]
    UnknownHow(String),
    #[error("`{0}` needs a key as its first atom")]
    NoKey(String),
    #[error("`{0}` needs a key, a header and claims as its atoms")]
    NoClaims(String),
    #[error("the secret is no private key for {0}; enter it as PEM, whole, in PKCS #8")]
    Key(&'static str),
    #[error("the {0} of a token must be a JSON object")]
    Object(&'static str),
    #[error("{what} has more than {bytes_max} bytes")]
    Long { what: &'static str, bytes_max: usize },
    #[error("a template has more than {PARTS_MAX} parts")]
    Parts,
    #[error("the secret `{0}` holds a control character, e.g. a line feed at its end; enter it anew")]
    SecretControl(String),
    #[error("the header `{0}` holds a control character; remove it")]
    HeaderControl(String),
}

impl TemplateError {
    /// The contract's word for it.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::UnknownSecret(_)
            | Self::Authority
            | Self::NotUrl(_)
            | Self::SecretControl(_)
            | Self::Key(_) => "secret",
            Self::UnknownHow(_)
            | Self::NoKey(_)
            | Self::NoClaims(_)
            | Self::Object(_)
            | Self::HeaderControl(_)
            | Self::Parts => "invalid-request",
            Self::Long { .. } => "too-large",
        }
    }
}

impl Secrets {
    /// `now` dates the tokens that are signed.
    pub(crate) fn of(config: &Config, now: fn() -> Timestamp) -> Self {
        let values = config.secrets().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Self { values, now }
    }

    /// These, and the tokens that an attempt holds.
    pub(crate) fn with(&self, tokens: &[(String, SecretString)]) -> Self {
        Self { values: [&self.values, tokens].concat(), now: self.now }
    }

    /// Names and values, for the code that takes secrets out of what comes back.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }

    fn get(&self, name: &str) -> Result<&str, TemplateError> {
        self.plain()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .ok_or_else(|| TemplateError::UnknownSecret(escape::cut(name, 64)))
    }

    /// A body: secrets as they are.
    pub(crate) fn body(&self, template: &[Part], bytes_max: usize) -> Result<Rendered, TemplateError> {
        self.render(template, "the body", bytes_max, |secret| secret.as_bytes().to_vec())
    }

    /// A header's value: secrets as they are, and no control character but a tab.
    pub(crate) fn header(&self, name: &str, template: &[Part]) -> Result<Rendered, TemplateError> {
        for part in template {
            if let Part::Secret(name) = part
                && self.get(name)?.bytes().any(is_control)
            {
                return Err(TemplateError::SecretControl(name.clone()));
            }
        }
        let rendered =
            self.render(template, "a header", HEADER_BYTES_MAX, |secret| secret.as_bytes().to_vec())?;
        if rendered.real.iter().copied().any(is_control) {
            return Err(TemplateError::HeaderControl(name.to_owned()));
        }
        Ok(rendered)
    }

    /// The lines of a login, without their ends, one for each challenge (RFC 4616, RFC 4954, Google's XOAUTH2).
    pub(crate) fn login(
        &self,
        mechanism: Mechanism,
        user: &str,
        password: &str,
    ) -> Result<Vec<Zeroizing<String>>, TemplateError> {
        let value = self.get(password)?;
        if value.bytes().any(|byte| matches!(byte, 0 | 1 | b'\r' | b'\n')) {
            return Err(TemplateError::SecretControl(password.to_owned()));
        }
        let encode = |text: &str| Zeroizing::new(encode::base64(text.as_bytes()));
        let join = |head: &str, text: Zeroizing<String>| {
            let encoded = encode(&text);
            Zeroizing::new(format!("{head}{}", *encoded))
        };
        Ok(match mechanism {
            Mechanism::Plain => {
                vec![join("AUTH PLAIN ", Zeroizing::new(format!("\0{user}\0{value}")))]
            }
            Mechanism::Login => {
                vec![Zeroizing::new("AUTH LOGIN".to_owned()), encode(user), encode(value)]
            }
            Mechanism::Xoauth2 => {
                let text = Zeroizing::new(format!("user={user}\x01auth=Bearer {value}\x01\x01"));
                vec![join("AUTH XOAUTH2 ", text)]
            }
        })
    }

    /// What a broker of messages is told: the password, or a whole SASL PLAIN message (RFC 4616).
    pub(crate) fn password(
        &self,
        password: &str,
        plain_for: Option<&str>,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        let value = self.get(password)?;
        let Some(user) = plain_for else { return Ok(Zeroizing::new(value.as_bytes().to_vec())) };
        if value.bytes().any(|byte| byte == 0) {
            return Err(TemplateError::SecretControl(password.to_owned()));
        }
        Ok(Zeroizing::new([b"\0", user.as_bytes(), b"\0", value.as_bytes()].concat()))
    }

    fn render(
        &self,
        template: &[Part],
        what: &'static str,
        bytes_max: usize,
        encode: impl Fn(&str) -> Vec<u8>,
    ) -> Result<Rendered, TemplateError> {
        if template.len() > PARTS_MAX {
            return Err(TemplateError::Parts);
        }
        let mut out = Writer { what, bytes_max, rendered: Rendered::empty() };
        for part in template {
            match part {
                Part::Literal(text) => out.literal(text.as_bytes())?,
                Part::Secret(name) => {
                    let value = self.get(name)?;
                    out.room(value.len())?;
                    out.secret(&Zeroizing::new(encode(value)), &format!("<secret:{name}>"))?;
                }
                Part::Derived(derived) => self.derived(derived, &mut out, <[u8]>::to_vec)?,
            }
        }
        Ok(out.rendered)
    }

    /// Computes a value and writes it; one without a secret in it is shown as it is.
    fn derived(
        &self,
        derived: &Derived,
        out: &mut Writer,
        encode: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Result<(), TemplateError> {
        let Derived { how, of } = derived;
        if let Some(algorithm) = Algorithm::of(how) {
            return self.signed(algorithm, derived, out, encode);
        }
        let is_keyed = encode::is_keyed(how)
            .ok_or_else(|| TemplateError::UnknownHow(escape::line(&escape::cut(how, 64))))?;
        if of.len() > PARTS_MAX {
            return Err(TemplateError::Parts);
        }
        let (key, message) = match of.split_first() {
            Some((key, message)) if is_keyed => (self.join(std::slice::from_ref(key), out)?, message),
            None if is_keyed => return Err(TemplateError::NoKey(how.clone())),
            Some(_) | None => (Zeroizing::default(), of.as_slice()),
        };
        let message = self.join(message, out)?;
        let value = Zeroizing::new(encode(&encode::derive(how, &key, &message)));
        let names: Vec<_> = of
            .iter()
            .filter_map(|atom| match atom {
                Atom::Literal(_) => None,
                Atom::Secret(name) => Some(format!("secret:{name}")),
            })
            .collect();
        if names.is_empty() {
            return out.literal(&value);
        }
        out.secret(&value, &format!("<{how} of {}>", names.join(", ")))
    }

    /// Signs a token; it is shown by the name of its key.
    fn signed(
        &self,
        algorithm: Algorithm,
        Derived { how, of }: &Derived,
        out: &mut Writer,
        encode: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Result<(), TemplateError> {
        let [key, header, claims @ ..] = of.as_slice() else {
            return Err(TemplateError::NoClaims(how.clone()));
        };
        if of.len() > PARTS_MAX {
            return Err(TemplateError::Parts);
        }
        let shown = match key {
            Atom::Literal(_) => format!("<{how}>"),
            Atom::Secret(name) => format!("<{how} by secret:{name}>"),
        };
        let [key, header, claims] = [std::slice::from_ref(key), std::slice::from_ref(header), claims]
            .map(|atoms| self.join(atoms, out));
        let token = Zeroizing::new(algorithm.token(&key?, &header?, &claims?, (self.now)())?);
        out.secret(&Zeroizing::new(encode(token.as_bytes())), &shown)
    }

    fn join(&self, atoms: &[Atom], out: &Writer) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        let mut joined = Zeroizing::new(Vec::new());
        for atom in atoms {
            let bytes = match atom {
                Atom::Literal(text) => text.as_bytes(),
                Atom::Secret(name) => self.get(name)?.as_bytes(),
            };
            out.room(joined.len() + bytes.len())?;
            joined.extend_from_slice(bytes);
        }
        Ok(joined)
    }
}

impl Rendered {
    fn empty() -> Self {
        Self { real: Zeroizing::default(), masked: Vec::new(), is_secret: false }
    }
}

/// How many tokens would have to be signed to render this request.
pub(crate) fn signatures(request: &HttpRequest) -> u32 {
    let HttpRequest { method: _, url, query, headers, body, timeout: _ } = request;
    let body: &[Part] = match body {
        Body::Empty | Body::Bytes(_) => &[],
        Body::Text(text) => text,
    };
    let fields = query.iter().chain(headers).flat_map(|field| &field.value);
    let signed = url.iter().chain(fields).chain(body).filter(|part| match part {
        Part::Derived(derived) => Algorithm::of(&derived.how).is_some(),
        Part::Literal(_) | Part::Secret(_) => false,
    });
    u32::try_from(signed.count()).unwrap_or(u32::MAX)
}

/// Writes both renderings within a limit.
struct Writer {
    what: &'static str,
    bytes_max: usize,
    rendered: Rendered,
}

impl Writer {
    /// Whether `more` bytes still fit, before they are made.
    fn room(&self, more: usize) -> Result<(), TemplateError> {
        if self.rendered.real.len().saturating_add(more) > self.bytes_max {
            return Err(TemplateError::Long { what: self.what, bytes_max: self.bytes_max });
        }
        Ok(())
    }

    fn literal(&mut self, bytes: &[u8]) -> Result<(), TemplateError> {
        self.room(bytes.len())?;
        self.rendered.real.extend_from_slice(bytes);
        self.mask(bytes);
        Ok(())
    }

    fn secret(&mut self, real: &[u8], mark: &str) -> Result<(), TemplateError> {
        self.room(real.len())?;
        self.rendered.real.extend_from_slice(real);
        self.rendered.is_secret = true;
        self.mask(mark.as_bytes());
        Ok(())
    }

    fn mask(&mut self, bytes: &[u8]) {
        let room = MASKED_BYTES_MAX.saturating_sub(self.rendered.masked.len());
        self.rendered.masked.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

const fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

#[cfg(test)]
pub(crate) mod tests;
