//! Rules: targets that were understood, asked by the brokers before anything is sent.

mod publish; // messages: AMQP and MQTT

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::escape;
use crate::target::{BadTarget, METHODS};

pub use publish::{AmqpRule, MqttRule, NamePattern};

/// One line of an HTTP grant.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRule {
    pub methods: Vec<String>,
    /// `https`, or `http` where the target says so.
    pub scheme: String,
    pub host: HostPattern,
    pub port: u16,
    pub path: PathPattern,
    /// The path came out of a secret, so it is not shown.
    pub is_secret: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    Exact(String),
    /// Everything that starts like this.
    Prefix(String),
}

/// A host name, or all hosts one label below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    Exact(String),
    /// `*.example.com`: `a.example.com`, neither `example.com` nor `a.b.example.com`.
    OneLabelBelow(String),
}

/// One line of a mail grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpRule {
    pub host: HostPattern,
    pub port: u16,
}

/// Addresses that an operator opens although they are private; without a port, on every port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NetworkRule {
    net: IpNet,
    port: Option<u16>,
}

impl HttpRule {
    pub fn parse(target: &str) -> Result<Self, BadTarget> {
        let (methods, url) = target.trim().split_once(' ').unwrap_or(("", target.trim()));
        // An empty method is GET, as Go's http client has it.
        let methods = if methods.is_empty() { "GET" } else { methods };
        let methods = methods.split(',').map(method).collect::<Result<Vec<_>, _>>()?;
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(|| bad_url(url))?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(bad_url(url));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let path = &path[..path.find(['?', '#']).unwrap_or(path.len())];
        if authority.contains('@') {
            return Err(BadTarget::UserInfo);
        }
        let below = authority.strip_prefix("*.");
        let (head, is_prefix) = path.strip_suffix('*').map_or((path, false), |head| (head, true));
        if below.unwrap_or(authority).contains('*') || head.contains('*') {
            return Err(BadTarget::Wildcard(url.to_owned()));
        }
        // The parser of the requests' URLs also canonises the rule, so both mean the same by the same text.
        let parsed = Url::parse(&format!("{scheme}://{}{head}", below.unwrap_or(authority)))
            .map_err(|_| bad_url(url))?;
        let host = parsed.host().ok_or_else(|| bad_url(url))?;
        let host = HostPattern::new(&host, below.is_some())?;
        let port = parsed.port_or_known_default().ok_or_else(|| bad_url(url))?;
        let path = parsed.path().to_owned();
        let path = if is_prefix { PathPattern::Prefix(path) } else { PathPattern::Exact(path) };
        Ok(Self { methods, scheme, host, port, path, is_secret: false })
    }

    /// Whether this rule allows `method` to go to `url`. The query is free.
    ///
    /// An encoded slash or backslash never matches a prefix: what is one segment here could be two at the server.
    pub fn covers(&self, method: &str, url: &Url) -> bool {
        let Self { methods, scheme, host, port, path, is_secret: _ } = self;
        let path_covered = match path {
            PathPattern::Exact(exact) => url.path() == exact,
            PathPattern::Prefix(prefix) => {
                let lower = url.path().to_ascii_lowercase();
                url.path().starts_with(prefix.as_str()) && !lower.contains("%2f") && !lower.contains("%5c")
            }
        };
        methods.iter().any(|granted| granted == method)
            && scheme == url.scheme()
            && url.host().is_some_and(|found| host.covers(&found))
            && url.port_or_known_default() == Some(*port)
            && path_covered
    }
}

fn method(text: &str) -> Result<String, BadTarget> {
    let upper = text.trim().to_ascii_uppercase();
    if METHODS.contains(&upper.as_str()) { Ok(upper) } else { Err(BadTarget::Method(escape::line(text))) }
}

/// Names the URL without what could be a secret in it.
fn bad_url(url: &str) -> BadTarget {
    let shown: String = url.chars().take_while(|char| !matches!(char, '?' | '#' | '@')).take(80).collect();
    BadTarget::Url(escape::line(&shown))
}

impl HostPattern {
    fn new(host: &Host<&str>, is_below: bool) -> Result<Self, BadTarget> {
        let text = host.to_string();
        let name = text.strip_suffix('.').unwrap_or(&text).to_owned();
        if !is_below {
            return Ok(Self::Exact(name));
        }
        // `*.com` would be all; a wildcard needs a name of two labels below it.
        if !matches!(host, Host::Domain(_)) || !name.contains('.') {
            return Err(BadTarget::Host(format!("*.{name}")));
        }
        Ok(Self::OneLabelBelow(name))
    }

