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

#[cfg(test)]
mod tests {
    use sandbell_domain::Choice;

    use super::*;

    fn option(name: &str, kind: OptionKind) -> ConfigOption {
        ConfigOption {
            name: name.to_owned(),
            kind,
            label: vec![],
            help: vec![],
            default: None,
            required: false,
            choices: vec![],
            min: None,
            max: None,
            hints: vec![("placeholder".to_owned(), "x".to_owned())],
        }
    }

    fn json(config_attrs: Vec<ConfigOption>) -> String {
        let info = PluginInfo {
            name: "Webhook".to_owned(),
            version: "1.0.0".to_owned(),
            author: "Me".to_owned(),
            config_attrs,
            address_types: vec![],
            wants: vec![],
            extra: vec![],
        };
        to_json(&info)
    }

    fn attrs(config_attrs: Vec<ConfigOption>) -> String {
        let json = json(config_attrs);
        let attrs =
            json.strip_prefix(r#"{"name":"Webhook","version":"1.0.0","author":"Me","config_attrs":["#);
        attrs.unwrap().strip_suffix("]}").unwrap().to_owned()
    }

    fn texts(texts: &[(&str, &str)]) -> Vec<Localized> {
        let localized = |(locale, text): &(&str, &str)| Localized {
            locale: (*locale).to_owned(),
            text: (*text).to_owned(),
        };
        texts.iter().map(localized).collect()
    }

    #[test]
    fn an_option_has_the_keys_of_go_in_the_order_of_go() {
        let full = ConfigOption {
            label: texts(&[("en_US", "Port"), ("de_DE", "Anschluss")]),
            help: texts(&[("en_US", "Where it listens")]),
            default: Some(DefaultValue::Integer(25)),
            required: true,
            min: Some(1),
            max: Some(65_535),
            ..option("port", OptionKind::Number)
        };
        assert_eq!(
            attrs(vec![full]),
            r#"{"name":"port","type":"number","label":{"de_DE":"Anschluss","en_US":"Port"},"help":{"en_US":"Where it listens"},"default":"25","required":true,"min":1,"max":65535}"#
        );
        assert_eq!(
            attrs(vec![option("url", OptionKind::String)]),
            r#"{"name":"url","type":"string","label":{"en_US":"url"},"min":null,"max":null}"#
        );
    }

    #[test]
    fn a_label_always_has_english_since_web_falls_back_to_it() {
        let german =
            ConfigOption { label: texts(&[("de_DE", "Adresse")]), ..option("url", OptionKind::Text) };
        assert_eq!(
            attrs(vec![german]),
            r#"{"name":"url","type":"text","label":{"de_DE":"Adresse","en_US":"Adresse"},"min":null,"max":null}"#
        );
    }

    #[test]
    fn what_web_would_misread_is_not_said() {
        let choice = |value: &str, label: &str| Choice { value: value.to_owned(), label: label.to_owned() };
        let ticked = ConfigOption {
            required: true,
            default: Some(DefaultValue::Boolean(false)),
            min: Some(1),
            ..option("tick", OptionKind::Bool)
        };
        let chosen = ConfigOption {
            choices: vec![choice("tls", "TLS"), choice("none", "None")],
            default: Some(DefaultValue::Text(String::new())),
            ..option("encryption", OptionKind::Option)
        };
        assert_eq!(
            attrs(vec![ticked, chosen]),
            r#"{"name":"tick","type":"bool","label":{"en_US":"tick"},"default":false,"min":null,"max":null},{"name":"encryption","type":"option","label":{"en_US":"encryption"},"default":"","options":{"none":"None","tls":"TLS"},"min":null,"max":null}"#
        );
    }

    #[test]
    fn a_plugin_without_options_gets_the_hosts_own() {
        assert!(attrs(vec![]).starts_with(r#"{"name":"sandbell_timeout","type":"number","label":{"de_DE":"Zeitlimit","en_US":"Timeout"},"help""#));
        assert!(attrs(vec![]).ends_with(r#""default":"30","min":1,"max":120}"#));
    }
}
