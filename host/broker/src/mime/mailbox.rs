//! Mail addresses in the narrow grammar that no server misreads.

use lettre::Address;
use lettre::message::Mailbox;
use sandbell_domain::escape;
use url::Host;

use super::{MailError, check_text};
use crate::value;

/// Local parts and domains as RFC 5321 §4.5.3.1 bounds them.
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 253;

pub(super) fn mailbox(mailbox: &value::Mailbox, what: &'static str) -> Result<Mailbox, MailError> {
    let value::Mailbox { name, address: text } = mailbox;
    if let Some(name) = name {
        check_text(name, what)?;
    }
    let name = name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Mailbox::new(name, address(text)?))
}

/// A dot-atom of ASCII and a host name; a name in another script is sent as its `xn--` form.
///
/// No quotes, comments, routes (`%`, `!`), pipes or address literals: lettre takes them, and servers act on them.
fn address(text: &str) -> Result<Address, MailError> {
    let bad = || MailError::Address(escape::line(&escape::cut(text, 128)));
    let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_=&'*/?^{}~#$".contains(&byte))
    };
    if local.len() > LOCAL_BYTES_MAX || !local.split('.').all(is_atom) || local.starts_with(['-', '/']) {
        return Err(bad());
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else { return Err(bad()) };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if domain.len() > DOMAIN_BYTES_MAX || !domain.split('.').all(is_label) {
        return Err(bad());
    }
    Address::new(local, domain).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_atom_at_one_host() {
        let check = |text: &str, want: &str| {
            let got = address(text).map_or_else(|error| error.to_string(), |address| address.to_string());
            assert_eq!(got, want);
        };
        for good in ["a@example.com", "a.b+c@example.com", "root@localhost", "o'neil@x-y.example"] {
            check(good, good);
        }
        check("a@Example.COM", "a@example.com");
        check("a@bücher.example", "a@xn--bcher-kva.example");
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "\"a>b\"@x",
            "\"<x@y>\"@x",
            "a%c@b",
            "a!b@c",
            "|/bin/sh@x",
            "-oQ/tmp@x",
            "/tmp/x@y",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            ".a@b",
            "a.@b",
            "a..b@c",
            "ü@b",
            "a@-b.c",
            "a@b..c",
            "a@b.",
            "@r:a@b",
            "a@b,c@d",
            "a@b>",
            "<a@b>",
            "a(c)@b",
            "a@b c",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
        check(
            "a\r\nRCPT TO:<x@y>@b",
            "`a\\r\\nRCPT TO:<x@y>@b` is no mail address; write `name@example.com`, without quotes, routes or comments",
        );
        assert!(address(&format!("{}@b", "a".repeat(65))).is_err());
        assert!(address(&format!("a@{}.example", "b".repeat(64))).is_err());
    }
}