    pub fn parse(text: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget::Host(escape::line(text));
        let below = text.strip_prefix("*.");
        let host = Host::parse(below.unwrap_or(text)).map_err(|_| bad())?;
        let host = match &host {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(address) => Host::Ipv4(*address),
            Host::Ipv6(address) => Host::Ipv6(*address),
        };
        Self::new(&host, below.is_some())
    }

    pub fn covers(&self, host: &Host<&str>) -> bool {
        let text = host.to_string();
        let name = text.strip_suffix('.').unwrap_or(&text);
        match self {
            Self::Exact(exact) => name == exact,
            Self::OneLabelBelow(parent) => name
                .strip_suffix(parent.as_str())
                .and_then(|head| head.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }
}

impl SmtpRule {
    pub fn parse(target: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget::Smtp(escape::line(target));
        let (host, port) = target.trim().rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(bad)?;
        // An IPv6 address is written with and without brackets.
        let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
        Ok(Self { host: HostPattern::parse(&host)?, port })
    }

    pub fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        self.host.covers(host) && self.port == port
    }
}

impl NetworkRule {
    pub fn covers(&self, address: IpAddr, port: u16) -> bool {
        self.net.contains(&address.to_canonical()) && self.port.is_none_or(|granted| granted == port)
    }
}

impl FromStr for NetworkRule {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let net = |text: &str| {
            let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
            text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        };
        if let Some(net) = net(text) {
            return Ok(Self { net, port: None });
        }
        text.rsplit_once(':')
            .and_then(|(head, port)| Some(Self { net: net(head)?, port: Some(port.parse().ok()?) }))
            .ok_or_else(|| BadTarget::Network(escape::line(text)))
    }
}

impl TryFrom<String> for NetworkRule {
    type Error = BadTarget;

    fn try_from(text: String) -> Result<Self, BadTarget> {
        text.parse()
    }
}

impl From<NetworkRule> for String {
    fn from(rule: NetworkRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for NetworkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.net) {
            (None, net) => net.fmt(f),
            (Some(port), IpNet::V4(net)) => write!(f, "{net}:{port}"),
            (Some(port), IpNet::V6(net)) => write!(f, "[{net}]:{port}"),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::OneLabelBelow(name) => write!(f, "*.{name}"),
        }
    }
}

impl fmt::Display for SmtpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for HttpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { methods, scheme, host, port, path, is_secret } = self;
        write!(f, "{} {scheme}://{host}", methods.join(","))?;
        if !matches!((scheme.as_str(), port), ("http", 80) | ("https", 443)) {
            write!(f, ":{port}")?;
        }
        match path {
            _ if *is_secret => f.write_str("/…"),
            PathPattern::Exact(path) => f.write_str(path),
            PathPattern::Prefix(path) => write!(f, "{path}*"),
        }
    }
}

