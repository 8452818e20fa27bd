//! One setting: JSON of a form, typed after its option.

use secrecy::SecretString;
use serde_json::Value as Json;

use crate::config::SETTING_BYTES_MAX;
use crate::{ConfigError, ConfigOption, DefaultValue, OptionKind, SettingValue, escape};

pub(crate) fn default(option: &ConfigOption, value: &DefaultValue) -> Result<SettingValue, ConfigError> {
    let json = match value {
        DefaultValue::Boolean(value) => Json::from(*value),
        DefaultValue::Integer(value) => Json::from(*value),
        DefaultValue::Text(value) => Json::from(value.as_str()),
        DefaultValue::Many(values) => Json::from(values.clone()),
    };
    typed(option, &json)?.ok_or_else(|| {
        ConfigError::option(&option.name, "has an empty default; the plugin's author must mend it")
    })
}

/// `None` means that nothing was entered, which only a number and an optional choice can say with `""`.
pub(crate) fn typed(option: &ConfigOption, json: &Json) -> Result<Option<SettingValue>, ConfigError> {
    match option.kind {
        OptionKind::String | OptionKind::Text => text(option, json).map(SettingValue::Text).map(Some),
        OptionKind::Secret => {
            let text = text(option, json)?;
            Ok((!text.is_empty()).then(|| SettingValue::Secret(SecretString::from(text))))
        }
        OptionKind::Number => Ok(number(option, json)?.map(SettingValue::Integer)),
        OptionKind::Bool => boolean(option, json).map(SettingValue::Boolean).map(Some),
        OptionKind::Option => {
            let text = text(option, json)?;
            if text.is_empty() && !option.choices.iter().any(|choice| choice.value.is_empty()) {
                return Ok(None);
            }
            check_choice(option, &text)?;
            Ok(Some(SettingValue::Text(text)))
        }
        OptionKind::Options => many(option, json).map(SettingValue::Many).map(Some),
    }
}

fn text(option: &ConfigOption, json: &Json) -> Result<String, ConfigError> {
    let text = match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        // Icinga Web turns a text that reads `checked` or `unchecked` into a boolean.
        Json::Bool(true) => "checked".to_owned(),
        Json::Bool(false) => "unchecked".to_owned(),
        Json::Null | Json::Array(_) | Json::Object(_) => return Err(wrong_type(option, json)),
    };
    if text.len() > SETTING_BYTES_MAX {
        let message = format!("has {} bytes; at most {SETTING_BYTES_MAX} are allowed", text.len());
        return Err(ConfigError::option(&option.name, message));
    }
    if text.contains('\0') {
        return Err(ConfigError::option(&option.name, "holds a NUL character; remove it"));
    }
    Ok(text)
}

fn number(option: &ConfigOption, json: &Json) -> Result<Option<i64>, ConfigError> {
    let number = match json {
        Json::Number(number) => number.as_i64(),
        Json::String(text) if text.trim().is_empty() => return Ok(None),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
            return Err(wrong_type(option, json));
        }
    };
    let number = number.ok_or_else(|| ConfigError::option(&option.name, "is no whole number"))?;
    if option.min.is_some_and(|min| number < min) || option.max.is_some_and(|max| number > max) {
        let range = match (option.min, option.max) {
            (Some(min), Some(max)) => format!("between {min} and {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => unreachable!("a number without bounds is within them"),
        };
        return Err(ConfigError::option(&option.name, format!("must be {range}")));
    }
    Ok(Some(number))
}

fn boolean(option: &ConfigOption, json: &Json) -> Result<bool, ConfigError> {
    match json {
        Json::Bool(value) => Ok(*value),
        Json::String(text) if matches!(text.as_str(), "y" | "true" | "1") => Ok(true),
        Json::String(text) if matches!(text.as_str(), "n" | "false" | "0" | "") => Ok(false),
        Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            Err(wrong_type(option, json))
        }
    }
}

fn many(option: &ConfigOption, json: &Json) -> Result<Vec<String>, ConfigError> {
    let values: Vec<&Json> = match json {
        Json::Array(values) => values.iter().collect(),
        // PHP's JSON_FORCE_OBJECT; the keys are positions.
        Json::Object(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map {
                let position: usize = key.parse().map_err(|_| wrong_type(option, json))?;
                entries.push((position, value));
            }
            entries.sort_by_key(|(position, _)| *position);
            entries.into_iter().map(|(_, value)| value).collect()
        }
        Json::String(text) if text.is_empty() => Vec::new(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            return Err(wrong_type(option, json));
        }
    };
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        let text = text(option, value)?;
        check_choice(option, &text)?;
        texts.push(text);
    }
    Ok(texts)
}

fn check_choice(option: &ConfigOption, text: &str) -> Result<(), ConfigError> {
    if option.choices.is_empty() || option.choices.iter().any(|choice| choice.value == text) {
        return Ok(());
    }
    let choices: Vec<_> = option.choices.iter().map(|choice| format!("`{}`", choice.value)).collect();
    let message = format!("`{}` is no choice; choose {}", escape::line(text), choices.join(", "));
    Err(ConfigError::option(&option.name, message))
}

fn wrong_type(option: &ConfigOption, json: &Json) -> ConfigError {
    let found = match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    };
    let wanted = match option.kind {
        OptionKind::Number => "a whole number, e.g. 25 or \"25\"",
        OptionKind::Bool => "true or false",
        OptionKind::Options => "an array of strings",
        OptionKind::String | OptionKind::Text | OptionKind::Option | OptionKind::Secret => "a string",
    };
    ConfigError::option(&option.name, format!("is {found}; write {wanted}"))
}
