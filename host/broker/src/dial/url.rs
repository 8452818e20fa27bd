//! Which URLs a grant allows: the text first, then the rules, then an address that is written out.

use std::sync::Arc;

use sandbell_domain::{HttpRule, escape};
use url::{Host, Url};

use super::{AuthorizedTarget, DialError, Reach, is_name};

const URL_BYTES_MAX: usize = 2048;

impl Reach {
    /// Parses and allows a URL for `method`. `shown` is the URL as people may see it.
    pub(crate) fn url(
        self: &Arc<Self>,
        rules: &[HttpRule],
        method: &str,
        text: &str,
        shown: &str,
    ) -> Result<(Url, AuthorizedTarget), DialError> {
        let url = parse(text)?;
        if !rules.iter().any(|rule| rule.covers(method, &url)) {
            return Err(not_granted(rules, method, &url, shown));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => Host::Domain(name.strip_suffix('.').unwrap_or(name).to_owned()),
            Some(Host::Ipv4(address)) => Host::Ipv4(address),
            Some(Host::Ipv6(address)) => Host::Ipv6(address),
            None => return Err(DialError::BadUrl("the URL has no host")),
        };
        // `http` and `https` have a port by default, and no other scheme comes this far.
        let port = url.port_or_known_default().unwrap_or(443);
        let target = AuthorizedTarget { host, port, reach: self.clone() };
        target.check_literal()?;
        Ok((url, target))
    }
}

/// Refuses what parsers read in two ways (`reference/security.md` §4.1 rules 1 to 4).
fn parse(text: &str) -> Result<Url, DialError> {
    let bad = |reason| Err(DialError::BadUrl(reason));
    if text.len() > URL_BYTES_MAX {
        return bad("the URL has more than 2048 bytes");
    }
    if text.bytes().any(|byte| byte <= b' ' || matches!(byte, 0x7f | b'\\')) {
        return bad("the URL holds a blank, a control character or a backslash; percent-encode it");
    }
    if text.contains('#') {
        return bad("the URL holds a fragment, which is never sent; leave out `#` and what follows");
    }
    let authority = text.split_once("://").map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    let Some(authority) = authority.filter(|authority| !authority.is_empty()) else {
        return bad("the URL is not absolute; write `https://`, a host and a path");
    };
    if authority.contains('@') {
        return bad("the URL holds a user name or a password; send an `authorization` header instead");
    }
    if authority.contains('%') {
        return bad("the URL's host is percent-encoded; write it plainly");
    }
    let Ok(url) = Url::parse(text) else {
        return bad("the URL cannot be read; write `https://`, a host and a path");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return bad("the URL is neither `https://` nor `http://`");
    }
    if url.port() == Some(0) {
        return bad("the URL's port is 0");
    }
    match url.host() {
        Some(Host::Domain(name)) if !is_name(name.strip_suffix('.').unwrap_or(name)) => {
            bad("the URL's host is no host name; labels have 1 to 63 letters, digits and hyphens")
        }
        Some(_) => Ok(url),
        None => bad("the URL has no host"),
    }
}

fn not_granted(rules: &[HttpRule], method: &str, url: &Url, shown: &str) -> DialError {
    let shown = escape::line(&escape::cut(shown, 512));
    let place = shown.split('?').next().unwrap_or_default();
    let granted: Vec<_> = rules.iter().take(8).map(|rule| format!("`{rule}`")).collect();
    DialError::NotGranted(format!(
        "`{method} {shown}` is not granted; the missing want is `http {method} {place}`, granted is {}{}",
        granted.join(", "),
        hint(url)
    ))
}

/// The one refusal that the two targets side by side do not explain.
fn hint(url: &Url) -> &'static str {
    let lower = url.path().to_ascii_lowercase();
    if lower.contains("%2f") || lower.contains("%5c") {
        "; `*` never stands for an encoded slash or backslash"
    } else {
        ""
    }
}