impl fmt::Debug for HttpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(rule: &str, method: &str, url: &str) -> bool {
        HttpRule::parse(rule).unwrap().covers(method, &Url::parse(url).unwrap())
    }

    #[test]
    fn a_rule_covers_what_it_says_and_nothing_else() {
        let rule = "POST https://hooks.slack.com/services/*";
        assert!(covers(rule, "POST", "https://hooks.slack.com/services/T/B/X?y=1"));
        assert!(covers(rule, "POST", "https://HOOKS.slack.com.:443/services/"));
        for (method, url) in [
            ("GET", "https://hooks.slack.com/services/T"),
            ("POST", "http://hooks.slack.com/services/T"),
            ("POST", "https://hooks.slack.com:8443/services/T"),
            ("POST", "https://hooks.slack.com/api"),
            ("POST", "https://hooks.slack.com/services/../api"),
            ("POST", "https://hooks.slack.com/services/%2e%2e/api"),
            ("POST", "https://hooks.slack.com/services/..%2fapi"),
            ("POST", "https://hooks.slack.com/services/..%5Capi"),
            ("POST", "https://evil.example/services/T"),
            ("POST", "https://hooks.slack.com.evil.example/services/T"),
            ("POST", "https://hooks.slack.com@evil.example/services/T"),
        ] {
            assert!(!covers(rule, method, url), "{method} {url}");
        }
    }

    #[test]
    fn a_wildcard_is_one_label() {
        let rule = "GET,POST https://*.example.com/";
        assert!(covers(rule, "GET", "https://a.example.com/"));
        assert!(covers(rule, "POST", "https://a.example.com"));
        for url in [
            "https://example.com/",
            "https://a.b.example.com/",
            "https://aexample.com/",
            "https://.example.com/",
        ] {
            assert!(Url::parse(url).is_err() || !covers(rule, "GET", url), "{url}");
        }
    }

    #[test]
    fn addresses_are_written_in_many_ways_and_mean_one_host() {
        for url in [
            "http://127.0.0.1:8080/x",
            "http://2130706433:8080/x",
            "http://0x7f.1:8080/x",
            "http://①②⑦.0.0.1:8080/x",
        ] {
            assert!(covers("POST http://127.0.0.1:8080/x", "POST", url), "{url}");
        }
        assert!(covers("POST http://[::1]:8080/x", "POST", "http://[0:0::1]:8080/x"));
    }

    #[test]
    fn a_bad_rule_says_what_to_write() {
        let check =
            |target: &str, want: &str| assert_eq!(HttpRule::parse(target).unwrap_err().to_string(), want);
        check(
            "CONNECT https://a.example/",
            "`CONNECT` is no method that can be granted; write one of GET, HEAD, POST, PUT, PATCH, DELETE",
        );
        check(
            "POST ftp://a.example/",
            "`ftp://a.example/` is no absolute http or https URL; write e.g. `https://api.example.com/hook`",
        );
        check(
            "POST a.example/x?token=t",
            "`a.example/x` is no absolute http or https URL; write e.g. `https://api.example.com/hook`",
        );
        check(
            "POST https://u:p@a.example/",
            "a URL of a target must not hold a user name or a password; give them options of their own",
        );
        check(
            "POST https://*/",
            "`*` may stand for the first label of a host or the end of a path, not inside `https://*/`",
        );
        check(
            "POST https://*.com/",
            "`*.com` is not a host name; write `api.example.com` or `*.example.com`",
        );
        check(
            "POST https://a.example/*/b",
            "`*` may stand for the first label of a host or the end of a path, not inside `https://a.example/*/b`",
        );
    }

    #[test]
    fn a_secret_path_is_not_shown() {
        let mut rule = HttpRule::parse("POST https://hooks.example.com:8443/T/B/hunter2").unwrap();
        assert_eq!(rule.to_string(), "POST https://hooks.example.com:8443/T/B/hunter2");
        rule.is_secret = true;
        assert_eq!(
            format!("{rule} {rule:?}"),
            "POST https://hooks.example.com:8443/… POST https://hooks.example.com:8443/…"
        );
    }

    #[test]
    fn smtp_targets_and_networks_parse_or_say_why_not() {
        let smtp = |text: &str| {
            SmtpRule::parse(text).map_or_else(|error| error.to_string(), |rule| rule.to_string())
        };
        assert_eq!(smtp("Mail.example.com:587"), "mail.example.com:587");
        assert_eq!(smtp("::1:25"), "[::1]:25");
        assert_eq!(
            smtp("mail.example.com"),
            "`mail.example.com` is no target of smtp; write a host and a port, e.g. `mail.example.com:587`"
        );
        assert_eq!(
            smtp("mail.example.com:0"),
            "`mail.example.com:0` is no target of smtp; write a host and a port, e.g. `mail.example.com:587`"
        );

        let net = |text: &str| {
            text.parse::<NetworkRule>().map_or_else(|error| error.to_string(), |rule| rule.to_string())
        };
        assert_eq!(net("10.20.0.0/16:443"), "10.20.0.0/16:443");
        assert_eq!(net("127.0.0.1:8080"), "127.0.0.1/32:8080");
        assert_eq!(net("::1"), "::1/128");
        assert_eq!(net("[fd00::/8]:25"), "[fd00::/8]:25");
        assert_eq!(
            net("all"),
            "`all` is no network; write an address or a CIDR, with or without a port, e.g. `10.20.0.0/16:443`"
        );
        let rule: NetworkRule = "127.0.0.0/8:80".parse().unwrap();
        assert!(rule.covers("127.1.2.3".parse().unwrap(), 80));
        assert!(rule.covers("::ffff:127.1.2.3".parse().unwrap(), 80));
        assert!(!rule.covers("127.1.2.3".parse().unwrap(), 81));
    }
}
