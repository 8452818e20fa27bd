//! `sandbell channel apply|diff -f DIR`: what the files say, and what is there.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::super::exit::Exit;
use super::super::output::{Output, confirm};
use super::super::problem::Problem;
use super::super::remote::parsed;
use super::super::run::{Context, Done};
use super::super::secret_text::from_file;
use super::args::{Apply, Diff, Files};
use super::code::{self, Action, Change, Declared, FileError, Options};
use super::form::{ChannelForm, PluginForm};
use super::policy;
use crate::client::{Client, ClientError, Request};

/// A declared channel, and the whole policy that it means.
type Entry = (Declared, Map<String, Json>);

pub(super) fn diff(context: &Context, client: &Client, args: &Diff) -> Done {
    let (_, changes) = changes(client, &args.files)?;
    show(context, &changes, false);
    let differs = changes.iter().any(|change| change.action.is_change());
    Ok(if differs && args.exit_code { Exit::Conflict } else { Exit::Ok })
}

pub(super) fn apply(context: &Context, client: &Client, args: &Apply) -> Done {
    let Apply { files, dry_run, yes } = args;
    let (entries, changes) = changes(client, files)?;
    let count = changes.iter().filter(|change| change.action.is_change()).count();
    if *dry_run || count == 0 {
        show(context, &changes, false);
        return Ok(Exit::Ok);
    }
    if !yes {
        let channels = if count == 1 { "1 channel".to_owned() } else { format!("{count} channels") };
        confirm(
            &format!("{}\nChange {channels}?", text(&changes)),
            "`--yes` changes without asking, `--dry-run` only shows",
        )?;
    }
    let mut failures = Vec::new();
    for change in changes.iter().filter(|change| change.action.is_change()) {
        let entry = entries.iter().find(|(declared, _)| declared.name == change.name);
        if let Err(problem) = execute(client, change, entry) {
            failures.push(problem);
        }
    }
    if failures.is_empty() {
        show(context, &changes, true);
        return Ok(Exit::Ok);
    }
    let last = failures.pop();
    for problem in &failures {
        Output::note(problem.to_text().trim_end());
    }
    Err(last.unwrap_or_else(|| Problem::new(Exit::Failed, "apply", "nothing was applied")))
}

/// Reads, asks, and plans.
fn changes(client: &Client, files: &Files) -> Result<(Vec<Entry>, Vec<Change>), Problem> {
    let Files { from, prune, secrets } = files;
    let declared = code::read_all(from).map_err(|errors| refused(&errors))?;
    if declared.is_empty() && *prune {
        let what = format!("`{}` declares no channel; pruning would delete all", from.display());
        return Err(Problem::new(Exit::Failed, "no_files", what).hint("write one TOML file for each channel"));
    }
    check_options(client, &declared)?;
    let mut entries = Vec::with_capacity(declared.len());
    let mut errors = Vec::new();
    for declared in declared {
        match policy::whole(&declared.policy) {
            Ok(policy) => entries.push((declared, policy)),
            Err((pointer, message)) => errors.push(declared.error(&format!("/policy{pointer}"), message)),
        }
    }
    if !errors.is_empty() {
        return Err(refused(&errors));
    }
    let items = client.all(&Request::get(&["channels"]))?;
    let existing = items.iter().map(parsed).collect::<Result<Vec<ChannelForm>, _>>()?;
    let options = Options { is_pruning: *prune, sets_all_secrets: *secrets };
    let changes = code::plan(&entries, &existing, options);
    Ok((entries, changes))
}

/// Asks once for each plugin which options it has.
fn check_options(client: &Client, declared: &[Declared]) -> Result<(), Problem> {
    let mut plugins: Vec<PluginForm> = Vec::new();
    let mut errors = Vec::new();
    for declared in declared {
        let known = plugins.iter().any(|plugin| plugin.name == declared.plugin);
        if !known {
            match PluginForm::get(client, &declared.plugin) {
                Ok(plugin) => plugins.push(plugin),
                Err(problem) if problem.exit == Exit::NotFound => {
                    let message = format!("no plugin `{}` is installed", declared.plugin);
                    errors.push(declared.error("/plugin", message));
                    continue;
                }
                Err(problem) => return Err(problem),
            }
        }
        if let Some(plugin) = plugins.iter().find(|plugin| plugin.name == declared.plugin) {
            errors.extend(declared.check_options(plugin));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(refused(&errors)) }
}

fn refused(errors: &[FileError]) -> Problem {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Problem::new(Exit::Failed, "files", lines.join("\n"))
}

fn execute(client: &Client, change: &Change, entry: Option<&Entry>) -> Result<(), Problem> {
    let name = change.name.as_str();
    let request = match (change.action, entry) {
        (Action::Create, Some(entry)) => Request::post(&["channels"]).body(body(change, entry)?),
        (Action::Update(revision), Some(entry)) => {
            let request = Request::put(&["channels", name]).header("if-match", format!("\"{revision}\""));
            request.body(body(change, entry)?)
        }
        (Action::Delete, _) => Request::delete(&["channels", name]),
        (Action::Create | Action::Update(_), None) | (Action::Leave | Action::Keep, _) => return Ok(()),
    };
    match (client.call(&request), entry) {
        (Ok(_), _) => Ok(()),
        // A refusal that names a field is shown where the field stands.
        (Err(ClientError::Refused(refusal)), Some((declared, _))) => {
            let place = refusal.pointer.clone().unwrap_or_default();
            let what = declared.error(&place, refusal.sentence()).to_string();
            Err(Problem::new(Exit::Failed, refusal.code.clone(), what))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// A secret that no file names stays as it is: whoever cannot read it back could not write it down.
fn body(change: &Change, entry: &Entry) -> Result<Json, Problem> {
    let (declared, policy) = entry;
    let mut secrets = Map::new();
    for option in &change.secrets {
        if let Some(file) = declared.secrets.get(option) {
            secrets.insert(option.clone(), from_file(&file.path)?.into());
        }
    }
    Ok(json!({
        "name": declared.name, "plugin": declared.plugin, "enabled": declared.is_enabled,
        "settings": declared.settings, "secrets": secrets, "policy": policy,
    }))
}

fn show(context: &Context, changes: &[Change], is_applied: bool) {
    context.output.result(
        || {
            let mut text = text(changes);
            if is_applied {
                text.push_str("applied\n");
            }
            text
        },
        || {
            let one = |change: &Change| {
                json!({ "name": change.name, "action": change.action.as_str(), "details": change.details })
            };
            json!({ "changes": changes.iter().map(one).collect::<Vec<_>>(), "applied": is_applied })
        },
    );
}

/// One line per detail; channels that stay are only counted.
fn text(changes: &[Change]) -> String {
    let width = changes.iter().map(|change| change.name.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for change in changes.iter().filter(|change| change.action != Action::Keep) {
        let mut head = format!("  {} {:width$}", change.action.mark(), change.name.as_str());
        for detail in &change.details {
            let _ = writeln!(text, "{head}  {detail}");
            head = format!("    {:width$}", "");
        }
    }
    match changes.iter().filter(|change| change.action == Action::Keep).count() {
        0 => {}
        kept => {
            let _ = writeln!(text, "  = {kept} unchanged");
        }
    }
    if changes.is_empty() {
        text.push_str("Nothing is declared and nothing is configured.\n");
    }
    text
}
