//! `sandbell channel list`: what is configured, and what needs attention.

use jiff::Timestamp;
use serde_json::json;

use super::super::exit::Exit;
use super::super::output::table;
use super::super::relative::when;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::form::ChannelForm;
use crate::client::{Client, Request};

pub(super) fn run(context: &Context, client: &Client) -> Done {
    let items = client.all(&Request::get(&["channels"]))?;
    if context.output.is_json {
        context.output.result(String::new, || json!({ "items": items }));
        return Ok(Exit::Ok);
    }
    // How deliveries stand is told of one channel at a time.
    let full = |form: ChannelForm| ChannelForm::get(client, &form.name).map(|(form, _)| form);
    let channels =
        items.iter().map(|item| parsed(item).and_then(full)).collect::<Result<Vec<ChannelForm>, _>>()?;
    context.output.result(|| text(&channels, context.app.clock.now()), || json!(null));
    Ok(Exit::Ok)
}

fn text(channels: &[ChannelForm], now: Timestamp) -> String {
    if channels.is_empty() {
        return "No channel is configured.\nhint: `sandbell channel create PLUGIN NAME` makes one\n"
            .to_owned();
    }
    let row = |channel: &ChannelForm| {
        [
            channel.name.to_string(),
            channel.plugin.clone(),
            channel.word().to_owned(),
            when(channel.state.last_delivered_at, now),
            format!("{} ok, {} bad", channel.state.delivered_in_day, channel.state.failed_in_day),
            (channel.state.waiting + channel.state.leased).to_string(),
            channel.state.dead.to_string(),
            remark(channel, now),
        ]
    };
    let header = ["NAME", "PLUGIN", "STATE", "LAST DELIVERY", "24 H", "OPEN", "DEAD", ""];
    let mut text = table(header, channels.iter().map(row));
    text.push('\n');
    text.push_str(&summary(channels));
    text
}

/// What a state does not say.
fn remark(channel: &ChannelForm, now: Timestamp) -> String {
    if !channel.enabled {
        return channel.disabled_reason.clone().unwrap_or_default();
    }
    if let Some(circuit) = channel.open_circuits().next() {
        let to = circuit.destination.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
        return match circuit.until {
            Some(until) => format!("nothing{to}, next try {}", when(Some(until), now)),
            None => format!("nothing{to}"),
        };
    }
    match channel.state.failures_in_row {
        0 => String::new(),
        1 => "the last attempt failed".to_owned(),
        many => format!("the last {many} attempts failed"),
    }
}

fn summary(channels: &[ChannelForm]) -> String {
    let needs = |channel: &&ChannelForm| channel.word() != "ok" || channel.state.dead > 0;
    let count = |count: usize, one: &str, many: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
    };
    let all = count(channels.len(), "channel", "channels");
    match channels.iter().find(needs) {
        None => format!("{all}\n"),
        Some(first) => {
            let needing = channels.iter().filter(needs).count();
            let verb = if needing == 1 { "needs" } else { "need" };
            format!("{all}, {needing} {verb} attention: sandbell channel show {}\n", first.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::Value as Json;

    use super::*;

    fn channel(name: &str, more: &Json) -> ChannelForm {
        let mut json = json!({
            "name": name, "plugin": "slack", "enabled": true, "revision": 1, "updated_at": "2026-11-24T17:00:00Z",
        });
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parsed(&json).unwrap()
    }

    #[test]
    fn a_list_says_what_needs_attention() {
        let now = "2026-11-24T18:00:00Z".parse().unwrap();
        let all = [
            channel(
                "mail",
                &json!({ "state": { "waiting": 2, "leased": 1, "last_delivered_at": "2026-11-24T17:59:48Z", "delivered_in_day": 1204 } }),
            ),
            channel(
                "ops",
                &json!({ "state": { "waiting": 7, "failures_in_row": 5, "circuits": [
                    { "destination": "mm.example.com:443", "state": "open", "until": "2026-11-24T18:05:00Z" },
                ] } }),
            ),
            channel("pager", &json!({ "enabled": false, "disabled_reason": "moved\x1b[2J" })),
            channel("sms", &json!({ "state": { "failures_in_row": 1, "dead": 3 } })),
        ];
        assert_snapshot!(text(&all, now), @r"
        NAME   PLUGIN  STATE        LAST DELIVERY  24 H            OPEN  DEAD
        mail   slack   ok           12 s ago       1204 ok, 0 bad  3     0
        ops    slack   backing off  -              0 ok, 0 bad     7     0     nothing to mm.example.com:443, next try in 5 min
        pager  slack   disabled     -              0 ok, 0 bad     0     0     moved\u{1b}[2J
        sms    slack   failing      -              0 ok, 0 bad     0     3     the last attempt failed
        4 channels, 3 need attention: sandbell channel show ops
        ");
        assert_snapshot!(text(&[], now), @"
        No channel is configured.
        hint: `sandbell channel create PLUGIN NAME` makes one
        ");
    }
}
