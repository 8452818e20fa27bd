//! The only code that opens a connection for a guest: to what a grant allows, at an address that was checked.
//!
//! The order is always the same (`reference/security.md` §4.1): the text, the grant, the name's addresses, every one
//! of them, and then a connection to one of those and no other.

mod lookup;
mod publish;
mod url;

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::url::Host;
use sandbell_domain::{NetworkRule, SmtpRule, escape};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::address::{self, Special};

pub(crate) use lookup::{CheckedResolver, Lookup, system_lookup};

/// One lookup of a name.
const LOOKUP: Duration = Duration::from_secs(5);

/// One try to connect to one address.
const CONNECT: Duration = Duration::from_secs(5);

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// How far the connections of one channel may go.
pub(crate) struct Reach {
    /// Private addresses that the operator opened.
    pub(crate) networks: Vec<NetworkRule>,
    /// The plugin's name, for the sentence that says how to open an address.
    pub(crate) kind: String,
    pub(crate) lookup: Lookup,
}

/// A place that a grant allows; only this module makes one, so to hold it is to be allowed.
#[derive(Clone)]
pub(crate) struct AuthorizedTarget {
    host: Host<String>,
    port: u16,
    reach: Arc<Reach>,
}

/// Why a place is not reached. Made of types, so nothing of a request or a secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{0}")]
    NotGranted(String),
    #[error("{0}")]
    BadUrl(&'static str),
    #[error("`{0}` is no host name; write e.g. `mail.example.com`")]
    BadHost(String),
    #[error(
        "{what}; if it is meant to be reached, allow it with `sandbell plugin approve {kind} --network {rule}`"
    )]
    Closed { what: String, kind: String, rule: String },
    #[error("{what}; no plugin may reach it")]
    Forbidden { what: String },
    #[error("`{0}` has no address; is the name right, and does the resolver answer?")]
    NoAddress(String),
    #[error("the resolver did not answer for `{0}` within {LOOKUP:?}")]
    LookupTimeout(String),
    #[error("no connection to `{host}` on port {port}: {reason}")]
    Connect { host: String, port: u16, reason: String },
    #[error("no connection to `{host}` on port {port} within {CONNECT:?}")]
    ConnectTimeout { host: String, port: u16 },
}

impl DialError {
    /// The contract's word for it.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::NotGranted(_) | Self::Closed { .. } | Self::Forbidden { .. } => "denied",
            Self::BadUrl(_) | Self::BadHost(_) => "invalid-request",
            Self::NoAddress(_) | Self::LookupTimeout(_) => "dns",
            Self::Connect { .. } => "connect",
            Self::ConnectTimeout { .. } => "timeout",
        }
    }
}

impl Reach {
    /// Whether the grant covers a mail server; nothing is looked up yet.
    pub(crate) fn server(
        self: &Arc<Self>,
        servers: &[SmtpRule],
        host: &str,
        port: u16,
    ) -> Result<AuthorizedTarget, DialError> {
        let granted = servers.iter().map(ToString::to_string);
        self.place(
            host,
            port,
            |host| servers.iter().any(|rule| rule.covers(host, port)),
            |host| {
                let asked = format!("{host}:{port}");
                not_granted("smtp", &asked, granted)
            },
        )
    }

    /// Allows a host and a port that a grant covers; `refused` says what it does not.
    fn place(
        self: &Arc<Self>,
        host: &str,
        port: u16,
        is_covered: impl FnOnce(&Host<&str>) -> bool,
        refused: impl FnOnce(&Host<String>) -> DialError,
    ) -> Result<AuthorizedTarget, DialError> {
        let host = checked_host(host)?;
        let borrowed = match &host {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(address) => Host::Ipv4(*address),
            Host::Ipv6(address) => Host::Ipv6(*address),
        };
        if port == 0 || !is_covered(&borrowed) {
            return Err(refused(&host));
        }
        let target = AuthorizedTarget { host, port, reach: self.clone() };
        target.check_literal()?;
        Ok(target)
    }
}

