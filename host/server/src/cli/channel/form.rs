//! What the daemon says of a channel and of its plugin; what a verb does not show is not read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbell_domain::{ConfigOption, Name, OptionKind};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::remote::parsed;
use crate::client::{Client, Request};
use crate::config::nearest;

/// A channel as `GET /channels/{name}` gives it.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct ChannelForm {
    pub(in crate::cli) name: Name,
    pub(in crate::cli) plugin: String,
    #[serde(default)]
    pub(in crate::cli) settings: Map<String, Json>,
    #[serde(default)]
    pub(in crate::cli) secrets: BTreeMap<String, SecretForm>,
    #[serde(default)]
    pub(in crate::cli) policy: Map<String, Json>,
    pub(in crate::cli) enabled: bool,
    #[serde(default)]
    pub(in crate::cli) disabled_reason: Option<String>,
    pub(in crate::cli) revision: u32,
    pub(in crate::cli) updated_at: Timestamp,
    #[serde(default)]
    pub(in crate::cli) updated_by: String,
    /// A list does not tell it.
    #[serde(default, deserialize_with = "or_default")]
    pub(in crate::cli) state: StateForm,
}

/// `null` is what is absent.
fn or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StateForm, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::cli) struct SecretForm {
    pub(in crate::cli) set_at: Timestamp,
}

/// How it fares.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct StateForm {
    pub(in crate::cli) waiting: u64,
    pub(in crate::cli) leased: u64,
    pub(in crate::cli) dead: u64,
    pub(in crate::cli) failures_in_row: u64,
    pub(in crate::cli) last_delivered_at: Option<Timestamp>,
    pub(in crate::cli) delivered_in_day: u64,
    /// Attempts that failed.
    pub(in crate::cli) failed_in_day: u64,
    pub(in crate::cli) circuits: Vec<CircuitForm>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct CircuitForm {
    pub(in crate::cli) destination: Option<String>,
    pub(in crate::cli) state: String,
    pub(in crate::cli) until: Option<Timestamp>,
}

impl ChannelForm {
    pub(in crate::cli) fn get(client: &Client, name: &Name) -> Result<(Self, Json), Problem> {
        let json = client.call(&Request::get(&["channels", name.as_str()]))?;
        Ok((parsed(&json)?, json))
    }

    /// One word: disabled, open (a circuit), failing, ok.
    pub(in crate::cli) fn word(&self) -> &'static str {
        if !self.enabled {
            "disabled"
        } else if self.open_circuits().next().is_some() {
            "backing off"
        } else if self.state.failures_in_row > 0 {
            "failing"
        } else {
            "ok"
        }
    }

    pub(in crate::cli) fn open_circuits(&self) -> impl Iterator<Item = &CircuitForm> {
        self.state.circuits.iter().filter(|circuit| circuit.state != "closed")
    }
}

/// The options of a plugin, to understand what was typed.
#[derive(Clone, Debug)]
pub(super) struct PluginForm {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) options: Vec<ConfigOption>,
}

impl PluginForm {
    pub(super) fn get(client: &Client, name: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Info {
            #[serde(default)]
            version: String,
            #[serde(default)]
            config_attrs: Vec<ConfigOption>,
        }
        let json = client.call(&Request::get(&["plugins", name]))?;
        let info = json.pointer("/info").or(json.pointer("/component/info")).unwrap_or(&json);
        let Info { version, config_attrs } = parsed(info)?;
        Ok(Self { name: name.to_owned(), version, options: config_attrs })
    }

    pub(super) fn option(&self, name: &str) -> Option<&ConfigOption> {
        self.options.iter().find(|option| option.name == name)
    }

    pub(super) fn is_secret(&self, name: &str) -> bool {
        self.option(name).is_some_and(|option| option.kind == OptionKind::Secret)
    }

    /// What is wrong with a name that is no option.
    pub(super) fn unknown(&self, name: &str) -> String {
        let Self { name: plugin, version, options } = self;
        let names = options.iter().map(|option| option.name.as_str());
        match nearest(name, names) {
            Some(meant) => format!("{plugin} {version} has no option `{name}`; did you mean `{meant}`?"),
            None => format!("{plugin} {version} has no option `{name}`"),
        }
    }

    pub(super) fn unknown_problem(&self, name: &str) -> Problem {
        Problem::new(Exit::Usage, "unknown_option", self.unknown(name))
            .hint(format!("`sandbell plugin show {}` lists the options", self.name))
    }
}
