//! A channel's configuration: untyped JSON from a form, checked against what the plugin asked for.
//!
//! After [`Config::from_json`] every setting has the type that its option names and every default is applied, so
//! neither a plugin nor a broker ever meets the habits of the form that it came from.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

use crate::ConfigOption;
use crate::setting::{default, typed};

/// The longest text of one setting, in bytes: room for a certificate bundle.
pub const SETTING_BYTES_MAX: usize = 64 * 1024;

/// A checked configuration, in the order of the plugin's options.
#[derive(Clone, Debug, Default)]
pub struct Config {
    settings: Vec<Setting>,
}

#[derive(Clone, Debug)]
pub struct Setting {
    pub name: String,
    pub value: SettingValue,
}

/// A value of the kind that its option has; a secret has no `Debug` and never reaches the plugin.
#[derive(Clone)]
pub enum SettingValue {
    Boolean(bool),
    Integer(i64),
    Text(String),
    Many(Vec<String>),
    Secret(SecretString),
}

/// Why a configuration was refused; `name` is the option to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", name.as_ref().map(|name| format!("option `{name}`: ")).unwrap_or_default())]
pub struct ConfigError {
    pub name: Option<String>,
    pub message: String,
}

impl ConfigError {
    pub fn option(name: &str, message: impl Into<String>) -> Self {
        Self { name: Some(name.to_owned()), message: message.into() }
    }

    pub fn whole(message: impl Into<String>) -> Self {
        Self { name: None, message: message.into() }
    }
}

impl Config {
    /// Types every value of `json` after the plugin's options and applies defaults.
    ///
    /// Takes what Icinga Notifications Web stores (`reference/icinga.md` §2.4, §3.7): numbers as strings, lists as
    /// `{"0":…}`, booleans as `"y"`/`"n"`, a text field that read `checked` as `true`, and `null` for "all defaults".
    /// Keys that the plugin does not know are ignored. Errors name the option and never repeat its value.
    pub fn from_json(options: &[ConfigOption], json: &Json) -> Result<Self, ConfigError> {
        let empty = serde_json::Map::new();
        let given = match json {
            Json::Null => &empty,
            Json::Object(map) => map,
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                return Err(ConfigError::whole(
                    "the configuration is no JSON object; write {\"option\": value, …}",
                ));
            }
        };
        let mut settings = Vec::with_capacity(options.len());
        for option in options {
            let value = match given.get(&option.name) {
                None | Some(Json::Null) => {
                    option.default.as_ref().map(|value| default(option, value)).transpose()?
                }
                Some(json) => typed(option, json)?,
            };
            match value {
                Some(value) if option.required && value.is_empty() => return Err(missing(option)),
                Some(value) => settings.push(Setting { name: option.name.clone(), value }),
                None if option.required => return Err(missing(option)),
                None => {}
            }
        }
        Ok(Self { settings })
    }

    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    pub fn get(&self, name: &str) -> Option<&SettingValue> {
        self.settings.iter().find(|setting| setting.name == name).map(|setting| &setting.value)
    }

    pub fn secret(&self, name: &str) -> Option<&SecretString> {
        match self.get(name) {
            Some(SettingValue::Secret(secret)) => Some(secret),
            Some(
                SettingValue::Boolean(_)
                | SettingValue::Integer(_)
                | SettingValue::Text(_)
                | SettingValue::Many(_),
            )
            | None => None,
        }
    }

    /// Every secret with its option's name.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.settings.iter().filter_map(|setting| match &setting.value {
            SettingValue::Secret(secret) => Some((setting.name.as_str(), secret)),
            SettingValue::Boolean(_)
            | SettingValue::Integer(_)
            | SettingValue::Text(_)
            | SettingValue::Many(_) => None,
        })
    }

    /// The settings without what the secrets stand for, in a form that ids can be derived from.
    pub fn identity(&self) -> Vec<u8> {
        let public: Vec<(&str, Json)> = self
            .settings
            .iter()
            .map(|Setting { name, value }| {
                let json = match value {
                    SettingValue::Boolean(value) => Json::from(*value),
                    SettingValue::Integer(value) => Json::from(*value),
                    SettingValue::Text(value) => Json::from(value.as_str()),
                    SettingValue::Many(values) => Json::from(values.clone()),
                    SettingValue::Secret(_) => Json::Null,
                };
                (name.as_str(), json)
            })
            .collect();
        serde_json::to_vec(&public).expect("texts and numbers always serialise")
    }
}

impl SettingValue {
    fn is_empty(&self) -> bool {
        match self {
            Self::Boolean(_) | Self::Integer(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::Many(values) => values.is_empty(),
            Self::Secret(secret) => secret.expose_secret().is_empty(),
        }
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Many(values) => values.fmt(f),
            Self::Secret(_) => f.write_str("<secret>"),
        }
    }
}

