//! `sandbell delivery list`: which deliveries there are, and how they stand.

use jiff::Timestamp;
use sandbell_domain::escape;
use serde_json::json;

use super::super::exit::Exit;
use super::super::output::table;
use super::super::relative::when;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::DeliveryForm;
use super::args::{Filter, List};
use crate::client::{Client, Request};

pub(super) fn run(context: &Context, client: &Client, args: &List) -> Done {
    let now = context.app.clock.now();
    let List { filter, state, limit } = args;
    let Filter { channel, reason, code, since, until } = filter;
    let request = Request::get(&["deliveries"])
        .query("channel", channel.as_ref())
        .query("state", state.map(super::args::StateArg::as_str))
        .query("reason", reason.map(sandbell_domain::DeadReason::as_str))
        .query("code", code.as_ref())
        .query("since", since.map(|since| since.at(now)))
        .query("until", until.map(|until| until.at(now)));
    let (items, has_more) = client.items(&request, *limit)?;
    if context.output.is_json {
        context.output.result(String::new, || json!({ "items": items, "next": null, "has_more": has_more }));
        return Ok(Exit::Ok);
    }
    let deliveries = items.iter().map(parsed).collect::<Result<Vec<DeliveryForm>, _>>()?;
    context.output.result(|| text(&deliveries, has_more, now), || json!(null));
    Ok(Exit::Ok)
}

fn text(deliveries: &[DeliveryForm], has_more: bool, now: Timestamp) -> String {
    if deliveries.is_empty() {
        return "There is no such delivery.\n".to_owned();
    }
    let row = |delivery: &DeliveryForm| {
        [
            delivery.id.to_string(),
            delivery.channel().to_owned(),
            delivery.standing(now),
            delivery.attempts.to_string(),
            when(Some(delivery.accepted_at), now),
            delivery.failure.as_ref().map(|failure| escape::cut(&failure.code, 60)).unwrap_or_default(),
        ]
    };
    let header = ["DELIVERY", "CHANNEL", "STATE", "ATTEMPTS", "ACCEPTED", "LAST FAILURE"];
    let mut text = table(header, deliveries.iter().map(row));
    text.push('\n');
    if has_more {
        text.push_str("and more: --limit N shows more\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_list_says_how_each_stands() {
        let id = |n: u8| format!("dlv_{n:032x}");
        let deliveries = [
            json!({ "id": id(1), "channel": "ops", "state": "waiting", "due_at": "2026-11-24T18:00:30Z",
                "accepted_at": "2026-11-24T17:59:50Z", "attempts": 1,
                "failure": { "kind": "transient", "code": "http-status:503", "detail": "busy" } }),
            json!({ "id": id(2), "channel": "ops", "state": "leased", "lease_expires_at": "2026-11-24T18:01:00Z",
                "accepted_at": "2026-11-24T17:59:50Z", "attempts": 1 }),
            json!({ "id": id(3), "channel": null, "state": "dead", "reason": "exhausted",
                "settled_at": "2026-11-24T12:00:00Z", "accepted_at": "2026-11-23T17:00:00Z", "attempts": 20,
                "failure": { "kind": "permanent", "code": "x\u{1b}", "detail": "" } }),
            json!({ "id": id(4), "channel": "ops", "state": "delivered", "settled_at": "2026-11-24T17:59:51Z",
                "accepted_at": "2026-11-24T17:59:50Z", "attempts": 1 }),
        ];
        let deliveries: Vec<DeliveryForm> = deliveries.iter().map(|json| parsed(json).unwrap()).collect();
        assert_snapshot!(text(&deliveries, true, "2026-11-24T18:00:00Z".parse().unwrap()), @r"
        DELIVERY                              CHANNEL    STATE                               ATTEMPTS  ACCEPTED  LAST FAILURE
        dlv_00000000000000000000000000000001  ops        waiting, due in 30 s                1         10 s ago  http-status:503
        dlv_00000000000000000000000000000002  ops        being tried, until in 60 s at most  1         10 s ago
        dlv_00000000000000000000000000000003  (deleted)  dead: exhausted, 6 h ago            20        25 h ago  x\u{1b}
        dlv_00000000000000000000000000000004  ops        delivered 9 s ago                   1         10 s ago
        and more: --limit N shows more
        ");
        assert_snapshot!(text(&[], false, Timestamp::UNIX_EPOCH), @"There is no such delivery.");
    }
}
