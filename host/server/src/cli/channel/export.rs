//! `sandbell channel export`: channels as the files that `apply` reads. Secrets stay where they are.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sandbell_domain::Name;
use serde_json::{Map, Value as Json, json};

use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::form::ChannelForm;
use super::policy;
use crate::client::{Client, Request};

pub(super) fn run(context: &Context, client: &Client, names: &[Name], dir: Option<&Path>) -> Done {
    let channels = if names.is_empty() {
        let items = client.all(&Request::get(&["channels"]))?;
        items.iter().map(parsed).collect::<Result<Vec<ChannelForm>, _>>()?
    } else {
        let one = |name: &Name| ChannelForm::get(client, name).map(|(form, _)| form);
        names.iter().map(one).collect::<Result<Vec<_>, _>>()?
    };
    let files: Vec<(&Name, String)> =
        channels.iter().map(|form| Ok((&form.name, file(form)?))).collect::<Result<_, Problem>>()?;
    let Some(dir) = dir else {
        let text = || {
            let with_name = |(name, text): &(&Name, String)| format!("# {name}.toml\n{text}");
            files.iter().map(with_name).collect::<Vec<_>>().join("\n")
        };
        let json = || {
            files.iter().map(|(name, text)| ((*name).to_string(), json!(text))).collect::<Map<_, _>>().into()
        };
        context.output.result(text, json);
        return Ok(Exit::Ok);
    };
    fs::create_dir_all(dir).map_err(|error| Problem::file(dir, "make", &error))?;
    for (name, text) in &files {
        let path = dir.join(format!("{name}.toml"));
        write_new(&path, text)?;
    }
    context.output.result(
        || {
            format!(
                "{} written to {}\nhint: name the files of the secrets, then `sandbell channel diff -f {}`\n",
                count(files.len()),
                dir.display(),
                dir.display()
            )
        },
        || json!({ "dir": dir, "channels": files.iter().map(|(name, _)| name).collect::<Vec<_>>() }),
    );
    Ok(Exit::Ok)
}

/// What somebody wrote there is not overwritten.
fn write_new(path: &Path, text: &str) -> Result<(), Problem> {
    use std::io::Write as _;
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let what = format!("`{}` is there already", path.display());
            Err(Problem::new(Exit::Conflict, "exists", what).hint("export into an empty directory"))
        }
        Err(error) => Err(Problem::file(path, "write", &error)),
    }
}

fn count(channels: usize) -> String {
    if channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") }
}

/// A channel as TOML. What has its default is left out; `null` has no TOML and means the same.
fn file(form: &ChannelForm) -> Result<String, Problem> {
    let mut text = format!("plugin = {}\n", toml_text(&json!(form.plugin))?);
    if !form.enabled {
        text.push_str("enabled = false\n");
    }
    let sections = [("settings", without_nulls(&form.settings)), ("policy", policy::own(&form.policy))];
    for (name, map) in sections.into_iter().filter(|(_, map)| !map.is_empty()) {
        let _ = write!(text, "\n[{name}]\n");
        for (key, value) in &map {
            let _ = writeln!(text, "{} = {}", toml_key(key), toml_text(value)?);
        }
    }
    if !form.secrets.is_empty() {
        text.push_str("\n[secrets]\n");
        for option in form.secrets.keys() {
            let key = toml_key(&format!("{option}_file"));
            let _ = writeln!(text, "# {key} = \"…\" # it is set; name the file that holds it");
        }
    }
    Ok(text)
}

fn without_nulls(map: &Map<String, Json>) -> Map<String, Json> {
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn toml_key(key: &str) -> String {
    let is_bare =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { key.to_owned() } else { json!(key).to_string() }
}

/// A value on one line; a table is an inline one.
fn toml_text(value: &Json) -> Result<String, Problem> {
    let text = match value {
        Json::Object(map) => {
            let pairs = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| Ok(format!("{} = {}", toml_key(key), toml_text(value)?)))
                .collect::<Result<Vec<_>, Problem>>()?;
            return Ok(format!("{{ {} }}", pairs.join(", ")));
        }
        Json::Array(values) => {
            let values = values.iter().map(toml_text).collect::<Result<Vec<_>, _>>()?;
            return Ok(format!("[{}]", values.join(", ")));
        }
        Json::Null => Ok(toml::Value::String(String::new())),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => toml::Value::try_from(value),
    };
    text.map(|value| value.to_string()).map_err(|error| {
        Problem::new(Exit::Failed, "export", "a setting cannot be written as TOML").because(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_channel_becomes_a_file_without_its_secrets() {
        let form: ChannelForm = parsed(&json!({
            "name": "ops", "plugin": "webhook", "enabled": false, "revision": 3, "updated_at": "2026-11-24T17:59:00Z",
            "settings": { "url": "https://a/", "text": "two\nlines \"and\" quotes", "n": 7, "on": true, "many": ["a", "b"] },
            "secrets": { "token": { "set_at": "2026-11-20T18:00:00Z" } },
            "policy": {},
        }))
        .unwrap();
        assert_snapshot!(file(&form).unwrap(), @r#"
        plugin = "webhook"
        enabled = false

        [settings]
        many = ["a", "b"]
        n = 7
        on = true
        text = """
        two
        lines "and" quotes"""
        url = "https://a/"

        [secrets]
        # token_file = "…" # it is set; name the file that holds it
        "#);
    }
}
