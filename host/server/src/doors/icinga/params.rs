//! Reads JSON as leniently as Go's decoder: any key may be missing or `null`, keys match in any case, unknown ones are
//! ignored; a wrong type is an error that names where it is.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

/// A value of the wrong type, or of the right type with a wrong content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadParams {
    #[error("{path}: expected {wanted}, found {found}")]
    Type { path: String, wanted: &'static str, found: &'static str },
    #[error("unknown severity {0}")]
    Severity(String),
    #[error("{path}: {text} is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z")]
    Time { path: String, text: String },
    #[error("{0}")]
    Json(String),
}

/// An object at a place that errors can name.
pub(super) struct Object<'a> {
    path: String,
    fields: &'a Map<String, Json>,
}

/// Finds a key: as it is written, or else in any case.
pub(super) fn find<'a, K, V>(fields: &'a BTreeMap<K, V>, name: &str) -> Option<&'a V>
where
    K: Borrow<str> + Ord,
{
    fields.get(name).or_else(|| {
        let same = |(key, _): &(&K, &V)| <K as Borrow<str>>::borrow(key).eq_ignore_ascii_case(name);
        fields.iter().find(same).map(|(_, value)| value)
    })
}

impl<'a> Object<'a> {
    /// The object that `json` is; `None` for `null`.
    pub(super) fn root(json: &'a Json) -> Result<Option<Self>, BadParams> {
        Self::new(String::new(), json)
    }

    fn new(path: String, json: &'a Json) -> Result<Option<Self>, BadParams> {
        match json {
            Json::Null => Ok(None),
            Json::Object(fields) => Ok(Some(Self { path, fields })),
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                let path = if path.is_empty() { "params".to_owned() } else { path };
                Err(BadParams::Type { path, wanted: "an object", found: kind(json) })
            }
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn get(&self, name: &str) -> &'a Json {
        let any_case =
            || self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.fields.get(name).or_else(any_case).unwrap_or(&Json::Null)
    }

    fn wrong(&self, name: &str, wanted: &'static str) -> BadParams {
        BadParams::Type { path: self.path(name), wanted, found: kind(self.get(name)) }
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, BadParams> {
        Self::new(self.path(name), self.get(name))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<String>, BadParams> {
        match self.get(name) {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text.clone())),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.wrong(name, "a string"))
            }
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<String, BadParams> {
        self.optional_text(name).map(Option::unwrap_or_default)
    }

    pub(super) fn integer(&self, name: &str) -> Result<i64, BadParams> {
        match self.get(name) {
            Json::Null => Ok(0),
            json => json.as_i64().ok_or_else(|| self.wrong(name, "a whole number of 64 bits")),
        }
    }

    pub(super) fn objects(&self, name: &str) -> Result<Vec<Option<Self>>, BadParams> {
        let elements = match self.get(name) {
            Json::Null => return Ok(Vec::new()),
            Json::Array(elements) => elements,
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                return Err(self.wrong(name, "an array"));
            }
        };
        let path = self.path(name);
        let object = |(index, json)| Self::new(format!("{path}[{index}]"), json);
        elements.iter().enumerate().map(object).collect()
    }

    /// A map of texts by key; a `null` is an empty text.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<(String, String)>, BadParams> {
        let Some(object) = self.object(name)? else { return Ok(Vec::new()) };
        object.fields.keys().map(|key| Ok((key.clone(), object.exact_text(key)?))).collect()
    }

    fn exact_text(&self, key: &str) -> Result<String, BadParams> {
        match &self.fields[key] {
            Json::Null => Ok(String::new()),
            Json::String(text) => Ok(text.clone()),
            json @ (Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
                let path = format!("{}[{}]", self.path, super::go::quote(key));
                Err(BadParams::Type { path, wanted: "a string", found: kind(json) })
            }
        }
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
