//! File, environment and flags become settings; the later of them wins. Whatever is wrong is shown where it stands.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sandbell_domain::escape;
use serde::Deserialize;
use toml::Table;
use toml::de::DeTable;

use super::Settings;
use super::key::{SECTIONS, variable};
use super::spelling::nearest;

/// A larger file is another file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What is laid over the file: `(section, key, value)`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) from_flags: Vec<(&'static str, &'static str, String)>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the configuration `{}` cannot be read: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("the configuration `{}` has more than {FILE_BYTES_MAX} bytes", .0.display())]
    Large(PathBuf),
    #[error("{0}")]
    At(Place),
    #[error("{name}: {message}")]
    Override { name: String, message: String },
    #[error("[listen]: a certificate needs its key, and the key its certificate; set both files or none")]
    HalfTls,
    #[error("[dispatch]: reserved_first must be less than attempts_max, or no later try could ever begin")]
    AllReserved,
}

/// A place in the file, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// Both count from 1.
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
    text: String,
    length: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, message, text, length } = self;
        let gutter = line.to_string();
        let path = escape::line(&path.display().to_string());
        writeln!(f, "{path}:{line}:{column}: {message}")?;
        writeln!(f, "  {gutter} | {}", escape::line(text))?;
        write!(
            f,
            "  {:width$} | {:blank$}{}",
            "",
            "",
            "^".repeat(*length),
            width = gutter.len(),
            blank = column - 1
        )
    }
}

/// The settings of this file (absent: the defaults), of the environment and of flags. Nothing is half taken.
pub(crate) fn load(
    path: Option<&Path>,
    environment: impl Fn(&str) -> Option<String>,
    overrides: &Overrides,
) -> Result<Settings, LoadError> {
    let text = path.map_or(Ok(String::new()), read)?;
    let shown = path.unwrap_or(Path::new("sandbell.toml"));
    check_names(&text, shown)?;
    let at = |error: &toml::de::Error| LoadError::At(place(&text, shown, error.span(), error.message()));
    let mut settings: Settings = toml::from_str(&text).map_err(|error| at(&error))?;
    let mut table: Table = toml::from_str(&text).map_err(|error| at(&error))?;
    let of_environment = SECTIONS.iter().flat_map(|section| {
        section.keys.iter().filter_map(|key| {
            let name = variable(section.name, key.name);
            environment(&name).map(|value| (section.name, key.name, value, format!("${name}")))
        })
    });
    let of_flags = overrides
        .from_flags
        .iter()
        .map(|(section, key, value)| (*section, *key, value.clone(), format!("--{}", key.replace('_', "-"))));
    for (section, key, value, name) in of_environment.chain(of_flags) {
        settings = lay_over(&mut table, section, key, &value)
            .map_err(|error| LoadError::Override { name, message: error.message().to_owned() })?;
    }
    check(&settings)?;
    Ok(settings)
}

/// What no single value shows.
fn check(settings: &Settings) -> Result<(), LoadError> {
    let Settings { listen, dispatch, .. } = settings;
    if listen.tls_certificate_file.is_some() != listen.tls_key_file.is_some() {
        return Err(LoadError::HalfTls);
    }
    if dispatch.reserved_first >= dispatch.attempts_max.get() {
        return Err(LoadError::AllReserved);
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, LoadError> {
    let failed = |error| LoadError::Read { path: path.to_owned(), error };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(LoadError::Large(path.to_owned()));
    }
    fs::read_to_string(path).map_err(failed)
}

/// A value outside of a file is TOML if it reads as such, and otherwise a text.
fn lay_over(table: &mut Table, section: &str, key: &str, value: &str) -> Result<Settings, toml::de::Error> {
    let text = toml::Value::String(value.to_owned());
    let parsed = value.parse::<i64>().map(toml::Value::Integer);
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(Table::new()));
    let mut error = None;
    for value in parsed.into_iter().chain([text]) {
        if let toml::Value::Table(section) = entry {
            section.insert(key.to_owned(), value);
        }
        // The whole is read again each time, so that a wrong value is blamed on whoever gave it.
        let whole = toml::Value::Table(Table::from_iter([(section.to_owned(), entry.clone())]));
        match Settings::deserialize(whole) {
            Ok(_) => {
                error = None;
                break;
            }
            Err(wrong) => error = Some(error.unwrap_or(wrong)),
        }
    }
    match error {
        Some(error) => Err(error),
        None => Settings::deserialize(toml::Value::Table(table.clone())),
    }
}

