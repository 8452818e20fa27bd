//! What a channel says about itself: `sandbell inspect --json`, as far as tables and the manual need it.

use anyhow::{Context, Result};
use serde_json::Value;

/// Interfaces of the contract that give no power.
const POWERLESS: [&str; 2] = ["plugin", "types"];

#[derive(Debug)]
pub(crate) struct Inspected {
    /// As operators see it, e.g. `Rocket.Chat`.
    pub(crate) name: String,
    pub(crate) address_types: Vec<String>,
    /// Interfaces of the contract that it calls, without `types`.
    pub(crate) imports: Vec<String>,
    pub(crate) wants: Vec<Want>,
    pub(crate) options: Vec<ConfigOption>,
}

#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) capability: String,
    pub(crate) target: String,
    pub(crate) reason: String,
}

#[derive(Debug)]
pub(crate) struct ConfigOption {
    pub(crate) name: String,
    /// For a choice, its values.
    pub(crate) kind: String,
    pub(crate) is_required: bool,
    pub(crate) default: Option<String>,
    pub(crate) help: String,
}

impl Inspected {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text).context("`sandbell inspect --json` printed no JSON")?;
        let info = &json["info"];
        let imports = texts(&json["imports"]).into_iter().filter_map(|import| {
            let name = import.strip_prefix("sandbell:channel/")?;
            Some(name.split_once('@').map_or(name, |(name, _)| name).to_owned())
        });
        Ok(Self {
            name: text_of(&info["name"]),
            address_types: texts(&info["address_types"]),
            imports: imports.filter(|name| !POWERLESS.contains(&name.as_str())).collect(),
            wants: list(&info["wants"]).map(Want::read).collect(),
            options: list(&info["config_attrs"]).map(ConfigOption::read).collect(),
        })
    }
}

impl Want {
    fn read(json: &Value) -> Self {
        let [capability, target, reason] = ["capability", "target", "reason"].map(|key| text_of(&json[key]));
        Self { capability, target, reason }
    }
}

impl ConfigOption {
    fn read(json: &Value) -> Self {
        let choices: Vec<_> =
            list(&json["choices"]).map(|choice| format!("`{}`", text_of(&choice["value"]))).collect();
        let bounds = match (json["min"].as_i64(), json["max"].as_i64()) {
            (Some(min), Some(max)) => format!(", {min} to {max}"),
            (Some(min), None) => format!(", from {min}"),
            (None, Some(max)) => format!(", to {max}"),
            (None, None) => String::new(),
        };
        let kind = if choices.is_empty() { text_of(&json["kind"]) + &bounds } else { choices.join(", ") };
        let default = match &json["default"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            plain @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Some(plain.to_string())
            }
        };
        let help = list(&json["help"]).find(|help| help["locale"] == "en_US");
        Self {
            name: text_of(&json["name"]),
            kind,
            is_required: json["required"] == true,
            default: default.filter(|text| !text.is_empty()),
            help: help.map(|help| text_of(&help["text"])).unwrap_or_default(),
        }
    }
}

fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn texts(json: &Value) -> Vec<String> {
    list(json).map(text_of).collect()
}

fn text_of(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

/// A channel as `inspect` describes it.
#[cfg(test)]
pub(crate) const EXAMPLE: &str = r#"{"imports":["sandbell:channel/types@0.1.0","sandbell:channel/http@0.1.0","wasi:io/poll@0.2.6"],"info":{"name":"Push","address_types":["push"],"wants":[{"capability":"http","target":"POST {url}","reason":"Pushes."}],"config_attrs":[{"name":"url","kind":"secret","required":true,"default":null,"choices":[],"help":[{"locale":"de_DE","text":"Wohin."},{"locale":"en_US","text":"Where to | what."}],"min":null,"max":null},{"name":"level","kind":"option","required":false,"default":"low","choices":[{"value":"low","label":"Low"},{"value":"high","label":"High"}],"help":[],"min":null,"max":null},{"name":"retries","kind":"number","required":false,"default":3,"choices":[],"help":[],"min":0,"max":9}]}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_inspect_prints_is_read() {
        let push = Inspected::parse(EXAMPLE).unwrap();
        assert_eq!((push.name.as_str(), push.imports.join(" ")), ("Push", "http".to_owned()));
        let option = |index: usize| {
            let ConfigOption { name, kind, is_required, default, help } = &push.options[index];
            format!("{name}: {kind}, {is_required}, {default:?}, {help}")
        };
        assert_eq!(option(0), "url: secret, true, None, Where to | what.");
        assert_eq!(option(1), "level: `low`, `high`, false, Some(\"low\"), ");
        assert_eq!(option(2), "retries: number, 0 to 9, false, Some(\"3\"), ");
        assert!(Inspected::parse("no").is_err());
    }
}