fn missing(option: &ConfigOption) -> ConfigError {
    ConfigError::option(&option.name, "is required and has no value")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::OptionKind as K;
    use crate::{Choice, DefaultValue, OptionKind};

    fn option(name: &str, kind: OptionKind) -> ConfigOption {
        ConfigOption {
            name: name.to_owned(),
            kind,
            label: Vec::new(),
            help: Vec::new(),
            default: None,
            required: false,
            choices: Vec::new(),
            min: None,
            max: None,
            hints: Vec::new(),
        }
    }

    fn with_choices(mut option: ConfigOption) -> ConfigOption {
        option.choices = ["a", "b"].map(|value| Choice { value: value.into(), label: value.into() }).to_vec();
        option
    }

    fn one(option: &ConfigOption, json: &Json) -> String {
        match Config::from_json(std::slice::from_ref(option), &json!({ "x": json })) {
            Ok(config) => config.get("x").map_or("absent".to_owned(), |value| format!("{value:?}")),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn values_take_the_type_of_their_option() {
        let check = |kind, json: Json, want: &str| {
            assert_eq!(one(&with_choices(option("x", kind)), &json), want, "{json}");
        };
        check(K::Number, json!("25"), "25");
        check(K::Number, json!(25), "25");
        check(K::Number, json!(" 25 "), "25");
        check(K::Number, json!(""), "absent");
        check(K::Number, json!(1.5), "option `x`: is no whole number");
        check(K::Number, json!("x"), "option `x`: is no whole number");
        check(K::Number, json!([]), "option `x`: is an array; write a whole number, e.g. 25 or \"25\"");
        check(K::Bool, json!(true), "true");
        check(K::Bool, json!("y"), "true");
        check(K::Bool, json!("n"), "false");
        check(K::Bool, json!("maybe"), "option `x`: is a string; write true or false");
        check(K::Option, json!("a"), "\"a\"");
        check(K::Option, json!(""), "absent");
        check(K::Option, json!("c\n"), "option `x`: `c\\n` is no choice; choose `a`, `b`");
        check(K::Options, json!({ "1": "b", "0": "a" }), r#"["a", "b"]"#);
        check(K::Options, json!(["b"]), r#"["b"]"#);
        check(K::Options, json!(""), "[]");
        check(K::Options, json!({ "k": "a" }), "option `x`: is an object; write an array of strings");
        check(K::Options, json!(["c"]), "option `x`: `c` is no choice; choose `a`, `b`");
        check(K::Secret, json!("s"), "<secret>");
        check(K::Secret, json!(""), "absent");
    }

    #[test]
    fn text_takes_what_a_form_makes_of_it() {
        let check = |json: Json, want: &str| assert_eq!(one(&option("x", OptionKind::String), &json), want);
        check(json!("t"), "\"t\"");
        check(json!(""), "\"\"");
        check(json!(5), "\"5\"");
        check(json!(true), "\"checked\"");
        check(json!({}), "option `x`: is an object; write a string");
        check(json!("a\0b"), "option `x`: holds a NUL character; remove it");
        check(
            json!("x".repeat(SETTING_BYTES_MAX + 1)),
            "option `x`: has 65537 bytes; at most 65536 are allowed",
        );
    }

    #[test]
    fn bounds_are_kept() {
        let number = |min, max| ConfigOption { min, max, ..option("x", OptionKind::Number) };
        assert_eq!(
            one(&number(Some(1), Some(65_535)), &json!("0")),
            "option `x`: must be between 1 and 65535"
        );
        assert_eq!(one(&number(None, Some(9)), &json!(10)), "option `x`: must be at most 9");
        assert_eq!(one(&number(Some(1), None), &json!(-1)), "option `x`: must be at least 1");
        assert_eq!(one(&number(Some(1), Some(2)), &json!(2)), "2");
    }

    #[test]
    fn defaults_fill_what_is_absent_and_only_that() {
        let with_default = ConfigOption {
            default: Some(DefaultValue::Text("POST".into())),
            ..option("x", OptionKind::String)
        };
        let get = |json: Json| {
            Config::from_json(std::slice::from_ref(&with_default), &json).map(|c| format!("{:?}", c.get("x")))
        };
        assert_eq!(get(Json::Null).unwrap(), "Some(\"POST\")");
        assert_eq!(get(json!({})).unwrap(), "Some(\"POST\")");
        assert_eq!(get(json!({ "x": null })).unwrap(), "Some(\"POST\")");
        assert_eq!(get(json!({ "x": "" })).unwrap(), "Some(\"\")");
        assert_eq!(get(json!({ "unknown": 1 })).unwrap(), "Some(\"POST\")");
        assert_eq!(
            get(json!([])).unwrap_err().to_string(),
            "the configuration is no JSON object; write {\"option\": value, …}"
        );
    }

    #[test]
    fn a_missing_required_option_is_named() {
        let required = |kind| ConfigOption { required: true, ..option("x", kind) };
        for json in [json!({}), json!({ "x": "" }), json!({ "x": null })] {
            for kind in [OptionKind::String, OptionKind::Number, OptionKind::Secret, OptionKind::Option] {
                let error = Config::from_json(&[required(kind)], &json).unwrap_err();
                assert_eq!(error.to_string(), "option `x`: is required and has no value");
                assert_eq!(error.name.as_deref(), Some("x"));
            }
        }
    }

    #[test]
    fn neither_debug_nor_identity_shows_a_secret() {
        let config =
            Config::from_json(&[option("x", OptionKind::Secret)], &json!({ "x": "hunter2" })).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(String::from_utf8(config.identity()).unwrap(), r#"[["x",null]]"#);
        assert_eq!(config.secret("x").unwrap().expose_secret(), "hunter2");
    }
}
