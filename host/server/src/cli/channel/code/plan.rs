//! What is declared and what is there, to what must be done; decides and does nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sandbell_domain::Name;
use serde_json::{Map, Value as Json};

use super::super::form::ChannelForm;
use super::super::show::flat;
use super::Declared;

/// Longest value that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 60;

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli::channel) struct Options {
    /// Delete what no file declares.
    pub(in crate::cli::channel) is_pruning: bool,
    /// Set every secret again.
    pub(in crate::cli::channel) sets_all_secrets: bool,
}

/// What becomes of one channel, and why in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::channel) struct Change {
    pub(in crate::cli::channel) name: Name,
    pub(in crate::cli::channel) action: Action,
    pub(in crate::cli::channel) details: Vec<String>,
    /// Options whose secrets are set.
    pub(in crate::cli::channel) secrets: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli::channel) enum Action {
    Create,
    /// The revision that is replaced.
    Update(u32),
    Delete,
    /// No file declares it, and nobody asked to prune.
    Leave,
    Keep,
}

impl Action {
    pub(in crate::cli::channel) const fn mark(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update(_) => '~',
            Self::Delete | Self::Leave => '-',
            Self::Keep => '=',
        }
    }

    pub(in crate::cli::channel) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update(_) => "update",
            Self::Delete => "delete",
            Self::Leave => "leave",
            Self::Keep => "keep",
        }
    }

    /// Whether applying does something.
    pub(in crate::cli::channel) const fn is_change(self) -> bool {
        matches!(self, Self::Create | Self::Update(_) | Self::Delete)
    }
}

/// One change for each channel that is declared or there, by name. `policy` is the whole policy that a declared one means.
pub(in crate::cli::channel) fn plan(
    declared: &[(Declared, Map<String, Json>)],
    existing: &[ChannelForm],
    options: Options,
) -> Vec<Change> {
    let mut changes = BTreeMap::new();
    for (declared, policy) in declared {
        let change = match existing.iter().find(|form| form.name == declared.name) {
            None => creation(declared, policy),
            Some(form) => update(declared, policy, form, options),
        };
        changes.insert(declared.name.clone(), change);
    }
    for form in existing {
        changes.entry(form.name.clone()).or_insert_with(|| {
            let (action, detail) = if options.is_pruning {
                (Action::Delete, format!("{}, declared by no file", form.plugin))
            } else {
                (Action::Leave, "declared by no file; only deleted with --prune".to_owned())
            };
            Change { name: form.name.clone(), action, details: vec![detail], secrets: vec![] }
        });
    }
    changes.into_values().collect()
}

fn creation(declared: &Declared, policy: &Map<String, Json>) -> Change {
    let Declared { name, plugin, is_enabled, settings, secrets, .. } = declared;
    let mut first = format!("{plugin}, {}", if *is_enabled { "enabled" } else { "disabled" });
    for (count, word) in [(settings.len(), "setting"), (secrets.len(), "secret")] {
        let _ = match count {
            0 => Ok(()),
            1 => write!(first, ", 1 {word}"),
            many => write!(first, ", {many} {word}s"),
        };
    }
    if !declared.policy.is_empty() && !policy.is_empty() {
        first.push_str(", a policy of its own");
    }
    let secrets = secrets.keys().cloned().collect();
    Change { name: name.clone(), action: Action::Create, details: vec![first], secrets }
}

fn update(declared: &Declared, policy: &Map<String, Json>, form: &ChannelForm, options: Options) -> Change {
    let mut details = Vec::new();
    if declared.plugin != form.plugin {
        details.push(format!("plugin: {} → {}", form.plugin, declared.plugin));
    }
    match (declared.is_enabled, form.enabled) {
        (true, false) => details.push("enabled".to_owned()),
        (false, true) => details.push("disabled".to_owned()),
        (true, true) | (false, false) => {}
    }
    differences(&mut details, "", &form.settings, &declared.settings);
    differences(&mut details, "policy.", &form.policy, policy);
    let mut secrets = Vec::new();
    for (option, file) in &declared.secrets {
        let why = match form.secrets.get(option) {
            None => "set",
            Some(_) if options.sets_all_secrets => "set again",
            Some(secret) if file.written_at > secret.set_at => "set again, its file is newer",
            Some(_) => continue,
        };
        details.push(format!("secret {option}: {why}"));
        secrets.push(option.clone());
    }
    // Another plugin gets nothing that was told to this one.
    if declared.plugin != form.plugin {
        let lost = form.secrets.keys().filter(|option| !declared.secrets.contains_key(*option));
        details.extend(lost.map(|option| format!("secret {option}: removed")));
    }
    let action = if details.is_empty() { Action::Keep } else { Action::Update(form.revision) };
    Change { name: declared.name.clone(), action, details, secrets }
}

