//! `sandbell channel test|preview NAME`: one notification now, past the outbox.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::super::attempt::AttemptForm;
use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::args::Trial;
use crate::client::{Client, Request};

/// What a test may take beside the usual: a whole attempt.
const ATTEMPT: std::time::Duration = std::time::Duration::from_secs(40);

pub(super) fn test(context: &Context, client: &Client, args: &Trial) -> Done {
    let json = call(client, args, "test")?;
    let attempt: AttemptForm = parsed(&json)?;
    if context.output.is_json {
        context.output.result(String::new, || json);
        return Ok(attempt.exit());
    }
    if attempt.outcome.delivered {
        context.output.result(|| delivered(args, &attempt), || json);
        return Ok(Exit::Ok);
    }
    context.output.result(|| attempt.exchanges_text() + &attempt.log_text(), || json!(null));
    Err(problem(args, &attempt))
}

pub(super) fn preview(context: &Context, client: &Client, args: &Trial) -> Done {
    let json = call(client, args, "preview")?;
    let attempt: AttemptForm = parsed(&json)?;
    let text = || attempt.exchanges_text() + &attempt.log_text();
    if context.output.is_json || attempt.outcome.delivered {
        context.output.result(|| text() + "preview: nothing was sent\n", || json);
        return Ok(attempt.exit());
    }
    context.output.result(text, || json!(null));
    Err(problem(args, &attempt))
}

fn call(client: &Client, args: &Trial, verb: &str) -> Result<Json, Problem> {
    let request = Request::post(&["channels", args.name.as_str(), verb]).wait(ATTEMPT);
    let body = body(args)?;
    Ok(client.call(&if body.is_empty() { request } else { request.body(Json::Object(body)) })?)
}

/// What was typed of the notification; the daemon says the rest.
fn body(args: &Trial) -> Result<Map<String, Json>, Problem> {
    let Trial { name: _, to, message, severity } = args;
    let mut body = Map::new();
    if !to.is_empty() {
        let addresses = to.iter().map(|to| address(to)).collect::<Result<Vec<_>, _>>()?;
        body.insert("contact".to_owned(), json!({ "addresses": addresses }));
    }
    let mut event = Map::new();
    if let Some(message) = message {
        event.insert("message".to_owned(), json!(message));
    }
    if let Some(severity) = severity {
        event.insert("severity".to_owned(), json!(severity));
    }
    if !event.is_empty() {
        body.insert("event".to_owned(), Json::Object(event));
    }
    Ok(body)
}

/// `email:jane@example.com`.
pub(in crate::cli) fn address(text: &str) -> Result<Json, Problem> {
    match text.split_once(':') {
        Some((kind, address)) if !kind.is_empty() && !address.is_empty() => {
            Ok(json!({ "kind": kind, "address": address }))
        }
        Some(_) | None => Err(Problem::new(Exit::Usage, "address", format!("`{text}` is no address"))
            .hint("write KIND:ADDRESS, e.g. `email:jane@example.com`")),
    }
}

fn delivered(args: &Trial, attempt: &AttemptForm) -> String {
    let receipt = &attempt.outcome.receipt;
    let mut text = format!("{} delivered the test notification in {} ms\n", args.name, attempt.usage.wall_ms);
    let lines = receipt.provider_id.iter().map(|id| format!("as {id}")).chain(receipt.detail.iter().cloned());
    for line in lines {
        let _ = writeln!(text, "  {}", sandbell_domain::escape::line(&line));
    }
    text
}

fn problem(args: &Trial, attempt: &AttemptForm) -> Problem {
    let name = &args.name;
    let outcome = &attempt.outcome;
    let hint = if attempt.exit() == Exit::Later {
        "a real delivery would be tried again".to_owned()
    } else {
        format!(
            "a real delivery would not be tried again; `sandbell channel set {name}` and `sandbell secret set {name}` change the configuration"
        )
    };
    let what = format!("{name} did not deliver the test notification ({})", outcome.word());
    Problem::new(attempt.exit(), "delivery", what).because(outcome.detail.clone()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_the_notification() {
        let trial = |to: &[&str]| Trial {
            name: "ops".parse().unwrap(),
            to: to.iter().map(|&to| to.to_owned()).collect(),
            message: Some("hello".to_owned()),
            severity: Some(sandbell_domain::Severity::Crit),
        };
        assert_eq!(
            Json::Object(body(&trial(&["email:jane@example.com"])).unwrap()),
            json!({
                "contact": { "addresses": [{ "kind": "email", "address": "jane@example.com" }] },
                "event": { "message": "hello", "severity": "crit" },
            })
        );
        assert!(body(&trial(&["jane@example.com"])).is_err());
    }
}
