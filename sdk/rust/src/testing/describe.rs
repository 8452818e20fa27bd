//! What a channel says about itself, as text for snapshots.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::bindings::exports::sandbell::channel::plugin::{ConfigOption, Info, Value};
use crate::channel::Channel;
use crate::config::ChannelConfig;

/// The channel's info; the version is left out so that a snapshot lives longer than a release.
pub fn describe<C: Channel>() -> String {
    let Info { name, version: _, author, config_attrs: _, address_types, wants, extra } =
        crate::__rt::info::<C>();
    let mut text = format!("{name} by {author}\naddresses: {}", address_types.join(", "));
    for want in wants {
        // Writing to a String cannot fail.
        let _ = write!(text, "\nwants {} {}: {}", want.capability, want.target, want.reason);
    }
    for (key, value) in extra {
        let _ = write!(text, "\n{key}: {value}");
    }
    text
}

/// The form in the shape of Icinga's `config_attrs` (`reference/icinga.md` §2.2): compare it with what operators had
/// before.
pub fn form<C: ChannelConfig>() -> Json {
    C::OPTIONS.iter().map(|spec| option(&spec.into())).collect()
}

fn option(option: &ConfigOption) -> Json {
    let ConfigOption { name, kind, label, help, default, required, choices, min, max, hints } = option;
    let mut json = Map::new();
    let mut put = |key: &str, value: Json| json.insert(key.to_owned(), value);
    put("name", json!(name));
    put("type", json!(kind));
    put("label", label.iter().map(|text| (text.locale.clone(), json!(text.text))).collect());
    if !help.is_empty() {
        put("help", help.iter().map(|text| (text.locale.clone(), json!(text.text))).collect());
    }
    if let Some(default) = default {
        put(
            "default",
            match default {
                Value::Boolean(value) => json!(value),
                // A form compares what was typed with the default, and what was typed is text.
                Value::Integer(value) => json!(value.to_string()),
                Value::Text(text) | Value::Secret(text) => json!(text),
                Value::Many(values) => json!(values),
            },
        );
    }
    if *required {
        put("required", json!(true));
    }
    if !choices.is_empty() {
        put("options", choices.iter().map(|choice| (choice.value.clone(), json!(choice.label))).collect());
    }
    for (key, bound) in [("min", min), ("max", max)] {
        if let Some(bound) = bound {
            put(key, json!(bound));
        }
    }
    if !hints.is_empty() {
        put("hints", hints.iter().map(|(key, value)| (key.clone(), json!(value))).collect());
    }
    Json::Object(json)
}
