//! `sandbell channel create|set|unset`: one channel, option by option.

use std::path::Path;

use sandbell_domain::{ConfigOption, Name, OptionKind};
use serde_json::{Map, Value as Json, json};

use super::super::exit::Exit;
use super::super::pair::Pair;
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::super::secret_text::{from_file, from_person};
use super::args::{Create, Set};
use super::form::{ChannelForm, PluginForm};
use crate::client::{Client, Request};

/// What is sent to save a channel.
#[derive(Debug, Default)]
struct Draft {
    settings: Map<String, Json>,
    /// A text sets, `null` removes; what is absent stays.
    secrets: Map<String, Json>,
    policy: Map<String, Json>,
}

pub(super) fn create(context: &Context, client: &Client, args: Create) -> Done {
    let Create { plugin, name, set, set_file, secret, policy, disabled } = args;
    let plugin = PluginForm::get(client, plugin.as_str())?;
    let mut draft = Draft::default();
    draft.set(&plugin, &set)?;
    draft.set_files(&plugin, &set_file)?;
    for option in secret {
        if !plugin.is_secret(&option) {
            return Err(not_secret(&plugin, &option));
        }
        let text = from_person(&format!("{option} of {name}"))?;
        draft.secrets.insert(option, text.into());
    }
    draft.set_policy(&policy)?;
    let Draft { settings, secrets, policy } = draft;
    let mut body = json!({
        "name": name, "plugin": plugin.name, "settings": settings, "secrets": secrets, "enabled": !disabled,
    });
    if !policy.is_empty() {
        body["policy"] = Json::Object(policy);
    }
    let saved = client.call(&Request::post(&["channels"]).body(body))?;
    context.output.result(
        || {
            let state = if disabled { "saved, disabled" } else { "saved" };
            format!("{name} is {state}\nhint: `sandbell channel test {name}` sends a test notification\n")
        },
        || saved,
    );
    Ok(Exit::Ok)
}

pub(super) fn set(context: &Context, client: &Client, args: &Set) -> Done {
    let Set { name, options, files, policy } = args;
    if options.is_empty() && files.is_empty() && policy.is_empty() {
        return Err(Problem::new(Exit::Usage, "nothing", "nothing is to be set")
            .hint(format!("`sandbell channel set {name} OPTION=VALUE`")));
    }
    let (form, _) = ChannelForm::get(client, name)?;
    let plugin = PluginForm::get(client, &form.plugin)?;
    let mut draft = Draft::of(&form);
    draft.set(&plugin, options)?;
    draft.set_files(&plugin, files)?;
    draft.set_policy(policy)?;
    save(context, client, &form, draft)
}

pub(super) fn unset(context: &Context, client: &Client, name: &Name, options: &[String]) -> Done {
    let (form, _) = ChannelForm::get(client, name)?;
    let mut draft = Draft::of(&form);
    for option in options {
        if form.secrets.contains_key(option) {
            draft.secrets.insert(option.clone(), Json::Null);
        } else if draft.settings.remove(option).is_none() {
            return Err(Problem::new(
                Exit::NotFound,
                "not_set",
                format!("{name} has no `{option}` that is set"),
            )
            .hint(format!("`sandbell channel show {name}` lists what is set")));
        }
    }
    save(context, client, &form, draft)
}

/// Saves over the revision that was read, and no other.
fn save(context: &Context, client: &Client, form: &ChannelForm, draft: Draft) -> Done {
    let name = &form.name;
    let Draft { settings, secrets, policy } = draft;
    let body = json!({
        "name": name, "plugin": form.plugin, "settings": settings, "secrets": secrets, "policy": policy,
        "enabled": form.enabled,
    });
    let request = Request::put(&["channels", name.as_str()])
        .header("if-match", format!("\"{}\"", form.revision))
        .body(body);
    let saved = client.call(&request)?;
    context
        .output
        .result(|| format!("{name} is saved as revision {}\n", saved["revision"]), || saved.clone());
    Ok(Exit::Ok)
}

impl Draft {
    /// The channel as it is; its secrets stay.
    fn of(form: &ChannelForm) -> Self {
        Self { settings: form.settings.clone(), secrets: Map::new(), policy: form.policy.clone() }
    }

    fn set(&mut self, plugin: &PluginForm, pairs: &[Pair]) -> Result<(), Problem> {
        let mut done: Vec<&str> = Vec::new();
        for Pair { key, .. } in pairs {
            if done.contains(&key.as_str()) {
                continue;
            }
            done.push(key);
            let option = plugin.option(key).ok_or_else(|| plugin.unknown_problem(key))?;
            if option.kind == OptionKind::Secret {
                return Err(shown_secret(key));
            }
            let values: Vec<&str> =
                pairs.iter().filter(|pair| pair.key == *key).map(|pair| pair.value.as_str()).collect();
            self.settings.insert(key.clone(), typed(option, &values)?);
        }
        Ok(())
    }

    fn set_files(&mut self, plugin: &PluginForm, pairs: &[Pair]) -> Result<(), Problem> {
        for Pair { key, value } in pairs {
            let option = plugin.option(key).ok_or_else(|| plugin.unknown_problem(key))?;
            let text = from_file(Path::new(value))?;
            if option.kind == OptionKind::Secret {
                self.secrets.insert(key.clone(), text.into());
            } else {
                self.settings.insert(key.clone(), typed(option, &[&text])?);
            }
        }
        Ok(())
    }

