//! Tenants, and the tokens that speak for them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{TenantId, TokenId};

/// Whose things these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Follows from the name, so that making a tenant twice makes one.
    pub id: TenantId,
    pub name: Name,
    pub created_at: Timestamp,
    /// A suspended tenant's tokens are refused and its deliveries wait; nothing of it is lost.
    pub is_suspended: bool,
}

impl Tenant {
    /// The name of the tenant that every host has.
    pub const LOCAL: &'static str = "local";

    pub fn new(name: Name, created_at: Timestamp) -> Self {
        Self { id: TenantId::of(&[name.as_str().as_bytes()]), name, created_at, is_suspended: false }
    }
}

/// What a tenant, a channel or a token is called: it stands in URLs, in file names and on the command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Name(String);

/// The longest name, in bytes: what a DNS label has.
pub const NAME_BYTES_MAX: usize = 63;

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no name; write 1 to {NAME_BYTES_MAX} of a-z, 0-9, `-` and `_`, a letter or digit first",
    crate::escape::line(.0)
)]
pub struct BadName(String);

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = text.len() <= NAME_BYTES_MAX
            && text.bytes().next().is_some_and(is_plain)
            && text.bytes().all(|byte| is_plain(byte) || b"-_".contains(&byte));
        if is_name { Ok(Self(text.to_owned())) } else { Err(BadName(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for Name {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to call the API, for one tenant or for the whole host. Its text is shown once and kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    /// Absent: it speaks for the operator of the host, who may name any tenant.
    pub tenant: Option<TenantId>,
    pub name: Name,
    pub scopes: Vec<Scope>,
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    pub created_by: String,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// What a token may do; each is asked for by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Hand in notifications and see what becomes of them.
    Send,
    /// Look at channels, deliveries and the audit log.
    Read,
    /// Change channels, redrive and cancel deliveries, make tokens of the same tenant.
    Manage,
    /// Tenants, plugins and approvals of the host.
    Operate,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Send, Self::Read, Self::Manage, Self::Operate];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Read => "read",
            Self::Manage => "manage",
            Self::Operate => "operate",
        }
    }
}

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| BadScope(text.chars().take(80).collect()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no scope; write send, read, manage or operate", crate::escape::line(.0))]
pub struct BadScope(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["a", "ops-room", "0-1_x", &"a".repeat(63)] {
            assert_eq!(good.parse::<Name>().map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", "-a", ".", "a.b", "A", "a/b", "a b", "ä", "a\n", &"a".repeat(64)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert_eq!(
            "a\n".parse::<Name>().unwrap_err().to_string(),
            "`a\\n` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first"
        );
    }

    #[test]
    fn the_same_name_is_the_same_tenant() {
        let local = Tenant::new(Tenant::LOCAL.parse().unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(local.id, TenantId::local());
    }

    #[test]
    fn every_scope_reads_back() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        assert!("admin".parse::<Scope>().is_err());
    }
}
