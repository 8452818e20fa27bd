//! `sandbell channel show NAME`: everything about a channel but its secrets.

use std::fmt::Write as _;

use jiff::Timestamp;
use sandbell_domain::{Name, escape};
use serde_json::{Map, Value as Json};

use super::super::exit::Exit;
use super::super::output::table;
use super::super::relative::when;
use super::super::run::{Context, Done};
use super::form::ChannelForm;
use crate::client::Client;

pub(super) fn run(context: &Context, client: &Client, name: &Name) -> Done {
    let (form, json) = ChannelForm::get(client, name)?;
    context.output.result(|| text(&form, context.app.clock.now()), || json);
    Ok(Exit::Ok)
}

fn text(form: &ChannelForm, now: Timestamp) -> String {
    let ChannelForm {
        name, plugin, settings, secrets, policy, revision, updated_at, updated_by, state, ..
    } = form;
    let mut facts = vec![
        fact("name", name.as_str()),
        fact("plugin", plugin),
        fact("state", form.word()),
        fact("revision", &format!("{revision}, {} by {updated_by}", when(Some(*updated_at), now))),
        fact(
            "deliveries",
            &format!("{} waiting, {} being tried, {} dead", state.waiting, state.leased, state.dead),
        ),
    ];
    if state.last_delivered_at.is_some() {
        facts.push(fact("last delivery", &when(state.last_delivered_at, now)));
    }
    if let Some(reason) = form.disabled_reason.as_deref().filter(|_| !form.enabled) {
        facts.insert(3, fact("disabled", reason));
    }
    if state.failures_in_row > 0 {
        facts.push(fact("failed in a row", &state.failures_in_row.to_string()));
    }
    for circuit in form.open_circuits() {
        let to = circuit.destination.as_deref().unwrap_or("all it sends to");
        facts.push(fact(
            "circuit",
            &format!("{}: {to}, next try {}", circuit.state, when(circuit.until, now)),
        ));
    }
    let mut text = table(["CHANNEL", ""], facts);
    text.push('\n');
    let set_at = |set_at| ["(secret)".to_owned(), format!("set {}", when(Some(set_at), now))];
    let options = flat(settings).into_iter().map(|(option, value)| [option, value, String::new()]).chain(
        secrets.iter().map(|(option, secret)| {
            let [value, remark] = set_at(secret.set_at);
            [option.clone(), value, remark]
        }),
    );
    section(&mut text, &table(["OPTION", "VALUE", ""], options), settings.is_empty() && secrets.is_empty());
    let policy = flat(policy).into_iter().map(|(key, value)| [key, value]);
    section(&mut text, &table(["POLICY", ""], policy), form.policy.is_empty());
    if state.dead > 0 {
        let _ = writeln!(
            text,
            "\nhint: `sandbell delivery list --channel {name} --state dead` shows what failed"
        );
    }
    if !form.enabled {
        let _ = writeln!(text, "\nhint: `sandbell channel enable {name}` lets it deliver again");
    }
    text
}

fn section(text: &mut String, table: &str, is_empty: bool) {
    if !is_empty {
        let _ = write!(text, "\n{table}\n");
    }
}

fn fact(key: &str, value: &str) -> [String; 2] {
    [key.to_owned(), value.to_owned()]
}

/// Nested keys with dots between; a text without quotes.
pub(in crate::cli) fn flat(map: &Map<String, Json>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (key, value) in map {
        match value {
            Json::Object(inner) if !inner.is_empty() => {
                rows.extend(flat(inner).into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::String(_)
            | Json::Array(_)
            | Json::Object(_) => rows.push((key.clone(), plain(value))),
        }
    }
    rows
}

/// A value as people write it.
pub(in crate::cli) fn plain(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => escape::cut(text, 200),
        Json::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::super::super::remote::parsed;
    use super::*;

    #[test]
    fn a_channel_shows_everything_but_its_secrets() {
        let form: ChannelForm = parsed(&json!({
            "name": "ops", "plugin": "rocketchat", "enabled": false, "disabled_reason": "10 attempts failed",
            "settings": { "url": "https://chat.example.com", "user_id": "icinga", "tags": ["a", "b"] },
            "secrets": { "token": { "set_at": "2026-11-20T18:00:00Z" } },
            "policy": { "retry": { "wait_first": "5s", "attempts_max": 20 }, "is_ordered": false, "per_minute_max": null },
            "revision": 3, "updated_at": "2026-11-24T17:59:00Z", "updated_by": "uid 0",
            "state": { "waiting": 7, "leased": 0, "dead": 2, "failures_in_row": 10 },
        }))
        .unwrap();
        assert_snapshot!(text(&form, "2026-11-24T18:00:00Z".parse().unwrap()), @"
        CHANNEL
        name             ops
        plugin           rocketchat
        state            disabled
        disabled         10 attempts failed
        revision         3, 60 s ago by uid 0
        deliveries       7 waiting, 0 being tried, 2 dead
        failed in a row  10

        OPTION   VALUE
        tags     a, b
        url      https://chat.example.com
        user_id  icinga
        token    (secret)                  set 4 d ago

        POLICY
        is_ordered          false
        per_minute_max      -
        retry.attempts_max  20
        retry.wait_first    5s

        hint: `sandbell delivery list --channel ops --state dead` shows what failed

        hint: `sandbell channel enable ops` lets it deliver again
        ");
    }
}
