//! `GetInfo`'s result, in the shape that daemon and Web take (`reference/icinga.md` §§2.1, 2.2, 3.7).

use std::collections::BTreeMap;

use sandbell_domain::{ConfigOption, DefaultValue, Localized, OptionKind, PluginInfo};
use serde::Serialize;

use crate::install::{TIMEOUT_OPTION, TIMEOUT_SECONDS};

#[derive(Serialize)]
struct Info<'a> {
    name: &'a str,
    version: &'a str,
    author: &'a str,
    config_attrs: Vec<Attr<'a>>,
}

/// One element of the form; the order of the keys is Go's.
#[derive(Serialize)]
struct Attr<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    label: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    help: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<DefaultValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<&'a str, &'a str>,
    min: Option<i64>,
    max: Option<i64>,
}

/// One line of JSON, keys in Go's order.
pub(super) fn to_json(info: &PluginInfo) -> String {
    let mut config_attrs: Vec<_> = info.config_attrs.iter().map(attr).collect();
    if config_attrs.is_empty() {
        config_attrs.push(timeout());
    }
    let info = Info { name: &info.name, version: &info.version, author: &info.author, config_attrs };
    serde_json::to_string(&info).expect("texts and numbers always serialise")
}

fn attr(option: &ConfigOption) -> Attr<'_> {
    let ConfigOption { name, kind, label, help, default, required, choices, min, max, hints: _ } = option;
    let is_number = *kind == OptionKind::Number;
    let has_choices = matches!(kind, OptionKind::Option | OptionKind::Options);
    let mut label = by_locale(label);
    if !label.contains_key("en_US") {
        // Web falls back to en_US and fails without a label.
        let text = label.values().next().copied().unwrap_or(name);
        label.insert("en_US", text);
    }
    Attr {
        name,
        kind: kind.as_str(),
        label,
        help: by_locale(help),
        default: default.as_ref().map(as_web_compares),
        // On a checkbox Web takes it for "must be ticked".
        required: *required && *kind != OptionKind::Bool,
        options: choices
            .iter()
            .filter(|_| has_choices)
            .map(|choice| (choice.value.as_str(), choice.label.as_str()))
            .collect(),
        min: min.filter(|_| is_number),
        max: max.filter(|_| is_number),
    }
}

/// Web drops a value that is identical to its default, and its form knows texts: a number would never match.
fn as_web_compares(default: &DefaultValue) -> DefaultValue {
    match default {
        DefaultValue::Integer(number) => DefaultValue::Text(number.to_string()),
        DefaultValue::Boolean(_) | DefaultValue::Text(_) | DefaultValue::Many(_) => default.clone(),
    }
}

fn by_locale(texts: &[Localized]) -> BTreeMap<&str, &str> {
    texts.iter().map(|text| (text.locale.as_str(), text.text.as_str())).collect()
}

/// Web cannot save a channel whose type has no options, so the host has one.
fn timeout() -> Attr<'static> {
    Attr {
        name: TIMEOUT_OPTION,
        kind: OptionKind::Number.as_str(),
        label: BTreeMap::from([("de_DE", "Zeitlimit"), ("en_US", "Timeout")]),
        help: BTreeMap::from([
            ("de_DE", "Sekunden, nach denen ein Versuch abgebrochen wird"),
            ("en_US", "Seconds after which an attempt is given up"),
        ]),
        default: Some(DefaultValue::Text("30".to_owned())),
        required: false,
        options: BTreeMap::new(),
        min: Some(*TIMEOUT_SECONDS.start()),
        max: Some(*TIMEOUT_SECONDS.end()),
    }
}
