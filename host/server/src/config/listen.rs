//! `[listen]`

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::key::{Key, Kind, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listen {
    pub(crate) api: Address,
    pub(crate) ops: Address,
    /// Relative to the state directory.
    pub(crate) socket: PathBuf,
    /// Relative to the state directory.
    pub(crate) icinga_socket: PathBuf,
    pub(crate) icinga_users: Users,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_certificate_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_key_file: Option<PathBuf>,
}

/// Users of this machine, by name or by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "UsersForm")]
pub(crate) struct Users(Vec<String>);

/// A variable of the environment holds one text.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected names of users, e.g. [\"icinga\"]")]
enum UsersForm {
    Listed(Vec<String>),
    /// Parted by commas.
    Joined(String),
}

impl From<UsersForm> for Users {
    fn from(form: UsersForm) -> Self {
        Self(match form {
            UsersForm::Listed(names) => names,
            UsersForm::Joined(text) => {
                text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
            }
        })
    }
}

impl Users {
    /// Whether somebody is meant who has this number and, if the machine knows one, this name.
    pub(crate) fn contains(&self, uid: u32, name: &str) -> bool {
        self.0.iter().any(|user| user == name || user.parse() == Ok(uid))
    }
}

/// Where a listener is, if it is anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum Address {
    At(SocketAddr),
    Off,
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no address; write one with its port, e.g. `127.0.0.1:8601` or `[::1]:8601`, or `off`",
    sandbell_domain::escape::line(.0)
)]
pub(crate) struct BadAddress(String);

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse().map(Self::At).map_err(|_| BadAddress(text.chars().take(80).collect()))
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        match address {
            Address::At(address) => address.to_string(),
            Address::Off => "off".to_owned(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            api: Address::At(SocketAddr::from(([127, 0, 0, 1], 8601))),
            ops: Address::At(SocketAddr::from(([127, 0, 0, 1], 9601))),
            socket: PathBuf::from("run/api.sock"),
            icinga_socket: PathBuf::from("run/icinga.sock"),
            icinga_users: Users::default(),
            tls_certificate_file: None,
            tls_key_file: None,
        }
    }
}

impl Listen {
    /// Whether nothing has to be opened anew; certificates are read again anyway.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        (self.api, self.ops, &self.socket, &self.icinga_socket)
            == (other.api, other.ops, &other.socket, &other.icinga_socket)
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "api",
        kind: Kind::Address,
        value: Value::Default("\"127.0.0.1:8601\""),
        help: "Address and port of the REST API, or \"off\". Port 0 takes a free one, which the log names.",
    },
    Key {
        name: "ops",
        kind: Kind::Address,
        value: Value::Default("\"127.0.0.1:9601\""),
        help: "Address and port of /livez, /readyz and /metrics, or \"off\". Nobody is asked who they are there.",
    },
    Key {
        name: "socket",
        kind: Kind::Path,
        value: Value::Default("\"run/api.sock\""),
        help: "The socket for the command line, relative to the state directory. Root and the host's own user are \
               operators there; everybody else is refused.",
    },
    Key {
        name: "icinga_socket",
        kind: Kind::Path,
        value: Value::Default("\"run/icinga.sock\""),
        help: "The socket for channels of Icinga that were linked with --connect, relative to the state directory. Where \
               the daemon is another user, put it where that user may go, e.g. /run/sandbell/icinga.sock.",
    },
    Key {
        name: "icinga_users",
        kind: Kind::Names,
        value: Value::Default("[]"),
        help: "Users who may carry configurations and notifications there beside root and the host's own user, by \
               name or number, e.g. [\"icinga\"]. They reach nothing else of the host.",
    },
    Key {
        name: "tls_certificate_file",
        kind: Kind::Path,
        value: Value::Example("\"/etc/sandbell/tls/fullchain.pem\""),
        help: "PEM chain for the API's address. With it, the API speaks TLS only. Read again at a reload.",
    },
    Key {
        name: "tls_key_file",
        kind: Kind::Path,
        value: Value::Example("\"/etc/sandbell/tls/key.pem\""),
        help: "PEM key of the certificate.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_listed_or_joined_and_meant_by_name_or_number() {
        let read = |text: &str| toml::from_str::<Listen>(text).map(|listen| listen.icinga_users);
        let users = read("icinga_users = [\"icinga\", \"1001\"]").unwrap();
        assert_eq!(read("icinga_users = \"icinga, 1001,\"").unwrap(), users);
        assert!(users.contains(101, "icinga") && users.contains(1001, "#1001"));
        assert!(
            !users.contains(102, "#102") && !users.contains(0, "root") && !Users::default().contains(0, "")
        );
        assert!(read("icinga_users = 7").unwrap_err().to_string().contains("names of users"));
    }
}
