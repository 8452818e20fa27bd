//! URLs from templates: where a secret may stand in one, and how it is written there.

use zeroize::Zeroizing;

use super::{PARTS_MAX, Rendered, Secrets, TemplateError, Writer, encode};
use crate::value::{Field, Part};

/// The longest URL (`reference/security.md` §4.1 rule 1).
const URL_BYTES_MAX: usize = 2048;

/// A URL that still has to be checked and allowed.
pub(crate) struct RenderedUrl {
    pub(crate) real: Zeroizing<String>,
    /// With a mark for each secret; one that opens the URL keeps scheme and host, which a grant names anyway.
    pub(crate) masked: String,
    pub(crate) is_secret: bool,
    /// The secret URL that opened it: what follows must not lead to another host.
    pub(crate) opening: Option<::url::Url>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authority,
    Path,
    Query,
}

impl Secrets {
    /// The URL and its appended query, both percent-encoded where a secret or a query's value goes in.
    pub(crate) fn url(&self, url: &[Part], query: &[Field]) -> Result<RenderedUrl, TemplateError> {
        if url.len() + query.iter().map(|field| field.value.len()).sum::<usize>() > PARTS_MAX {
            return Err(TemplateError::Parts);
        }
        let mut out = Writer { what: "the URL", bytes_max: URL_BYTES_MAX, rendered: Rendered::empty() };
        let mut opening = None;
        for (index, part) in url.iter().enumerate() {
            match part {
                Part::Secret(name) if index == 0 => opening = Some(self.open(name, &mut out)?),
                Part::Literal(text) => out.literal(text.as_bytes())?,
                Part::Secret(_) | Part::Derived(_) => match place(&out.rendered.real) {
                    Place::Authority => return Err(TemplateError::Authority),
                    Place::Path => self.inside(part, &mut out, encode::path)?,
                    Place::Query => self.inside(part, &mut out, encode::query)?,
                },
            }
        }
        for Field { name, value } in query {
            let separator = if place(&out.rendered.real) == Place::Query { "&" } else { "?" };
            let separator = if out.rendered.real.last() == Some(&b'?') { "" } else { separator };
            out.literal(format!("{separator}{}=", encode::query(name.as_bytes())).as_bytes())?;
            for part in value {
                self.inside(part, &mut out, encode::query)?;
            }
        }
        let Rendered { mut real, masked, is_secret } = out.rendered;
        // Both are made of texts and ASCII.
        let real = String::from_utf8(std::mem::take(&mut *real)).map_err(|_| TemplateError::Authority)?;
        let masked = String::from_utf8_lossy(&masked).into_owned();
        Ok(RenderedUrl { real: Zeroizing::new(real), masked, is_secret, opening })
    }

    fn open(&self, name: &str, out: &mut Writer) -> Result<::url::Url, TemplateError> {
        let value = self.get(name)?.trim();
        let url = ::url::Url::parse(value).ok().filter(::url::Url::has_host);
        let url = url.ok_or_else(|| TemplateError::NotUrl(name.to_owned()))?;
        let origin = url.origin().ascii_serialization();
        out.secret(value.as_bytes(), &format!("{origin}/<secret:{name}>"))?;
        Ok(url)
    }

    fn inside(
        &self,
        part: &Part,
        out: &mut Writer,
        encode: fn(&[u8]) -> String,
    ) -> Result<(), TemplateError> {
        match part {
            Part::Literal(text) => {
                out.room(text.len())?;
                out.literal(encode(text.as_bytes()).as_bytes())
            }
            Part::Secret(name) => {
                let value = self.get(name)?;
                out.room(value.len())?;
                out.secret(
                    &Zeroizing::new(encode(value.as_bytes()).into_bytes()),
                    &format!("<secret:{name}>"),
                )
            }
            // What is percent-encoded already is not encoded twice.
            Part::Derived(derived) if derived.how == "url" => self.derived(derived, out, <[u8]>::to_vec),
            Part::Derived(derived) => self.derived(derived, out, |bytes| encode(bytes).into_bytes()),
        }
    }
}

fn place(text: &[u8]) -> Place {
    let Some(start) = text.windows(3).position(|window| window == b"://") else { return Place::Authority };
    let rest = &text[start + 3..];
    match rest.iter().find(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')) {
        None => Place::Authority,
        Some(_) if rest.contains(&b'?') => Place::Query,
        Some(_) => Place::Path,
    }
}
