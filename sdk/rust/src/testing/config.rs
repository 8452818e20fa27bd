//! From JSON, as forms and files give it, to typed settings, as the host gives them to a channel.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::ConfigError;
use crate::bindings::exports::sandbell::channel::plugin::{ConfigOption, Setting, Value};

/// The settings, and what the secrets stand for.
///
/// Takes what Icinga stores (`reference/icinga.md` §2.4): numbers as text, lists as `{"0":…}`, a bool as `y` or `n`.
#[track_caller]
pub(super) fn settings(
    options: &[ConfigOption],
    config: &Json,
) -> Result<(Vec<Setting>, HashMap<String, String>), ConfigError> {
    let empty = serde_json::Map::new();
    let given = config.as_object().unwrap_or(&empty);
    assert!(config.is_object() || config.is_null(), "a configuration is a JSON object");
    for name in given.keys() {
        let names: Vec<_> = options.iter().map(|option| option.name.as_str()).collect();
        assert!(names.contains(&name.as_str()), "no option `{name}`; this channel has {}", names.join(", "));
    }
    let (mut settings, mut secrets) = (Vec::new(), HashMap::new());
    for option in options {
        let refuse = |message: &str| ConfigError::option(&option.name, message);
        let value = match given.get(&option.name) {
            None | Some(Json::Null) => option.default.clone(),
            Some(json) => typed(option, json).map_err(refuse)?,
        };
        let value = match value {
            Some(Value::Text(text)) if option.kind == "secret" => {
                secrets.insert(option.name.clone(), text);
                Some(Value::Secret(option.name.clone()))
            }
            value => value,
        };
        match value {
            Some(value) => settings.push(Setting { name: option.name.clone(), value }),
            None if option.required => return Err(refuse("is required and has no value")),
            None => {}
        }
    }
    Ok((settings, secrets))
}

/// `None` is a field that was left empty where empty means nothing.
fn typed(option: &ConfigOption, json: &Json) -> Result<Option<Value>, &'static str> {
    let text = match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    let is_empty = text.as_deref() == Some("");
    let value = match option.kind.as_str() {
        "number" | "secret" | "option" if is_empty => return Ok(None),
        "bool" => Value::Boolean(match (json, text.as_deref()) {
            (Json::Bool(value), _) => *value,
            (_, Some("y" | "true" | "1")) => true,
            (_, Some("n" | "false" | "0" | "")) => false,
            _ => return Err("must be true or false"),
        }),
        "options" => Value::Many(match json {
            Json::Array(values) => values.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Json::Object(values) => values.values().filter_map(Json::as_str).map(str::to_owned).collect(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                return Err("must be a list of choices");
            }
        }),
        "number" => {
            let number = text.and_then(|text| text.trim().parse().ok());
            Value::Integer(number.ok_or("is no whole number")?)
        }
        _ => Value::Text(text.ok_or("must be text")?),
    };
    Ok(Some(value))
}