/// Refuses what nobody knows before its value is looked at, and says what may have been meant.
fn check_names(text: &str, path: &Path) -> Result<(), LoadError> {
    let at =
        |span: Range<usize>, message: String| Err(LoadError::At(place(text, path, Some(span), &message)));
    // What is no TOML at all is shown by whoever reads the values.
    let Ok(document) = DeTable::parse(text) else { return Ok(()) };
    for (name, value) in document.get_ref() {
        let known = SECTIONS.iter().find(|section| section.name == name.get_ref());
        let Some(section) = known else {
            let sections = SECTIONS.iter().map(|section| section.name);
            return at(name.span(), unknown("section", name.get_ref(), sections));
        };
        let Some(keys) = value.get_ref().as_table() else { continue };
        for (name, _) in keys {
            if !section.keys.iter().any(|key| key.name == name.get_ref()) {
                let keys = section.keys.iter().map(|key| key.name);
                return at(name.span(), unknown(&format!("key of [{}]", section.name), name.get_ref(), keys));
            }
        }
    }
    Ok(())
}

fn unknown<'a>(what: &str, wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let shown = escape::line(&escape::cut(wrong, 80));
    if let Some(meant) = nearest(wrong, known.clone()) {
        return format!("`{shown}` is no {what}; did you mean `{meant}`?");
    }
    let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
    format!("`{shown}` is no {what}; write one of {}", known.join(", "))
}

fn place(text: &str, path: &Path, span: Option<Range<usize>>, message: &str) -> Place {
    let span = span.unwrap_or(0..0);
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line_text = text[line_start..].lines().next().unwrap_or_default();
    let column = text[line_start..start].chars().count();
    let end = text.floor_char_boundary(span.end.clamp(start, text.len())).min(line_start + line_text.len());
    Place {
        path: path.to_owned(),
        line: text[..start].matches('\n').count() + 1,
        column: column + 1,
        message: message.trim_end().replace('\n', "; "),
        text: line_text.to_owned(),
        length: text.get(start..end).map_or(1, |marked| marked.chars().count().max(1)),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::Address;
    use super::*;

    fn loaded(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sandbell.toml");
        fs::write(&path, text).unwrap();
        let find =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        load(Some(&path), find, &Overrides::default())
            .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "sandbell.toml"))
    }

    fn refused(text: &str) -> String {
        loaded(text, &[]).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_stands() {
        assert_snapshot!(refused("[dispatch]\natempts_max = 5\n"), @r"
        sandbell.toml:2:1: `atempts_max` is no key of [dispatch]; did you mean `attempts_max`?
          2 | atempts_max = 5
            | ^^^^^^^^^^^
        ");
        assert_snapshot!(refused("# mine\n[listne]\n"), @r"
        sandbell.toml:2:2: `listne` is no section; did you mean `listen`?
          2 | [listne]
            |  ^^^^^^
        ");
        assert_snapshot!(refused("[retention]\ndead = \"soon\""), @r#"
        sandbell.toml:2:8: `soon` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`
          2 | dead = "soon"
            |        ^^^^^^
        "#);
        assert_snapshot!(refused("[listen]\napi = \"8601\""), @r#"
        sandbell.toml:2:7: `8601` is no address; write one with its port, e.g. `127.0.0.1:8601` or `[::1]:8601`, or `off`
          2 | api = "8601"
            |       ^^^^^^
        "#);
        assert_snapshot!(refused("[log]\nformat = \"xml\""), @r#"
        sandbell.toml:2:10: unknown variant `xml`, expected one of `auto`, `pretty`, `journald`, `json`
          2 | format = "xml"
            |          ^^^^^
        "#);
        assert_snapshot!(refused("[dispatch]\nattempts_max = 0"), @r"
        sandbell.toml:2:16: invalid value: integer `0`, expected a nonzero u32
          2 | attempts_max = 0
            |                ^
        ");
        assert!(refused("[listen\n").starts_with("sandbell.toml:1:8: "), "{}", refused("[listen\n"));
        assert_snapshot!(refused("[listen]\ntls_key_file = \"k\""), @"[listen]: a certificate needs its key, and the key its certificate; set both files or none");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_is_blamed_by_name() {
        let variables = [("SANDBELL_DISPATCH_ATTEMPTS_MAX", "7"), ("SANDBELL_LISTEN_API", "off")];
        let text = "[dispatch]\nattempts_max = 99\nreserved_first = 1\nattempt = \"2s\"\n";
        let settings = loaded(text, &variables).unwrap();
        assert_eq!(settings.dispatch.attempts_max.get(), 7);
        assert_eq!(settings.dispatch.attempt.as_secs(), 2);
        assert_eq!(settings.listen.api, Address::Off);
        assert_snapshot!(loaded("", &[("SANDBELL_RETENTION_DEAD", "ever")]).unwrap_err(), @"$SANDBELL_RETENTION_DEAD: `ever` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`");
    }
}