    /// `retry.attempts_max=5` is `{"retry":{"attempts_max":5}}`.
    fn set_policy(&mut self, pairs: &[Pair]) -> Result<(), Problem> {
        for Pair { key, value } in pairs {
            let json = serde_json::from_str(value).unwrap_or_else(|_| Json::from(value.as_str()));
            let mut map = &mut self.policy;
            let mut words = key.split('.').peekable();
            while let Some(word) = words.next() {
                if words.peek().is_none() {
                    map.insert(word.to_owned(), json);
                    break;
                }
                let inner = map.entry(word).or_insert_with(|| Json::Object(Map::new()));
                map = inner.as_object_mut().ok_or_else(|| {
                    Problem::new(Exit::Usage, "policy", format!("`{word}` in `{key}` is one value"))
                })?;
            }
        }
        Ok(())
    }
}

/// What was typed, in the JSON of the option's kind; what does not fit stays text, and the daemon says why it is wrong.
fn typed(option: &ConfigOption, values: &[&str]) -> Result<Json, Problem> {
    if option.kind == OptionKind::Options {
        return Ok(json!(values));
    }
    let [value] = values else {
        let what = format!("`{}` has one value, and {} are given", option.name, values.len());
        return Err(Problem::new(Exit::Usage, "one_value", what));
    };
    Ok(match option.kind {
        OptionKind::Number => value.trim().parse::<i64>().map_or_else(|_| json!(value), Json::from),
        OptionKind::Bool => match *value {
            "true" | "yes" | "y" | "1" => Json::Bool(true),
            "false" | "no" | "n" | "0" => Json::Bool(false),
            other => json!(other),
        },
        OptionKind::String
        | OptionKind::Text
        | OptionKind::Secret
        | OptionKind::Option
        | OptionKind::Options => {
            json!(value)
        }
    })
}

fn shown_secret(option: &str) -> Problem {
    Problem::new(
        Exit::Usage,
        "secret",
        format!("`{option}` is a secret; the command line can be read by others"),
    )
    .hint(format!(
        "`--set-file {option}=FILE` reads it from a file, `sandbell secret set CHANNEL {option}` asks for it"
    ))
}

fn not_secret(plugin: &PluginForm, option: &str) -> Problem {
    match plugin.option(option) {
        Some(_) => Problem::new(Exit::Usage, "no_secret", format!("`{option}` is no secret"))
            .hint(format!("`--set {option}=VALUE` sets it")),
        None => plugin.unknown_problem(option),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

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
            hints: vec![],
        }
    }

    fn plugin() -> PluginForm {
        let options = vec![
            option("webhook_url", OptionKind::Secret),
            option("timeout", OptionKind::Number),
            option("style", OptionKind::String),
            option("quiet", OptionKind::Bool),
            option("rooms", OptionKind::Options),
        ];
        PluginForm { name: "slack".to_owned(), version: "1.2.0".to_owned(), options }
    }

    fn set(pairs: &[&str]) -> Result<String, String> {
        let pairs: Vec<Pair> = pairs.iter().map(|pair| pair.parse().unwrap()).collect();
        let mut draft = Draft::default();
        draft.set(&plugin(), &pairs).map_err(|problem| problem.to_text())?;
        Ok(Json::Object(draft.settings).to_string())
    }

    #[test]
    fn what_is_typed_becomes_what_the_option_is() {
        assert_snapshot!(
            set(&["timeout=10", "style=10", "quiet=yes", "rooms=a", "rooms=b"]).unwrap(),
            @r#"{"quiet":true,"rooms":["a","b"],"style":"10","timeout":10}"#
        );
        assert_snapshot!(set(&["timeout=ten", "quiet=maybe"]).unwrap(), @r#"{"quiet":"maybe","timeout":"ten"}"#);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_snapshot!(set(&["timeouts=10"]).unwrap_err(), @"
        error: slack 1.2.0 has no option `timeouts`; did you mean `timeout`?
        hint: `sandbell plugin show slack` lists the options
        ");
        assert_snapshot!(set(&["style=a", "style=b"]).unwrap_err(), @"error: `style` has one value, and 2 are given");
        assert_snapshot!(set(&["webhook_url=https://x"]).unwrap_err(), @"
        error: `webhook_url` is a secret; the command line can be read by others
        hint: `--set-file webhook_url=FILE` reads it from a file, `sandbell secret set CHANNEL webhook_url` asks for it
        ");
    }

    #[test]
    fn a_policy_is_reached_by_dots() {
        let pairs: Vec<Pair> = ["retry.attempts_max=5", "retry.wait_first=30s", "is_ordered=true"]
            .map(|pair| pair.parse().unwrap())
            .into();
        let mut draft = Draft::default();
        draft.set_policy(&pairs).unwrap();
        assert_snapshot!(
            Json::Object(draft.policy),
            @r#"{"is_ordered":true,"retry":{"attempts_max":5,"wait_first":"30s"}}"#
        );
    }
}
