//! What `get-info` answered: translated, and checked so that nobody after it has to.

use sandbell_domain::target::check_options;
use sandbell_domain::{
    Capability, Choice, Config, ConfigOption, DefaultValue, Localized, OptionKind, PluginInfo, Want,
};
use serde_json::Value as Json;

use crate::error::{InfoError, foreign};
use crate::wit::plugin;

const NAME_BYTES_MAX: usize = 128;
const TEXT_BYTES_MAX: usize = 4096;
const OPTION_NAME_BYTES_MAX: usize = 64;
const OPTIONS_MAX: usize = 100;
const CHOICES_MAX: usize = 200;
const WANTS_MAX: usize = 50;
const ADDRESS_TYPES_MAX: usize = 50;
const PAIRS_MAX: usize = 50;

/// The locale that every label must have; the form falls back to it.
const LOCALE: &str = "en_US";

/// Checks an info and puts it into the house's words.
pub(crate) fn check(info: plugin::Info) -> Result<PluginInfo, InfoError> {
    let plugin::Info { name, version, author, config_attrs, address_types, wants, extra } = info;
    for (field, text) in [("name", &name), ("version", &version), ("author", &author)] {
        filled(field, text)?;
    }
    count("options", config_attrs.len(), OPTIONS_MAX)?;
    count("address types", address_types.len(), ADDRESS_TYPES_MAX)?;
    count("wants", wants.len(), WANTS_MAX)?;
    count("extra entries", extra.len(), PAIRS_MAX)?;
    for kind in &address_types {
        filled("address type", kind)?;
    }
    for (key, value) in &extra {
        printable("extra", key)?;
        printable("extra", value)?;
    }
    let mut options: Vec<ConfigOption> = Vec::with_capacity(config_attrs.len());
    for given in config_attrs {
        if options.iter().any(|option| option.name == given.name) {
            return Err(InfoError::OptionTwice { name: foreign(&given.name) });
        }
        options.push(option(given)?);
    }
    let mut info =
        PluginInfo { name, version, author, config_attrs: options, address_types, wants: Vec::new(), extra };
    info.wants = wants.into_iter().map(|given| want(given, &info)).collect::<Result<_, _>>()?;
    Ok(info)
}

fn option(given: plugin::ConfigOption) -> Result<ConfigOption, InfoError> {
    let plugin::ConfigOption { name, kind, label, help, default, required, choices, min, max, hints } = given;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > OPTION_NAME_BYTES_MAX || !name.bytes().all(is_name) {
        return Err(InfoError::OptionName { name: foreign(&name) });
    }
    count("choices", choices.len(), CHOICES_MAX)?;
    count("hints", hints.len(), PAIRS_MAX)?;
    for (key, value) in &hints {
        printable("hint", key)?;
        printable("hint", value)?;
    }
    let label = localized("label", label)?;
    if !label.iter().any(|label| label.locale == LOCALE && !label.text.trim().is_empty()) {
        return Err(InfoError::NoLabel { name });
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err(InfoError::Range { name });
    }
    let kind = OptionKind::parse(&kind);
    let choices = choices.into_iter().map(choice).collect::<Result<Vec<_>, _>>()?;
    if matches!(kind, OptionKind::Option | OptionKind::Options) && choices.is_empty() {
        return Err(InfoError::NoChoices { name, kind: kind.as_str().to_owned() });
    }
    let mut option = ConfigOption {
        name,
        kind,
        label,
        help: localized("help", help)?,
        default: None,
        required: false,
        choices,
        min,
        max,
        hints,
    };
    option.default = default.map(|value| default_value(value, &option)).transpose()?;
    option.required = required;
    Ok(option)
}

fn choice(given: plugin::Choice) -> Result<Choice, InfoError> {
    let plugin::Choice { value, label } = given;
    printable("choice", &value)?;
    printable("choice", &label)?;
    Ok(Choice { value, label })
}

fn localized(field: &'static str, texts: Vec<plugin::Localized>) -> Result<Vec<Localized>, InfoError> {
    count("translations", texts.len(), PAIRS_MAX)?;
    let text = |plugin::Localized { locale, text }| {
        printable("locale", &locale)?;
        block(field, &text)?;
        Ok(Localized { locale, text })
    };
    texts.into_iter().map(text).collect()
}

