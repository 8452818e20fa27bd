//! `sandbell notify CHANNEL…`: hands a notification to the daemon, which keeps it until it is delivered.
//!
//! `sandbell send PLUGIN` is the other thing: one attempt in this process, with a configuration from a file, which nobody
//! keeps. The two take different things (a channel, a plugin) and promise different things, so they are two verbs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use jiff::Timestamp;
use sandbell_domain::{Name, Severity};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::channel::{address, severity};
use super::delivery::DeliveryForm;
use super::exit::Exit;
use super::output::table;
use super::pair::Pair;
use super::problem::Problem;
use super::remote::{Remote, parsed};
use super::run::{Context, Done};
use super::send::read;
use crate::client::Request;

/// Hand a notification to the daemon, which delivers it
///
/// What is accepted is not lost: the daemon tries it until it is delivered or a dead letter. Without `--wait` it ends
/// when the notification is accepted; with it, when all deliveries are settled or the time is over.
#[derive(Args, Debug)]
pub(crate) struct Notify {
    #[command(flatten)]
    remote: Remote,
    /// Through which channels; through all that can reach a contact's addresses if absent
    #[arg(value_name = "CHANNEL")]
    channels: Vec<Name>,
    /// The notification as the API takes it, `-` for stdin
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// To whom, e.g. `email:jane@example.com`
    #[arg(long, value_name = "KIND:ADDRESS", conflicts_with = "file")]
    to: Vec<String>,
    /// What it is about, e.g. a host
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    subject: Option<String>,
    /// What happened
    #[arg(short, long, conflicts_with = "file", required_unless_present = "file")]
    message: Option<String>,
    /// How bad it is: ok, debug, info, notice, warning, err, crit, alert, emerg
    #[arg(long, value_parser = severity, conflicts_with = "file")]
    severity: Option<Severity>,
    /// A tag of the object
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "file")]
    tag: Vec<Pair>,
    /// Wait for the deliveries, so many seconds at most
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: Option<u64>,
    /// Handing in the same notification with the same key again makes no second one
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// What the daemon answers: for each notification its deliveries.
#[derive(Debug, Deserialize)]
struct Accepted {
    notifications: Vec<AcceptedOne>,
}

#[derive(Debug, Deserialize)]
struct AcceptedOne {
    id: String,
    deliveries: Vec<DeliveryForm>,
}

pub(super) fn run(context: &Context, args: &Notify) -> Done {
    let client = args.remote.connect(context)?;
    let mut request = Request::post(&["notifications"]).body(body(args)?);
    if let Some(seconds) = args.wait {
        request = request.query("wait", Some(format!("{seconds}s"))).wait(Duration::from_secs(seconds));
    }
    if let Some(key) = &args.idempotency_key {
        request = request.header("idempotency-key", key.clone());
    }
    let json = client.call(&request)?;
    let Accepted { notifications } = parsed(&json)?;
    let exit = if args.wait.is_some() { exit(&notifications) } else { Exit::Ok };
    let now = context.app.clock.now();
    context.output.result(|| text(&notifications, now), || json);
    Ok(exit)
}

fn body(args: &Notify) -> Result<Json, Problem> {
    let Notify { channels, file, .. } = args;
    let mut body = match file {
        Some(file) => from_file(file)?,
        None => from_arguments(args)?,
    };
    if !channels.is_empty() {
        body.insert("channels".to_owned(), json!(channels));
    }
    Ok(Json::Object(body))
}

fn from_file(file: &Path) -> Result<Map<String, Json>, Problem> {
    serde_json::from_str(&read(file)?).map_err(|error| {
        Problem::new(Exit::Failed, "notification", "the notification cannot be read")
            .because(error.to_string())
    })
}

fn from_arguments(args: &Notify) -> Result<Map<String, Json>, Problem> {
    let Notify { to, subject, message, severity, tag, .. } = args;
    let tags: Map<String, Json> = tag.iter().map(|Pair { key, value }| (key.clone(), json!(value))).collect();
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(subject.as_deref().unwrap_or("message")));
    if !tags.is_empty() {
        object.insert("tags".to_owned(), Json::Object(tags));
    }
    let mut event = Map::new();
    event.insert("message".to_owned(), json!(message));
    if let Some(severity) = severity {
        event.insert("severity".to_owned(), json!(severity));
    }
    let mut body = Map::new();
    if !to.is_empty() {
        let addresses = to.iter().map(|to| address(to)).collect::<Result<Vec<_>, _>>()?;
        body.insert("contacts".to_owned(), json!([{ "addresses": addresses }]));
    }
    body.insert("object".to_owned(), Json::Object(object));
    body.insert("event".to_owned(), Json::Object(event));
    Ok(body)
}

/// The worst of the deliveries: dead before waiting before delivered.
fn exit(notifications: &[AcceptedOne]) -> Exit {
    let mut deliveries = notifications.iter().flat_map(|notification| &notification.deliveries).peekable();
    if deliveries.clone().any(DeliveryForm::is_dead) {
        return Exit::Dead;
    }
    if deliveries.all(DeliveryForm::is_delivered) { Exit::Ok } else { Exit::Later }
}

fn text(notifications: &[AcceptedOne], now: Timestamp) -> String {
    let mut text = String::new();
    for AcceptedOne { id, deliveries } in notifications {
        let _ = writeln!(text, "{id} is accepted");
        if deliveries.is_empty() {
            text.push_str("no channel reaches anybody with it\n");
            continue;
        }
        let row = |delivery: &DeliveryForm| {
            [
                delivery.id.to_string(),
                delivery.channel().to_owned(),
                delivery.standing(now),
                delivery.failure.as_ref().map(super::delivery::FailureForm::sentence).unwrap_or_default(),
            ]
        };
        text.push_str(&table(["DELIVERY", "CHANNEL", "STATE", ""], deliveries.iter().map(row)));
        text.push('\n');
    }
    text
}
