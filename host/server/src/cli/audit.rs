//! `sandbell audit`: who did what.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::exit::Exit;
use super::output::table;
use super::relative::when;
use super::remote::{Remote, parsed};
use super::run::{Context, Done};
use crate::client::Request;

/// Show who did what, newest first
#[derive(Args, Debug)]
pub(crate) struct Audit {
    #[command(flatten)]
    remote: Remote,
    /// What was done to the host instead of to a tenant
    #[arg(long)]
    host: bool,
    /// How many entries at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, Deserialize)]
struct EntryForm {
    at: Timestamp,
    by: String,
    action: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    detail: String,
}

pub(super) fn run(context: &Context, args: &Audit) -> Done {
    let client = args.remote.connect(context)?;
    let (items, has_more) =
        client.items(&Request::get(&["audit"]).query("host", args.host.then_some("true")), args.limit)?;
    let entries = items.iter().map(parsed).collect::<Result<Vec<EntryForm>, _>>()?;
    let now = context.app.clock.now();
    context.output.result(
        || text(&entries, has_more, now),
        || json!({ "items": items, "next": null, "has_more": has_more }),
    );
    Ok(Exit::Ok)
}

fn text(entries: &[EntryForm], has_more: bool, now: Timestamp) -> String {
    let row = |entry: &EntryForm| {
        let EntryForm { at, by, action, object, detail } = entry;
        [when(Some(*at), now), by.clone(), action.clone(), object.clone(), detail.clone()]
    };
    let mut text = table(["WHEN", "WHO", "ACTION", "WHAT", ""], entries.iter().map(row));
    text.push('\n');
    if has_more {
        text.push_str("and more: --limit N shows more\n");
    }
    text
}
