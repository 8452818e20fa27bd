//! The head of a request: what a guest may say in it, and what the host says.

use bytes::Bytes;
use http::Method;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use sandbell_domain::escape;
use url::Url;

use crate::template::Secrets;
use crate::value::{Field, HttpError};

use super::invalid;

/// Headers of one request (`reference/security.md` §4.1 rule 12).
const HEADERS_MAX: usize = 48;

const NAME_BYTES_MAX: usize = 64;

/// What the host alone may say, because it frames the message, names its way or speaks for a proxy or a browser
/// (`reference/security.md` §4.4).
const DENIED: [&str; 18] = [
    "host",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "connection",
    "keep-alive",
    "upgrade",
    "http2-settings",
    "expect",
    "accept-encoding",
    "via",
    "forwarded",
    "x-real-ip",
    "cookie2",
    "x-delivery-id",
    "x-notify-hops",
    "alt-used",
];

const DENIED_PREFIXES: [&str; 3] = ["proxy-", "x-forwarded-", "sec-"];

/// A header of the guest with its template filled in.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    pub(super) masked: String,
    pub(super) is_secret: bool,
}

/// The head as it is sent and as it is shown, in the same order.
pub(super) struct Head {
    pub(super) real: HeaderMap,
    pub(super) masked: HeaderMap<String>,
}

pub(super) fn of_guest(fields: &[Field], secrets: &Secrets) -> Result<Vec<Header>, HttpError> {
    if fields.len() > HEADERS_MAX {
        return Err(invalid(format!("the request has more than {HEADERS_MAX} headers")));
    }
    fields
        .iter()
        .map(|field| {
            let name = checked_name(&field.name)?;
            let rendered = secrets.header(name.as_str(), &field.value)?;
            // Backed by the zeroing buffer, which lives as long as the request.
            let bytes = Bytes::from_owner(rendered.real);
            let mut value = HeaderValue::from_maybe_shared(bytes)
                .map_err(|_| invalid(format!("the header `{name}` holds a control character; remove it")))?;
            value.set_sensitive(rendered.is_secret);
            let masked = String::from_utf8_lossy(&rendered.masked).into_owned();
            Ok(Header { name, value, masked, is_secret: rendered.is_secret })
        })
        .collect()
}

fn checked_name(text: &str) -> Result<HeaderName, HttpError> {
    let shown = || escape::line(&escape::cut(text, NAME_BYTES_MAX));
    if text.len() > NAME_BYTES_MAX {
        return Err(invalid(format!("the header name `{}` has more than {NAME_BYTES_MAX} bytes", shown())));
    }
    let name = HeaderName::try_from(text)
        .map_err(|_| invalid(format!("`{}` is no header name; write e.g. `x-auth-token`", shown())))?;
    let lower = name.as_str();
    if DENIED.contains(&lower) || DENIED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        return Err(invalid(format!("the header `{lower}` is the host's to set; leave it out")));
    }
    Ok(name)
}

/// Everything in wire order: host, user-agent, accept, accept-encoding, the guest's, content-length.
pub(super) fn head(
    method: &Method,
    url: &Url,
    guest: &[Header],
    body_bytes: usize,
    user_agent: &HeaderValue,
) -> Result<Head, HttpError> {
    let mut head = Head { real: HeaderMap::new(), masked: HeaderMap::default() };
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let host =
        HeaderValue::try_from(host).map_err(|_| invalid("the URL's host cannot be sent".to_owned()))?;
    let named = |name: &HeaderName| guest.iter().any(|header| header.name == *name);
    head.push(HOST, host);
    if !named(&USER_AGENT) {
        head.push(USER_AGENT, user_agent.clone());
    }
    if !named(&ACCEPT) {
        head.push(ACCEPT, HeaderValue::from_static("*/*"));
    }
    head.push(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    for Header { name, value, masked, is_secret: _ } in guest {
        head.real.append(name, value.clone());
        head.masked.append(name, masked.clone());
    }
    if body_bytes > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        head.push(CONTENT_LENGTH, HeaderValue::from(body_bytes));
    }
    Ok(head)
}

impl Head {
    fn push(&mut self, name: HeaderName, value: HeaderValue) {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.masked.append(&name, text);
        self.real.append(name, value);
    }

    /// As the wire has them.
    pub(super) fn shown(&self) -> Vec<(String, String)> {
        self.masked.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.real.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
    }
}

/// What must not follow a redirect to another origin: secrets, and what a server takes for one.
pub(super) fn stays_at_origin(header: &Header) -> bool {
    header.is_secret || header.name == AUTHORIZATION || header.name == COOKIE
}

/// What describes a body that is no longer sent.
pub(super) fn describes_body(header: &Header) -> bool {
    header.name.as_str().starts_with("content-")
}