fn differences(details: &mut Vec<String>, prefix: &str, old: &Map<String, Json>, new: &Map<String, Json>) {
    let old: BTreeMap<_, _> = flat(old).into_iter().collect();
    let new: BTreeMap<_, _> = flat(new).into_iter().collect();
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let shown = |value: Option<&String>| value.map_or_else(|| "-".to_owned(), |value| short(value));
        let (old, new) = (old.get(key), new.get(key));
        if old != new && shown(old) != shown(new) {
            details.push(format!("{prefix}{key}: {} → {}", shown(old), shown(new)));
        } else if old != new {
            details.push(format!("{prefix}{key}: changed"));
        }
    }
}

fn short(value: &str) -> String {
    let value = sandbell_domain::escape::line(value);
    if value.chars().count() <= SHOWN_CHARS_MAX {
        return value;
    }
    value.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::super::super::super::remote::parsed;
    use super::super::read_all;
    use super::*;

    fn words(changes: &[Change]) -> String {
        let one = |change: &Change| {
            let Change { name, action, details, secrets } = change;
            format!("{} {name}: {} {secrets:?}", action.mark(), details.join("; "))
        };
        changes.iter().map(one).collect::<Vec<_>>().join("\n")
    }

    fn existing(name: &str, settings: &Json, set_at: &str) -> ChannelForm {
        parsed(&json!({
            "name": name, "plugin": "rocketchat", "settings": settings, "enabled": true, "revision": 4,
            "secrets": { "token": { "set_at": set_at } }, "policy": { "is_ordered": false },
            "updated_at": "2026-11-24T17:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "s3cret").unwrap();
        let file = |settings: &str| {
            format!("plugin = \"rocketchat\"\n[settings]\n{settings}\n[secrets]\ntoken_file = \"token\"\n")
        };
        fs::write(dir.path().join("new.toml"), file("url = \"https://a\"\nroom = \"x\"")).unwrap();
        fs::write(dir.path().join("same.toml"), file("timeout = 10")).unwrap();
        fs::write(dir.path().join("stale.toml"), file("timeout = 10")).unwrap();
        fs::write(dir.path().join("other.toml"), file("timeout = 30\nroom = \"x\\u001b\"")).unwrap();
        fs::write(dir.path().join("moved.toml"), "plugin = \"slack\"\nenabled = false\n").unwrap();
        let policy = json!({ "is_ordered": false }).as_object().unwrap().clone();
        let declared: Vec<_> =
            read_all(dir.path()).unwrap().into_iter().map(|it| (it, policy.clone())).collect();
        let (past, future) = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
        let there = [
            existing("moved", &json!({ "url": "https://a" }), future),
            existing("other", &json!({ "timeout": 10, "style": "old" }), future),
            existing("same", &json!({ "timeout": 10 }), future),
            existing("stale", &json!({ "timeout": 10 }), past),
            existing("undeclared", &json!({}), future),
        ];
        assert_snapshot!(words(&plan(&declared, &there, Options::default())), @r#"
        ~ moved: plugin: rocketchat → slack; disabled; url: https://a → -; secret token: removed []
        + new: rocketchat, enabled, 2 settings, 1 secret ["token"]
        ~ other: room: - → x\u{1b}; style: old → -; timeout: 10 → 30 []
        = same:  []
        ~ stale: secret token: set again, its file is newer ["token"]
        - undeclared: declared by no file; only deleted with --prune []
        "#);
        let all = Options { is_pruning: true, sets_all_secrets: true };
        let changes = plan(&declared, &there, all);
        let find = |name: &str| changes.iter().find(|change| change.name.as_str() == name).unwrap();
        assert_eq!(find("undeclared").action, Action::Delete);
        assert_eq!(find("same").secrets, ["token"]);
    }
}
