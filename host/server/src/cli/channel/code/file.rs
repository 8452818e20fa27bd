//! A file to what it declares. Every mistake of every file is found, each with its place.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sandbell_domain::{Name, OptionKind};
use serde_json::{Map, Value as Json};

use super::super::form::PluginForm;
use super::reader::{FILE_SUFFIX, Reader};
use super::{FileError, Source};
use crate::config::nearest;

/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A channel as a file declares it.
#[derive(Clone, Debug)]
pub(in crate::cli::channel) struct Declared {
    pub(in crate::cli::channel) name: Name,
    pub(in crate::cli::channel) plugin: String,
    pub(in crate::cli::channel) is_enabled: bool,
    pub(in crate::cli::channel) settings: Map<String, Json>,
    /// By option.
    pub(in crate::cli::channel) secrets: BTreeMap<String, SecretFile>,
    pub(in crate::cli::channel) policy: Map<String, Json>,
    pub(super) source: Source,
    /// Where the keys are, by JSON pointer, e.g. `/settings/url`.
    pub(super) spans: BTreeMap<String, Range<usize>>,
}

#[derive(Clone, Debug)]
pub(in crate::cli::channel) struct SecretFile {
    pub(in crate::cli::channel) path: PathBuf,
    /// When the file was last written; a secret that was set before is set again.
    pub(in crate::cli::channel) written_at: Timestamp,
}