/// A default is one that the option itself would take from a form, in its own type.
fn default_value(value: plugin::Value, option: &ConfigOption) -> Result<DefaultValue, InfoError> {
    let misfit = |reason: String| InfoError::Default {
        name: option.name.clone(),
        kind: option.kind.as_str().to_owned(),
        reason,
    };
    let fits = matches!(
        (&value, option.kind),
        (plugin::Value::Boolean(_), OptionKind::Bool)
            | (plugin::Value::Integer(_), OptionKind::Number)
            | (plugin::Value::Text(_), OptionKind::String | OptionKind::Text | OptionKind::Option)
            | (plugin::Value::Many(_), OptionKind::Options)
    );
    if !fits {
        let given = match value {
            plugin::Value::Boolean(_) => "is a boolean",
            plugin::Value::Integer(_) => "is an integer",
            plugin::Value::Text(_) => "is a text",
            plugin::Value::Many(_) => "is a list",
            plugin::Value::Secret(_) => "is a secret",
        };
        return Err(misfit(given.to_owned()));
    }
    let (value, json) = match value {
        plugin::Value::Boolean(value) => (DefaultValue::Boolean(value), Json::from(value)),
        plugin::Value::Integer(value) => (DefaultValue::Integer(value), Json::from(value)),
        plugin::Value::Text(text) | plugin::Value::Secret(text) => {
            block("default", &text)?;
            (DefaultValue::Text(text.clone()), Json::from(text))
        }
        plugin::Value::Many(texts) => (DefaultValue::Many(texts.clone()), Json::from(texts)),
    };
    let mut given = serde_json::Map::new();
    given.insert(option.name.clone(), json);
    Config::from_json(std::slice::from_ref(option), &Json::Object(given))
        .map_err(|error| misfit(error.message))?;
    Ok(value)
}

/// A want names a capability of this host, options that exist, and a target that parses as far as it is known.
fn want(given: plugin::Want, info: &PluginInfo) -> Result<Want, InfoError> {
    let plugin::Want { capability, target, reason } = given;
    let capability = Capability::parse(&capability)
        .ok_or_else(|| InfoError::Capability { capability: foreign(&capability) })?;
    printable("target", &target)?;
    filled("reason of a want", &reason)?;
    let bad = |reason: String| InfoError::Target { target: foreign(&target), reason };
    check_options(&target, info).map_err(|error| bad(error.to_string()))?;
    if !target.contains('{') {
        capability.check_target(&target).map_err(|error| bad(error.to_string()))?;
    }
    Ok(Want { capability, target, reason })
}

fn filled(field: &str, text: &str) -> Result<(), InfoError> {
    if text.trim().is_empty() {
        return Err(InfoError::Missing { field: field.to_owned() });
    }
    if field != "reason of a want" && text.len() > NAME_BYTES_MAX {
        return Err(InfoError::Long { field: field.to_owned(), bytes: text.len(), max: NAME_BYTES_MAX });
    }
    printable(field, text)
}

fn printable(field: &str, text: &str) -> Result<(), InfoError> {
    limited(field, text)?;
    if sandbell_domain::escape::line(text) != text.replace('\\', "\\\\") {
        return Err(InfoError::NotPrintable { field: field.to_owned(), text: foreign(text) });
    }
    Ok(())
}

/// As [`printable`], but may have several lines.
fn block(field: &str, text: &str) -> Result<(), InfoError> {
    limited(field, text)?;
    if sandbell_domain::escape::block(text) != text {
        return Err(InfoError::NotPrintable { field: field.to_owned(), text: foreign(text) });
    }
    Ok(())
}

fn limited(field: &str, text: &str) -> Result<(), InfoError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(InfoError::Long { field: field.to_owned(), bytes: text.len(), max: TEXT_BYTES_MAX });
    }
    Ok(())
}

