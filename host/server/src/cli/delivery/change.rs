//! `sandbell delivery redrive|cancel`: what people decide about deliveries.

use sandbell_domain::DeliveryId;
use serde_json::{Map, Value as Json, json};

use super::super::exit::Exit;
use super::super::output::{Output, confirm};
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::args::{Filter, Redrive};
use crate::client::{Client, Request};

pub(super) fn redrive(context: &Context, client: &Client, args: &Redrive) -> Done {
    let Redrive { ids, filter, all, yes } = args;
    let filter = filter_body(context, filter);
    match (ids.is_empty(), filter.is_empty() && !all) {
        (false, true) => one_by_one(context, client, ids, "redrive", "redriven"),
        (false, false) => Err(Problem::new(Exit::Usage, "filter", "ids and options cannot be combined")),
        (true, true) => Err(Problem::new(Exit::Usage, "filter", "no delivery is named")
            .hint("name ids, or say which with --channel, --reason, --code, --since, --until, or --all")),
        (true, false) => {
            if !yes {
                confirm("Try all these dead letters again?", "`--yes` redrives without asking")?;
            }
            let json = client.call(&Request::post(&["deliveries", "redrive"]).body(Json::Object(filter)))?;
            let count = json["redriven"].as_u64().unwrap_or_default();
            let text = || {
                if count == 1 {
                    "1 delivery is redriven\n".to_owned()
                } else {
                    format!("{count} deliveries are redriven\n")
                }
            };
            context.output.result(text, || json.clone());
            Ok(Exit::Ok)
        }
    }
}

pub(super) fn cancel(context: &Context, client: &Client, ids: &[DeliveryId], is_sure: bool) -> Done {
    if !is_sure {
        let what = if ids.len() == 1 { ids[0].to_string() } else { format!("{} deliveries", ids.len()) };
        confirm(&format!("Give {what} up?"), "`--yes` cancels without asking")?;
    }
    one_by_one(context, client, ids, "cancel", "cancelled")
}

/// Each by itself: one that cannot be changed does not keep the others from it.
fn one_by_one(context: &Context, client: &Client, ids: &[DeliveryId], verb: &str, done: &str) -> Done {
    let mut changed = Vec::new();
    let mut failures = Vec::new();
    for id in ids {
        let id = id.to_string();
        match client.call(&Request::post(&["deliveries", &id, verb])) {
            Ok(_) => changed.push(id),
            Err(error) => failures.push(Problem::from(error)),
        }
    }
    context.output.result(
        || changed.iter().fold(String::new(), |text, id| text + id + " is " + done + "\n"),
        || json!({ done: changed }),
    );
    match failures.pop() {
        None => Ok(Exit::Ok),
        Some(last) => {
            for problem in &failures {
                Output::note(problem.to_text().trim_end());
            }
            Err(last)
        }
    }
}

fn filter_body(context: &Context, filter: &Filter) -> Map<String, Json> {
    let Filter { channel, reason, code, since, until } = filter;
    let now = context.app.clock.now();
    let entries = [
        ("channel", channel.as_ref().map(|channel| json!(channel))),
        ("reason", reason.map(|reason| json!(reason.as_str()))),
        ("code", code.as_ref().map(|code| json!(code))),
        ("since", since.map(|since| json!(since.at(now)))),
        ("until", until.map(|until| json!(until.at(now)))),
    ];
    entries.into_iter().filter_map(|(key, value)| value.map(|value| (key.to_owned(), value))).collect()
}
