//! `sandbell status`: how the daemon is, and how a tenant's deliveries stand.

use clap::Args;
use jiff::Timestamp;
use sandbell_domain::Name;
use serde::Deserialize;

use super::exit::Exit;
use super::output::table;
use super::relative::when;
use super::remote::{Remote, parsed};
use super::run::{Context, Done};
use crate::client::Request;

/// Show how the daemon is
#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    remote: Remote,
    /// Print nothing; the exit code tells
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Deserialize)]
struct StatusForm {
    version: String,
    started_at: Timestamp,
    caller: String,
    tenant: TenantForm,
    channels: u64,
    channels_disabled: u64,
    waiting: u64,
    leased: u64,
    dead: u64,
}

#[derive(Debug, Deserialize)]
struct TenantForm {
    name: Name,
    is_suspended: bool,
}

pub(super) fn run(context: &Context, args: &Status) -> Done {
    let client = args.remote.connect(context)?;
    let json = client.call(&Request::get(&["status"]))?;
    if args.quiet {
        return Ok(Exit::Ok);
    }
    let form = parsed(&json)?;
    let now = context.app.clock.now();
    context.output.result(|| text(&client.place().to_string(), &form, now), || json);
    Ok(Exit::Ok)
}

fn text(place: &str, form: &StatusForm, now: Timestamp) -> String {
    let StatusForm {
        version,
        started_at,
        caller,
        tenant,
        channels,
        channels_disabled,
        waiting,
        leased,
        dead,
    } = form;
    let suspended = if tenant.is_suspended { ", suspended" } else { "" };
    let disabled =
        if *channels_disabled > 0 { format!(", {channels_disabled} disabled") } else { String::new() };
    let facts = [
        ("at", place.to_owned()),
        ("version", version.clone()),
        ("started", when(Some(*started_at), now)),
        ("you are", caller.clone()),
        ("tenant", format!("{}{suspended}", tenant.name)),
        ("channels", format!("{channels}{disabled}")),
        ("deliveries", format!("{waiting} waiting, {leased} being tried, {dead} dead")),
    ];
    let mut text = table(["DAEMON", ""], facts.map(|(key, value)| [key.to_owned(), value]));
    text.push('\n');
    if *dead > 0 {
        text.push_str("hint: `sandbell delivery list --state dead` shows what was given up\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_a_glance() {
        let form = parsed(&json!({
            "version": "0.1.0", "started_at": "2026-11-24T12:00:00Z", "caller": "uid 0",
            "tenant": { "id": "tnt_0", "name": "local", "created_at": "2026-11-24T12:00:00Z", "is_suspended": true },
            "channels": 3, "channels_disabled": 1, "waiting": 7, "leased": 1, "dead": 2,
        }))
        .unwrap();
        let now = "2026-11-24T18:00:00Z".parse().unwrap();
        assert_snapshot!(text("unix:/run/sandbell/api.sock", &form, now), @"
        DAEMON
        at          unix:/run/sandbell/api.sock
        version     0.1.0
        started     6 h ago
        you are     uid 0
        tenant      local, suspended
        channels    3, 1 disabled
        deliveries  7 waiting, 1 being tried, 2 dead
        hint: `sandbell delivery list --state dead` shows what was given up
        ");
    }
}
