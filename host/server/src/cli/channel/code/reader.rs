//! The text of a file to a declared channel. What is wrong is collected, not only the first of it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use jiff::Timestamp;
use sandbell_domain::Name;
use sandbell_domain::tenant::BadName;
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::SecretFile;
use super::{Declared, FileError, Source};
use crate::config::nearest;

/// What may stand in a file.
const KEYS: [&str; 6] = ["name", "plugin", "enabled", "settings", "secrets", "policy"];

/// The end of the keys in `[secrets]`.
pub(super) const FILE_SUFFIX: &str = "_file";

/// Reads one file and collects what is wrong with it.
pub(super) struct Reader {
    source: Source,
    errors: Vec<FileError>,
    spans: BTreeMap<String, Range<usize>>,
}

impl Reader {
    pub(super) fn new(source: Source) -> Self {
        Self { source, errors: Vec::new(), spans: BTreeMap::new() }
    }

    pub(super) fn read(mut self) -> Result<Declared, Vec<FileError>> {
        let text = self.source.text.clone();
        let document = match DeTable::parse(&text) {
            Ok(document) => document,
            Err(error) => {
                let message = error.message().lines().collect::<Vec<_>>().join("; ");
                return Err(vec![self.source.error(error.span().unwrap_or(0..0), message)]);
            }
        };
        for (key, value) in document.get_ref() {
            self.spans.insert(format!("/{}", key.get_ref()), key.span());
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let message = format!("unknown key `{}`", key.get_ref());
                let error = self.source.error(key.span(), message).meant(nearest(key.get_ref(), KEYS));
                self.errors.push(error);
            }
            self.note_spans(key.get_ref(), value);
        }
        let root = document.get_ref();
        let name = self.name(root);
        let plugin = self.plugin(root);
        let is_enabled = self.enabled(root);
        let settings = self.table(root, "settings");
        let policy = self.table(root, "policy");
        let secrets = self.secrets(root);
        match (name, plugin) {
            (Some(name), Some(plugin)) if self.errors.is_empty() => {
                let Self { source, errors: _, spans } = self;
                Ok(Declared { name, plugin, is_enabled, settings, secrets, policy, source, spans })
            }
            (_, _) => Err(self.errors),
        }
    }

    /// Where each key of a table is, one and two levels down: `/policy/retry/age_max`.
    fn note_spans(&mut self, path: &str, value: &Spanned<DeValue<'_>>) {
        let Some(table) = value.get_ref().as_table() else { return };
        for (key, value) in table {
            let name = key.get_ref();
            let name = if path == "secrets" { name.strip_suffix(FILE_SUFFIX).unwrap_or(name) } else { name };
            let path = format!("{path}/{name}");
            self.spans.insert(format!("/{path}"), key.span());
            self.note_spans(&path, value);
        }
    }

    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.errors.push(self.source.error(span, message));
    }

    /// What `name` says, else the file's name.
    fn name(&mut self, root: &DeTable<'_>) -> Option<Name> {
        let (text, span) = if let Some(value) = root.get("name") {
            let Some(text) = value.get_ref().as_str() else {
                self.wrong(value.span(), "`name` is a text");
                return None;
            };
            (text.to_owned(), value.span())
        } else {
            let stem = self.source.path.file_stem().unwrap_or_default().to_string_lossy();
            (stem.into_owned(), 0..0)
        };
        match text.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                let error: BadName = error;
                self.wrong(span, error.to_string());
                None
            }
        }
    }

    fn plugin(&mut self, root: &DeTable<'_>) -> Option<String> {
        match root.get("plugin").map(|value| (value.get_ref().as_str(), value.span())) {
            Some((Some(text), _)) => Some(text.to_owned()),
            Some((None, span)) => {
                self.wrong(span, "`plugin` is a text: what the plugin is called on the host");
                None
            }
            None => {
                self.wrong(0..0, "`plugin` is missing: what the plugin is called on the host");
                None
            }
        }
    }

    fn enabled(&mut self, root: &DeTable<'_>) -> bool {
        match root.get("enabled").map(|value| (value.get_ref().as_bool(), value.span())) {
            None => true,
            Some((Some(is_enabled), _)) => is_enabled,
            Some((None, span)) => {
                self.wrong(span, "`enabled` is true or false");
                true
            }
        }
    }

    fn table(&mut self, root: &DeTable<'_>, key: &str) -> Map<String, Json> {
        match root.get(key).map(|value| (value.get_ref().as_table(), value.span())) {
            None => Map::new(),
            Some((None, span)) => {
                self.wrong(span, format!("`{key}` is a table: `[{key}]`"));
                Map::new()
            }
            Some((Some(table), _)) => self.map(table),
        }
    }

    fn map(&mut self, table: &DeTable<'_>) -> Map<String, Json> {
        table.iter().map(|(key, value)| (key.get_ref().to_string(), self.json(value))).collect()
    }

    fn json(&mut self, value: &Spanned<DeValue<'_>>) -> Json {
        match value.get_ref() {
            DeValue::String(text) => Json::from(text.as_ref()),
            DeValue::Boolean(value) => Json::from(*value),
            DeValue::Integer(integer) => {
                if let Ok(number) = i64::from_str_radix(integer.as_str(), integer.radix()) {
                    return Json::from(number);
                }
                self.wrong(value.span(), "the number is too large");
                Json::Null
            }
            DeValue::Float(float) => {
                let number = float.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                if let Some(number) = number {
                    return Json::Number(number);
                }
                self.wrong(value.span(), "is no finite number");
                Json::Null
            }
            DeValue::Datetime(_) => {
                self.wrong(value.span(), "a time is a text here; write it in quotes");
                Json::Null
            }
            DeValue::Array(values) => values.iter().map(|value| self.json(value)).collect(),
            DeValue::Table(table) => Json::Object(self.map(table)),
        }
    }

    fn secrets(&mut self, root: &DeTable<'_>) -> BTreeMap<String, SecretFile> {
        let mut secrets = BTreeMap::new();
        let Some(value) = root.get("secrets") else { return secrets };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value.span(), "`secrets` is a table: `[secrets]`");
            return secrets;
        };
        for (key, value) in table {
            let Some(option) = key.get_ref().strip_suffix(FILE_SUFFIX).filter(|option| !option.is_empty())
            else {
                let name = key.get_ref();
                let message = format!(
                    "a secret is never in this file; write `{name}{FILE_SUFFIX} = \"…\"`, the file that holds it"
                );
                self.wrong(key.span(), message);
                continue;
            };
            let Some(path) = value.get_ref().as_str() else {
                self.wrong(value.span(), "write the path of the file that holds the secret");
                continue;
            };
            let path = self.source.path.parent().unwrap_or(Path::new("")).join(path);
            match written_at(&path) {
                Ok(written_at) => {
                    secrets.insert(option.to_owned(), SecretFile { path, written_at });
                }
                Err(because) => self.wrong(value.span(), format!("`{}`: {because}", path.display())),
            }
        }
        secrets
    }
}

fn written_at(path: &Path) -> Result<Timestamp, String> {
    let modified =
        fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(|error| error.to_string())?;
    Timestamp::try_from(modified).map_err(|error| error.to_string())
}
