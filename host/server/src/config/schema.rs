//! The default file, with every key and its reason, and the same as a JSON schema for editors.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::key::{Key, Kind, SECTIONS, Value};

/// Longest line of a comment.
const LINE_MAX: usize = 110;

/// A file that changes nothing: defaults as they are, and examples of what is unset as comments.
pub(crate) fn default_text() -> String {
    let mut text = String::from(
        "# Settings of `sandbell serve`. What is not set has the value that stands here. Each key can also be given in\n\
         # the environment: $SANDBELL_LISTEN_API is `api` of [listen].\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n# {}\n[{}]\n", section.help, section.name);
        for Key { name, value, help, .. } in section.keys {
            text.push('\n');
            for line in wrapped(help) {
                let _ = writeln!(text, "# {line}");
            }
            let _ = match value {
                Value::Default(value) => writeln!(text, "{name} = {value}"),
                Value::Example(value) => writeln!(text, "#{name} = {value}"),
            };
        }
    }
    text
}

/// JSON Schema (2020-12) of the file.
pub(crate) fn json_schema() -> Json {
    let sections: Map<String, Json> = SECTIONS
        .iter()
        .map(|section| {
            let keys: Map<String, Json> =
                section.keys.iter().map(|key| (key.name.to_owned(), of_key(key))).collect();
            let schema = json!({
                "type": "object", "description": section.help, "properties": keys, "additionalProperties": false,
            });
            (section.name.to_owned(), schema)
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sandbell.toml",
        "type": "object",
        "properties": sections,
        "additionalProperties": false,
    })
}

fn of_key(key: &Key) -> Json {
    let mut schema = match key.kind {
        Kind::Text | Kind::Path | Kind::Address => json!({ "type": "string" }),
        Kind::Duration => json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" }),
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Names => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Choice(choices) => json!({ "enum": choices }),
    };
    schema["description"] = Json::from(key.help);
    let value = |text: &str| -> Json {
        let table: toml::Table = toml::from_str(&format!("x = {text}")).expect("values here are TOML");
        serde_json::to_value(&table["x"]).expect("texts and numbers always serialise")
    };
    match key.value {
        Value::Default(text) => schema["default"] = value(text),
        Value::Example(text) => schema["examples"] = Json::from(vec![value(text)]),
    }
    schema
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + word.len() >= LINE_MAX {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    #[test]
    fn the_default_file_says_what_the_program_does() {
        let settings: Settings = toml::from_str(&default_text()).unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn every_key_is_listed_and_every_listed_key_is_one() {
        let examples = default_text().replace("\n#", "\n").replace("\n ", "\n# ");
        let settings: Settings =
            toml::from_str(&examples).unwrap_or_else(|error| panic!("{error}\n{examples}"));
        let table = toml::Table::try_from(&settings).unwrap();
        for section in SECTIONS {
            let keys: Vec<&str> =
                table[section.name].as_table().unwrap().keys().map(String::as_str).collect();
            let mut listed: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
            listed.sort_unstable();
            assert_eq!(keys, listed, "[{}]", section.name);
        }
        assert_eq!(table.len(), SECTIONS.len());
    }

    #[test]
    fn the_schema_has_every_section() {
        let schema = json_schema();
        assert_eq!(schema["properties"]["dispatch"]["properties"]["attempt"]["default"], "30s");
        assert_eq!(
            schema["properties"]["store"]["properties"]["file_bytes_max"]["examples"][0],
            10_737_418_240_u64
        );
        assert_eq!(schema["properties"].as_object().unwrap().len(), SECTIONS.len());
    }
}