/// The channels of a directory's `*.toml`, or of one file, by name.
pub(in crate::cli::channel) fn read_all(path: &Path) -> Result<Vec<Declared>, Vec<FileError>> {
    let paths = files(path).map_err(|error| vec![Source::whole(path.to_owned(), error.to_string())])?;
    let mut all: Vec<Declared> = Vec::with_capacity(paths.len());
    let mut errors = Vec::new();
    for path in paths {
        match read(&path) {
            Ok(declared) => match all.iter().find(|other| other.name == declared.name) {
                None => all.push(declared),
                Some(other) => errors.push(declared.error(
                    "/name",
                    format!("`{}` is also what {} declares", declared.name, other.source.path.display()),
                )),
            },
            Err(more) => errors.extend(more),
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<Declared, Vec<FileError>> {
    let whole = |message: String| vec![Source::whole(path.to_owned(), message)];
    let metadata = fs::metadata(path).map_err(|error| whole(error.to_string()))?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(whole(format!("has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| whole(error.to_string()))?;
    Reader::new(Source { path: path.to_owned(), text: text.into() }).read()
}

impl Declared {
    /// An error at a key; at the top of the file if it does not stand there.
    pub(in crate::cli::channel) fn error(&self, pointer: &str, message: impl Into<String>) -> FileError {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.spans.get(pointer) {
                return self.source.error(span.clone(), message);
            }
            // `/settings/rooms/0` is in `/settings/rooms`.
            match pointer.rfind('/') {
                Some(at) if at > 0 => pointer = &pointer[..at],
                Some(_) | None => return self.source.error(0..0, message),
            }
        }
    }

    /// What is wrong with the names of options, once the plugin is known.
    pub(in crate::cli::channel) fn check_options(&self, plugin: &PluginForm) -> Vec<FileError> {
        let names = || plugin.options.iter().map(|option| option.name.as_str());
        let mut errors = Vec::new();
        let mut unknown = |pointer: String, name: &str| {
            let message = format!("{} {} has no option `{name}`", plugin.name, plugin.version);
            errors.push(self.error(&pointer, message).meant(nearest(name, names())));
        };
        for name in self.settings.keys().filter(|name| plugin.option(name).is_none()) {
            unknown(format!("/settings/{name}"), name);
        }
        for name in self.secrets.keys().filter(|name| plugin.option(name).is_none()) {
            unknown(format!("/secrets/{name}"), name);
        }
        for name in self.settings.keys().filter(|name| plugin.is_secret(name)) {
            let message =
                format!("`{name}` is a secret; write `{name}{FILE_SUFFIX} = \"…\"` under [secrets]");
            errors.push(self.error(&format!("/settings/{name}"), message));
        }
        for name in self.secrets.keys() {
            if plugin.option(name).is_some_and(|option| option.kind != OptionKind::Secret) {
                let message = format!("`{name}` is no secret; write it under [settings]");
                errors.push(self.error(&format!("/secrets/{name}"), message));
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_domain::ConfigOption;

    use super::*;

    /// A directory with these files; a secret's file beside them.
    fn dir(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "s3cret\n").unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn errors(files: &[(&str, &str)]) -> String {
        let dir = dir(files);
        let errors = read_all(dir.path()).unwrap_err();
        let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        text.replace(dir.path().to_str().unwrap(), "channels")
    }

    const WHOLE: &str = r#"
plugin = "rocketchat"
enabled = false
[settings]
url = "https://chat.example.com"
port = 0x1f_90
rooms = ["a", "b"]
[secrets]
token_file = "token"
[policy]
retry = { attempts_max = 10, age_max = "6h" }
"#;

    #[test]
    fn a_file_declares_a_channel_of_its_name() {
        let dir = dir(&[("ops-room.toml", WHOLE), ("README.md", "not a channel")]);
        let [declared] = read_all(dir.path()).unwrap().try_into().unwrap();
        let Declared { name, plugin, is_enabled, settings, secrets, policy, .. } = &declared;
        assert_eq!((name.as_str(), plugin.as_str(), *is_enabled), ("ops-room", "rocketchat", false));
        assert_snapshot!(
            Json::Object(settings.clone()),
            @r#"{"port":8080,"rooms":["a","b"],"url":"https://chat.example.com"}"#
        );
        assert_snapshot!(Json::Object(policy.clone()), @r#"{"retry":{"age_max":"6h","attempts_max":10}}"#);
        assert_eq!(secrets["token"].path, dir.path().join("token"));
    }

    #[test]
    fn every_mistake_is_found_with_its_place() {
        assert_snapshot!(errors(&[
            ("a.toml", "plugn = \"slack\"\n[settings]\nsince = 2026-11-24\nratio = nan\n"),
            ("b.toml", "plugin = \"slack\"\n[secrets]\ntoken = \"s3cret\"\nkey_file = \"nowhere\"\n"),
            ("c.toml", "plugin = \"slack\"\nname = \"Not A Name\"\nenabled = \"yes\"\n"),
            ("d.toml", "plugin = \"slack\nsettings = 1\n"),
        ]), @r#"
        channels/a.toml:1:1: unknown key `plugn`
          1 | plugn = "slack"
            | ^^^^^ did you mean `plugin`?
        channels/a.toml:1:1: `plugin` is missing: what the plugin is called on the host
          1 | plugn = "slack"
            | ^
        channels/a.toml:4:9: is no finite number
          4 | ratio = nan
            |         ^^^
        channels/a.toml:3:9: a time is a text here; write it in quotes
          3 | since = 2026-11-24
            |         ^^^^^^^^^^
        channels/b.toml:4:12: `channels/nowhere`: No such file or directory (os error 2)
          4 | key_file = "nowhere"
            |            ^^^^^^^^^
        channels/b.toml:3:1: a secret is never in this file; write `token_file = "…"`, the file that holds it
          3 | token = "s3cret"
            | ^^^^^
        channels/c.toml:2:8: `Not A Name` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first
          2 | name = "Not A Name"
            |        ^^^^^^^^^^^^
        channels/c.toml:3:11: `enabled` is true or false
          3 | enabled = "yes"
            |           ^^^^^
        channels/d.toml:1:16: invalid basic string, expected `"`
          1 | plugin = "slack
            |                ^
        "#);
        assert_snapshot!(errors(&[
            ("a.toml", "plugin = \"slack\""),
            ("b.toml", "plugin = \"slack\"\nname = \"a\"\n"),
        ]), @r#"
        channels/b.toml:2:1: `a` is also what channels/a.toml declares
          2 | name = "a"
            | ^^^^
        "#);
    }

    #[test]
    fn what_the_plugin_does_not_know_is_named() {
        let option = |name: &str, kind| ConfigOption {
            name: name.to_owned(),
            kind,
            label: vec![],
            help: vec![],
            default: None,
            required: false,
            choices: vec![],
            min: None,
            max: None,
            hints: vec![],
        };
        let plugin = PluginForm {
            name: "slack".to_owned(),
            version: "1.2.0".to_owned(),
            options: vec![option("webhook_url", OptionKind::Secret), option("timeout", OptionKind::Number)],
        };
        let text = "plugin = \"slack\"\n[settings]\ntimeouts = 10\nwebhook_url = \"https://x\"\n[secrets]\ntimeout_file = \"token\"\n";
        let dir = dir(&[("a.toml", text)]);
        let [declared] = read_all(dir.path()).unwrap().try_into().unwrap();
        let errors = declared.check_options(&plugin);
        let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_snapshot!(text.replace(dir.path().to_str().unwrap(), "channels"), @r#"
        channels/a.toml:3:1: slack 1.2.0 has no option `timeouts`
          3 | timeouts = 10
            | ^^^^^^^^ did you mean `timeout`?
        channels/a.toml:4:1: `webhook_url` is a secret; write `webhook_url_file = "…"` under [secrets]
          4 | webhook_url = "https://x"
            | ^^^^^^^^^^^
        channels/a.toml:6:1: `timeout` is no secret; write it under [settings]
          6 | timeout_file = "token"
            | ^^^^^^^^^^^^
        "#);
        let deep = declared.error("/settings/timeouts/0", "is no number").to_string();
        assert!(deep.contains("a.toml:3:1: is no number"), "{deep}");
    }
}