fn count(what: &str, found: usize, max: usize) -> Result<(), InfoError> {
    if found > max { Err(InfoError::TooMany { what: what.to_owned(), found, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> plugin::Info {
        plugin::Info {
            name: "Slack".to_owned(),
            version: "1.0.0".to_owned(),
            author: "A".to_owned(),
            config_attrs: vec![option("url", "string"), option("hook", "secret"), option("tls", "bool")],
            address_types: vec!["slack".to_owned()],
            wants: vec![want("http", "POST {url}/x")],
            extra: vec![("homepage".to_owned(), "https://a.example".to_owned())],
        }
    }

    fn option(name: &str, kind: &str) -> plugin::ConfigOption {
        let label = plugin::Localized { locale: "en_US".to_owned(), text: "Label".to_owned() };
        plugin::ConfigOption {
            name: name.to_owned(),
            kind: kind.to_owned(),
            label: vec![label],
            help: Vec::new(),
            default: None,
            required: true,
            choices: Vec::new(),
            min: None,
            max: None,
            hints: Vec::new(),
        }
    }

    fn want(capability: &str, target: &str) -> plugin::Want {
        plugin::Want {
            capability: capability.to_owned(),
            target: target.to_owned(),
            reason: "To send.".to_owned(),
        }
    }

    fn refusal(change: impl FnOnce(&mut plugin::Info)) -> String {
        let mut info = info();
        change(&mut info);
        check(info).map_or_else(|error| error.to_string(), |info| format!("fine: {} wants", info.wants.len()))
    }

    #[test]
    fn an_info_is_taken_or_refused_with_the_culprit() {
        insta::assert_snapshot!(refusal(|_| {}), @"fine: 1 wants");
        insta::assert_snapshot!(refusal(|info| info.name = " ".to_owned()), @"the info has no name; the plugin's author must fill it in");
        insta::assert_snapshot!(refusal(|info| info.version = "\x1b[31m".to_owned()), @r"the info's version `\u{1b}[31m` holds control characters; the plugin's author must remove them");
        insta::assert_snapshot!(refusal(|info| info.author = "x".repeat(129)), @"the info's author has 129 bytes; at most 128 are allowed");
        insta::assert_snapshot!(refusal(|info| info.extra[0].1 = "x".repeat(5000)), @"the info's extra has 5000 bytes; at most 4096 are allowed");
        insta::assert_snapshot!(refusal(|info| info.config_attrs.push(option("url", "text"))), @"the option `url` is declared twice; remove one");
        insta::assert_snapshot!(refusal(|info| info.config_attrs.push(option("a b", "text"))), @"`a b` is no option name; write letters, digits, `_`, `-` and `.`, at most 64 of them");
        insta::assert_snapshot!(refusal(|info| info.config_attrs[0].label[0].locale = "de_DE".to_owned()), @"the option `url` has no label in en_US; add one, others are optional");
        insta::assert_snapshot!(refusal(|info| info.config_attrs.push(option("o", "option"))), @"the option `o` of kind `option` has no choices; list them");
        insta::assert_snapshot!(refusal(|info| info.wants.push(want("nats", "a:1"))), @"`nats` is no capability of this host; a want names one of http, smtp, amqp, mqtt");
        insta::assert_snapshot!(refusal(|info| info.wants.push(want("http", "POST {uri}"))), @"the want `POST {uri}` cannot be granted: `{uri}` names no option of this plugin");
        insta::assert_snapshot!(refusal(|info| info.wants.push(want("http", "POST {tls}"))), @"the want `POST {tls}` cannot be granted: `{tls}` names an option that is neither text nor a number nor a secret");
        insta::assert_snapshot!(refusal(|info| info.wants.push(want("http", "POST https://*.com/"))), @"the want `POST https://*.com/` cannot be granted: `*.com` is not a host name; write `api.example.com` or `*.example.com`");
        insta::assert_snapshot!(refusal(|info| info.wants.push(want("smtp", "mail"))), @"the want `mail` cannot be granted: `mail` is no target of smtp; write a host and a port, e.g. `mail.example.com:587`");
        insta::assert_snapshot!(refusal(|info| info.wants[0].reason.clear()), @"the info has no reason of a want; the plugin's author must fill it in");
    }

    #[test]
    fn a_default_fits_its_option() {
        use plugin::Value;
        let with = |kind: &str, value: Value| {
            refusal(|info| {
                let choice = plugin::Choice { value: "a".to_owned(), label: "A".to_owned() };
                info.config_attrs.push(plugin::ConfigOption {
                    default: Some(value),
                    choices: vec![choice],
                    min: Some(1),
                    max: Some(9),
                    ..option("x", kind)
                });
            })
        };
        let fine = "fine: 1 wants";
        assert_eq!(with("string", Value::Text("t".to_owned())), fine);
        assert_eq!(with("number", Value::Integer(5)), fine);
        assert_eq!(with("bool", Value::Boolean(true)), fine);
        assert_eq!(with("option", Value::Text("a".to_owned())), fine);
        assert_eq!(with("options", Value::Many(vec!["a".to_owned()])), fine);
        insta::assert_snapshot!(with("number", Value::Text("5".to_owned())), @"the default of option `x` does not fit its kind `number`: is a text");
        insta::assert_snapshot!(with("number", Value::Integer(10)), @"the default of option `x` does not fit its kind `number`: must be between 1 and 9");
        insta::assert_snapshot!(with("option", Value::Text("b".to_owned())), @"the default of option `x` does not fit its kind `option`: `b` is no choice; choose `a`");
        insta::assert_snapshot!(with("secret", Value::Text("s".to_owned())), @"the default of option `x` does not fit its kind `secret`: is a text");
        insta::assert_snapshot!(with("secret", Value::Secret("s".to_owned())), @"the default of option `x` does not fit its kind `secret`: is a secret");
    }
}
