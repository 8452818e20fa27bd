//! Where a daemon is: a socket of this machine, or a URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sandbell_domain::escape;
use url::Url;

/// Where the API of a daemon is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A Unix socket: the kernel says who calls, so no token is needed.
    Socket(PathBuf),
    /// `http` or `https`, with nothing after host and port.
    Url(Url),
}

/// A text that names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no place of a daemon; write `unix:/run/sandbell/api.sock`, `http://127.0.0.1:8601` or `https://sandbell.example.com`",
    escape::line(.0)
)]
pub(crate) struct BadPlace(String);

impl Place {
    /// What the URLs of requests begin with; the host's name means nothing on a socket.
    pub(super) fn base(&self) -> Url {
        match self {
            Self::Socket(_) => Url::parse("http://sandbell/").expect("the text is a URL"),
            Self::Url(url) => url.clone(),
        }
    }

    /// Whether what is sent could be read on its way.
    pub(super) fn is_open_to_others(&self) -> bool {
        match self {
            Self::Socket(_) => false,
            Self::Url(url) => url.scheme() == "http" && !is_loopback(url),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let bad = || BadPlace(text.chars().take(200).collect());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return if path.is_absolute() { Ok(Self::Socket(path)) } else { Err(bad()) };
        }
        let url = Url::parse(text).map_err(|_| bad())?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        if is_bare && is_plain && is_http { Ok(Self::Url(url)) } else { Err(bad()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
            Self::Url(url) => f.write_str(url.as_str().trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_socket_or_a_url_without_a_path() {
        let check = |text: &str, want: &str| assert_eq!(text.parse::<Place>().unwrap().to_string(), want);
        check("unix:/run/sandbell/api.sock", "unix:/run/sandbell/api.sock");
        check("unix:///run/sandbell/api.sock", "unix:/run/sandbell/api.sock");
        check("http://127.0.0.1:8601", "http://127.0.0.1:8601");
        check("https://sandbell.example.com/", "https://sandbell.example.com");
        for bad in [
            "",
            "unix:",
            "unix:api.sock",
            "/run/x",
            "ftp://a",
            "http://a/api",
            "http://me:pw@a",
            "https://a?b",
            "a:1",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_http_to_another_machine_can_be_read_on_its_way() {
        let check = |text: &str, want| {
            assert_eq!(text.parse::<Place>().unwrap().is_open_to_others(), want, "{text}");
        };
        check("unix:/x", false);
        check("http://127.0.0.1:8601", false);
        check("http://[::1]:8601", false);
        check("http://localhost:8601", false);
        check("https://sandbell.example.com", false);
        check("http://sandbell.example.com", true);
        check("http://10.0.0.1", true);
    }
}
