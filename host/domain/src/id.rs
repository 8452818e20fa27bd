//! Ids: one type per kind of thing, each with a prefix that tells it apart in a log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The namespace of every id that is derived from content.
const NAMESPACE: Uuid = Uuid::from_u128(0x5a6d_11a3_6c5b_4f0e_9d61_2f0b_7d35_c9e4);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The same content always gives the same id; the parts are told apart by their lengths.
            pub fn of(parts: &[&[u8]]) -> Self {
                let mut bytes = $prefix.as_bytes().to_vec();
                for part in parts {
                    bytes.extend((part.len() as u64).to_be_bytes());
                    bytes.extend(*part);
                }
                Self(Uuid::new_v5(&NAMESPACE, &bytes))
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| BadId { text: text.to_owned(), prefix: $prefix })
            }
        }
    };
}

id! {
    /// Whose things these are.
    TenantId, "tnt"
}
id! {
    /// A tenant's configured use of a plugin.
    ChannelId, "chn"
}
id! {
    /// One event, to its contacts.
    NotificationId, "ntf"
}
id! {
    /// One notification, one contact, one channel: the unit of delivery.
    DeliveryId, "dlv"
}

id! {
    /// The right to call the API.
    TokenId, "tok"
}

impl TenantId {
    /// The tenant of a host that serves one organisation only.
    pub fn local() -> Self {
        Self::of(&[b"local"])
    }
}

/// A text that is no id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no id; write `{prefix}_` and 32 hexadecimal digits")]
pub struct BadId {
    text: String,
    prefix: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_gives_the_same_id() {
        assert_eq!(DeliveryId::of(&[b"a", b"b"]), DeliveryId::of(&[b"a", b"b"]));
        assert_ne!(DeliveryId::of(&[b"a", b"b"]), DeliveryId::of(&[b"ab", b""]));
        assert_ne!(DeliveryId::of(&[b"a"]).as_bytes(), ChannelId::of(&[b"a"]).as_bytes());
    }

    #[test]
    fn an_id_reads_back_and_a_wrong_one_is_refused() {
        let id = ChannelId::of(&[b"x"]);
        assert_eq!(id.to_string().parse::<ChannelId>(), Ok(id));
        for bad in
            ["", "chn_", "dlv_00000000000000000000000000000000", "chn_zz000000000000000000000000000000"]
        {
            let error = bad.parse::<ChannelId>().unwrap_err().to_string();
            assert_eq!(error, format!("`{bad}` is no id; write `chn_` and 32 hexadecimal digits"));
        }
    }
}
