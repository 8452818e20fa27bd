//! `sandbell delivery show ID`: one delivery and every attempt at it.

use std::fmt::Write as _;

use jiff::Timestamp;
use sandbell_domain::{DeliveryId, escape};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::super::attempt::AttemptForm;
use super::super::exit::Exit;
use super::super::output::table;
use super::super::relative::when;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::DeliveryForm;
use super::form::VerdictForm;
use crate::client::{Client, Request};

/// An attempt that was recorded.
#[derive(Debug, Deserialize)]
struct Recorded {
    #[serde(default)]
    redrive: u32,
    number: u32,
    settled_at: Timestamp,
    verdict: VerdictForm,
    #[serde(flatten)]
    attempt: AttemptForm,
}

pub(super) fn run(context: &Context, client: &Client, id: DeliveryId, is_verbose: bool) -> Done {
    let id = id.to_string();
    let delivery = client.call(&Request::get(&["deliveries", &id]))?;
    let attempts = client.all(&Request::get(&["deliveries", &id, "attempts"]))?;
    if context.output.is_json {
        context.output.result(String::new, || json!({ "delivery": delivery, "attempts": attempts }));
        return Ok(Exit::Ok);
    }
    let form: DeliveryForm = parsed(&delivery)?;
    let attempts = attempts.iter().map(parsed).collect::<Result<Vec<Recorded>, _>>()?;
    let now = context.app.clock.now();
    context.output.result(|| text(&form, &attempts, is_verbose, now), || Json::Null);
    Ok(Exit::Ok)
}

fn text(form: &DeliveryForm, attempts: &[Recorded], is_verbose: bool, now: Timestamp) -> String {
    let fact = |key: &str, value: String| [key.to_owned(), value];
    let mut facts = vec![
        fact("id", form.id.to_string()),
        fact("notification", form.notification.clone()),
        fact("channel", form.channel().to_owned()),
        fact("state", form.standing(now)),
        fact("accepted", format!("{} ({})", when(Some(form.accepted_at), now), form.accepted_at)),
        fact("attempts", form.attempts.to_string()),
    ];
    if form.redrives > 0 {
        facts.push(fact("redriven", times(form.redrives)));
    }
    if form.lapses > 0 {
        facts.push(fact("lease lost", times(form.lapses)));
    }
    if let Some(failure) = &form.failure {
        facts.push(fact("last failure", failure.sentence()));
    }
    let mut text = table(["DELIVERY", ""], facts);
    text.push('\n');
    if !attempts.is_empty() {
        let header = ["ATTEMPT", "WHEN", "TOOK", "OUTCOME", "THEN"];
        let _ = write!(text, "\n{}\n", table(header, attempts.iter().map(|recorded| recorded.row(now))));
    }
    for recorded in attempts.iter().filter(|_| is_verbose) {
        let Recorded { redrive, number, attempt, .. } = recorded;
        let _ = write!(text, "\n--- attempt {}\n\n", label(*redrive, *number));
        text.push_str(&attempt.exchanges_text());
        text.push_str(&attempt.log_text());
        let usage = attempt.usage;
        let _ = writeln!(
            text,
            "cost: {} ms of CPU, {} KiB of memory, {} bytes sent, {} received",
            usage.cpu_ms,
            usage.memory_peak_bytes.div_ceil(1024),
            usage.sent_bytes,
            usage.received_bytes
        );
    }
    if form.is_dead() {
        let _ = writeln!(text, "\nhint: `sandbell delivery redrive {}` tries it again", form.id);
    }
    text
}

impl Recorded {
    fn row(&self, now: Timestamp) -> [String; 5] {
        let outcome = &self.attempt.outcome;
        let told = if outcome.detail.is_empty() {
            outcome.word()
        } else {
            format!("{}: {}", outcome.word(), outcome.detail)
        };
        let then = match self.verdict.state.as_str() {
            "retry" => format!("again {}", when(self.verdict.retry_at, now)),
            "dead" => format!("dead: {}", self.verdict.reason.as_deref().unwrap_or("-")),
            _ => String::new(),
        };
        [
            label(self.redrive, self.number),
            when(Some(self.settled_at), now),
            format!("{} ms", self.attempt.usage.wall_ms),
            escape::cut(&told, 100),
            then,
        ]
    }
}

/// `2`, or `1.2` after the first redrive.
fn label(redrive: u32, number: u32) -> String {
    if redrive == 0 { number.to_string() } else { format!("{redrive}.{number}") }
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_delivery_tells_its_story() {
        let form: DeliveryForm = parsed(&json!({
            "id": format!("dlv_{:032x}", 7), "notification": "ntf_1", "channel": "ops", "state": "dead",
            "reason": "permanent", "settled_at": "2026-11-24T17:59:00Z", "accepted_at": "2026-11-24T17:50:00Z",
            "attempts": 2, "redrives": 1,
            "failure": { "kind": "permanent", "code": "auth", "detail": "the webhook is gone" },
        }))
        .unwrap();
        let attempt = |redrive, number, outcome: Json, verdict: Json| {
            parsed::<Recorded>(&json!({
                "redrive": redrive, "number": number, "leased_at": "2026-11-24T17:58:59Z",
                "settled_at": "2026-11-24T17:59:00Z", "verdict": verdict, "outcome": outcome, "exchanges": [],
                "log": [], "usage": { "wall_ms": 412, "cpu_ms": 3, "memory_peak_bytes": 1_200_000, "sent_bytes": 412 },
            }))
            .unwrap()
        };
        let attempts = [
            attempt(
                0,
                1,
                json!({ "delivered": false, "kind": "transient", "code": "http-status:503", "detail": "busy" }),
                json!({ "state": "retry", "retry_at": "2026-11-24T18:00:09Z" }),
            ),
            attempt(
                1,
                1,
                json!({ "delivered": false, "kind": "permanent", "code": "auth", "detail": "gone" }),
                json!({ "state": "dead", "reason": "permanent" }),
            ),
        ];
        assert_snapshot!(text(&form, &attempts, true, "2026-11-24T18:00:00Z".parse().unwrap()), @"
        DELIVERY
        id            dlv_00000000000000000000000000000007
        notification  ntf_1
        channel       ops
        state         dead: permanent, 60 s ago
        accepted      10 min ago (2026-11-24T17:50:00Z)
        attempts      2
        redriven      once
        last failure  the webhook is gone (permanent, auth)

        ATTEMPT  WHEN      TOOK    OUTCOME                           THEN
        1        60 s ago  412 ms  transient, http-status:503: busy  again in 9 s
        1.1      60 s ago  412 ms  permanent, auth: gone             dead: permanent

        --- attempt 1

        cost: 3 ms of CPU, 1172 KiB of memory, 412 bytes sent, 0 received

        --- attempt 1.1

        cost: 3 ms of CPU, 1172 KiB of memory, 412 bytes sent, 0 received

        hint: `sandbell delivery redrive dlv_00000000000000000000000000000007` tries it again
        ");
    }
}
