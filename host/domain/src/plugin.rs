//! What a plugin says of itself: its name, its configuration form and what it wants.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{AmqpRule, BadTarget, HttpRule, MqttRule, SmtpRule};

/// SHA-256 of a component's bytes; what a plugin is known by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// 64 hexadecimal digits, safe as a file name.
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = BadDigest;

    fn try_from(text: String) -> Result<Self, BadDigest> {
        text.parse()
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let bad = || BadDigest(text.to_owned());
        let hex = text.strip_prefix("sha256:").ok_or_else(bad)?;
        if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(bad)?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest; write `sha256:` and 64 lower-case hexadecimal digits")]
pub struct BadDigest(String);

/// What `get-info` answered, checked and kept beside the plugin's bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginInfo {
    pub name: String,
    pub version: String,
    pub author: String,
    pub config_attrs: Vec<ConfigOption>,
    pub address_types: Vec<String>,
    pub wants: Vec<Want>,
    pub extra: Vec<(String, String)>,
}

impl PluginInfo {
    pub fn option(&self, name: &str) -> Option<&ConfigOption> {
        self.config_attrs.iter().find(|option| option.name == name)
    }
}

/// One element of the configuration form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigOption {
    pub name: String,
    pub kind: OptionKind,
    pub label: Vec<Localized>,
    #[serde(default)]
    pub help: Vec<Localized>,
    #[serde(default)]
    pub default: Option<DefaultValue>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub choices: Vec<Choice>,
    #[serde(default)]
    pub min: Option<i64>,
    #[serde(default)]
    pub max: Option<i64>,
    #[serde(default)]
    pub hints: Vec<(String, String)>,
}

/// The kinds of the contract; an unknown kind is treated as [`OptionKind::String`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptionKind {
    String,
    Number,
    Bool,
    Text,
    Option,
    Options,
    Secret,
}

impl OptionKind {
    pub fn parse(kind: &str) -> Self {
        match kind {
            "number" => Self::Number,
            "bool" => Self::Bool,
            "text" => Self::Text,
            "option" => Self::Option,
            "options" => Self::Options,
            "secret" => Self::Secret,
            _ => Self::String,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Text => "text",
            Self::Option => "option",
            Self::Options => "options",
            Self::Secret => "secret",
        }
    }
}

/// What an option is if nobody sets it. A secret has no default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DefaultValue {
    Boolean(bool),
    Integer(i64),
    Text(String),
    Many(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

/// One translation of a text, e.g. `en_US`, `Save`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Localized {
    pub locale: String,
    pub text: String,
}

/// One power that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Want {
    pub capability: Capability,
    /// Where to; see [`crate::target`] for the grammar.
    pub target: String,
    /// One sentence for the operator who is asked.
    pub reason: String,
}

/// A kind of power. What a plugin asks for beyond these is refused at inspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    Http,
    Smtp,
    Amqp,
    Mqtt,
}

impl Capability {
    pub const ALL: [Self; 4] = [Self::Http, Self::Smtp, Self::Amqp, Self::Mqtt];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == text)
    }

    /// Also the name of the interface that gives this power.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Smtp => "smtp",
            Self::Amqp => "amqp",
            Self::Mqtt => "mqtt",
        }
    }

    /// Whether `target`, with nothing left to fill in, says where a power of this kind reaches.
    pub fn check_target(self, target: &str) -> Result<(), BadTarget> {
        match self {
            Self::Http => HttpRule::parse(target).map(drop),
            Self::Smtp => SmtpRule::parse(target).map(drop),
            Self::Amqp => AmqpRule::parse(target).map(drop),
            Self::Mqtt => MqttRule::parse(target).map(drop),
        }
    }
}