/// Says which want is missing, beside what is granted.
fn not_granted(capability: &str, asked: &str, granted: impl Iterator<Item = String>) -> DialError {
    let granted: Vec<_> = granted.take(8).map(|rule| format!("`{rule}`")).collect();
    DialError::NotGranted(format!(
        "`{asked}` is not granted; the missing want is `{capability} {asked}`, granted is {}",
        granted.join(", ")
    ))
}

/// A host of a server as the URL parser reads it, so that a rule and a request mean the same.
fn checked_host(text: &str) -> Result<Host<String>, DialError> {
    let bad = || DialError::BadHost(escape::line(&escape::cut(text, 128)));
    if text.len() > 255 || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(bad());
    }
    // An IPv6 address is written with and without brackets.
    let bracketed = text.parse::<Ipv6Addr>().is_ok().then(|| format!("[{text}]"));
    let host = Host::parse(bracketed.as_deref().unwrap_or(text)).map_err(|_| bad())?;
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
            if is_name(&name) { Ok(Host::Domain(name)) } else { Err(bad()) }
        }
        Host::Ipv4(_) | Host::Ipv6(_) => Ok(host),
    }
}

/// Letters, digits, hyphens and underscores in labels of at most 63, at most 253 in all.
fn is_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

impl AuthorizedTarget {
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The name that the other side's certificate must bear.
    pub(crate) fn host(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }

    /// An address written out is checked at once: no resolver sees it.
    fn check_literal(&self) -> Result<(), DialError> {
        match self.host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.check(address.into()),
            Host::Ipv6(address) => self.check(address.into()),
        }
    }

    /// Whether a connection may go, or went, to `address`.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), DialError> {
        let address = address.to_canonical();
        let what = |reason: &str| match &self.host {
            Host::Domain(name) => format!("`{name}` is {address}, {reason}"),
            Host::Ipv4(_) | Host::Ipv6(_) => format!("`{address}` is {reason}"),
        };
        address::check(address, self.port, &self.reach.networks).map_err(|special| match special {
            Special::Closed(reason) => DialError::Closed {
                what: what(reason),
                kind: self.reach.kind.clone(),
                rule: SocketAddr::new(address, self.port).to_string(),
            },
            Special::Forbidden(reason) => DialError::Forbidden { what: what(reason) },
        })
    }

    /// The addresses of the name, all of them checked; one refused address refuses them all.
    async fn resolve(&self) -> Result<Vec<SocketAddr>, DialError> {
        let addresses = match &self.host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => timeout(LOOKUP, (self.reach.lookup)(name.clone()))
                .await
                .map_err(|_| DialError::LookupTimeout(name.clone()))?
                .map_err(|_| DialError::NoAddress(name.clone()))?,
        };
        for address in &addresses {
            self.check(*address)?;
        }
        if addresses.is_empty() {
            return Err(DialError::NoAddress(self.host.to_string()));
        }
        let mut checked: Vec<_> =
            addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect();
        checked.dedup();
        checked.truncate(ADDRESSES_MAX);
        Ok(checked)
    }

    /// Connects to the first of the checked addresses that answers.
    pub(crate) async fn connect(&self) -> Result<TcpStream, DialError> {
        let host = || self.host.to_string();
        let mut last = DialError::NoAddress(host());
        for address in self.resolve().await? {
            let refused = |error: &io::Error| DialError::Connect {
                host: host(),
                port: self.port,
                reason: error.kind().to_string(),
            };
            match timeout(CONNECT, open(address)).await {
                Ok(Ok(stream)) => {
                    let peer = stream.peer_addr().map_err(|error| refused(&error))?;
                    if peer.ip() != address.ip() {
                        return Err(refused(&io::ErrorKind::AddrNotAvailable.into()));
                    }
                    return Ok(stream);
                }
                Ok(Err(error)) => last = refused(&error),
                Err(_) => last = DialError::ConnectTimeout { host: host(), port: self.port },
            }
        }
        Err(last)
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    socket.connect(address).await
}
