//! `sandbell delivery tail`: every attempt, as it ends.

use std::ops::ControlFlow;

use jiff::Timestamp;
use sandbell_domain::{DeliveryId, Name};
use serde::Deserialize;
use serde_json::Value as Json;

use super::super::exit::Exit;
use super::super::output::Output;
use super::super::problem::Problem;
use super::super::relative::when;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::form::{FailureForm, VerdictForm};
use crate::client::{Client, Request};

/// An attempt that ended.
#[derive(Debug, Deserialize)]
struct EndedForm {
    id: DeliveryId,
    #[serde(default)]
    channel: Option<Name>,
    attempt: u32,
    at: Timestamp,
    verdict: VerdictForm,
    #[serde(default)]
    failure: Option<FailureForm>,
}

pub(super) fn run(context: &Context, client: &Client, channel: Option<&Name>) -> Done {
    let request = Request::get(&["deliveries", "tail"]).query("channel", channel);
    let mut end = Ok(Exit::Ok);
    let show = |name: &str, json: Json| {
        match name {
            "end" => {
                let reason = json["reason"].as_str().unwrap_or("it is stopping").to_owned();
                end = Err(Problem::new(Exit::Failed, "ended", "the daemon ended it").because(reason));
                return ControlFlow::Break(());
            }
            // One object a line: a reader can begin before the end.
            _ if context.output.is_json => Output::result_line(&json.to_string()),
            _ => match parsed::<EndedForm>(&json) {
                Ok(ended) => Output::result_line(&line(&ended)),
                Err(problem) => {
                    end = Err(problem);
                    return ControlFlow::Break(());
                }
            },
        }
        if Output::is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    client.events(&request, show)?;
    end
}

/// `18:00:00Z  dlv_…  ops  attempt 2  dead: exhausted  busy (transient, http-status:503)`
fn line(ended: &EndedForm) -> String {
    let EndedForm { id, channel, attempt, at, verdict, failure } = ended;
    let channel = channel.as_ref().map_or("(deleted)", Name::as_str);
    let became = match (verdict.state.as_str(), verdict.retry_at, &verdict.reason) {
        ("retry", retry_at, _) => format!("again {}", when(retry_at, *at)),
        ("dead", _, Some(reason)) => format!("dead: {reason}"),
        (state, _, _) => state.to_owned(),
    };
    let failure = failure.as_ref().map(|failure| format!("  {}", failure.sentence())).unwrap_or_default();
    format!("{}  {id}  {channel}  attempt {attempt}  {became}{failure}", at.strftime("%H:%M:%SZ"))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attempt_is_a_line() {
        let line = |verdict: Json, failure: Json| {
            line(&parsed(&json!({
                "id": format!("dlv_{:032x}", 7), "channel": "ops", "attempt": 2, "at": "2026-11-24T18:00:00.5Z",
                "verdict": verdict, "failure": failure,
            }))
            .unwrap())
        };
        let busy = json!({ "kind": "transient", "code": "http-status:503", "detail": "busy" });
        assert_snapshot!(line(json!({ "state": "delivered" }), Json::Null), @"18:00:00Z  dlv_00000000000000000000000000000007  ops  attempt 2  delivered");
        assert_snapshot!(line(json!({ "state": "retry", "retry_at": "2026-11-24T18:00:10Z" }), busy.clone()), @"18:00:00Z  dlv_00000000000000000000000000000007  ops  attempt 2  again in 9 s  busy (transient, http-status:503)");
        assert_snapshot!(line(json!({ "state": "dead", "reason": "exhausted" }), busy), @"18:00:00Z  dlv_00000000000000000000000000000007  ops  attempt 2  dead: exhausted  busy (transient, http-status:503)");
    }
}
