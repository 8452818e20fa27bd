//! `sandbell send PLUGIN`: one delivery now.

mod notification; // the file -> a notification
mod outcome; // how it ended, in words
pub(super) mod render; // what was said to the world

use std::fs;
use std::io::{self, Read as _};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use sandbell_domain::{Attempt, Delivery, Lease, Mode, Notification};
use serde_json::Value as Json;

use super::args;
use super::exit::Exit;
use super::output::Output;
use super::problem::Problem;
use super::run::{Context, Done};
use crate::doors::icinga::Addressing;
use crate::install::{Prepared, prepare};

/// Largest configuration or notification, in bytes: the inbound limit of DESIGN §9.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn run(context: &Context, args: &args::Send) -> Done {
    let config = read_config(&args.config)?;
    let text = read(&args.notification)?;
    let state = context.app.state()?;
    let prepared = prepare(&state, &args.plugin, &config)?;
    if let Some(waiting) = prepared.waiting {
        Output::note(&format!("warning: {waiting} is installed but not approved; the approved one is used"));
    }
    let addressing = Addressing { link: args.plugin.as_str(), plugin: &prepared.info.address_types };
    let notification = notification::parse(&text, context.app.clock.now(), addressing).map_err(|error| {
        Problem::new(Exit::Failed, "notification", "the notification cannot be read")
            .because(error.to_string())
    })?;
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Send };
    let attempt = attempt(context, &state, prepared, notification, mode)?;
    outcome::print(context, args, &attempt)
}

fn attempt(
    context: &Context,
    state: &crate::install::State,
    prepared: Prepared,
    notification: Notification,
    mode: Mode,
) -> Result<Attempt, Problem> {
    let engine = context.app.engine(Some(state), context.log_level);
    let sandbox = engine.sandbox()?;
    let Prepared { channel, bytes, info: _, approval: _, waiting: _ } = prepared;
    engine.block_on(async {
        let plugin = sandbox.load(&bytes).await?;
        let open = sandbox.open(&plugin, channel).map_err(|error| {
            Problem::new(Exit::Failed, "open", "the channel cannot be opened").because(error.to_string())
        })?;
        sandbox.check_config(&open).await.map_err(|refusal| {
            Problem::new(Exit::Failed, "config", "the plugin refuses the configuration")
                .because(refusal.to_string())
        })?;
        let delivery = Delivery::new(open.channel().id, Arc::new(notification));
        let lease = Lease { delivery, attempt_number: NonZeroU32::MIN };
        Ok(sandbox.attempt(&open, &lease, mode).await)
    })?
}

/// JSON, or TOML by the file's name.
fn read_config(path: &Path) -> Result<Json, Problem> {
    let text = read(path)?;
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    let parsed = if is_toml {
        toml::from_str(&text).map_err(|error| error.to_string())
    } else {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    parsed.map_err(|because| {
        Problem::new(Exit::Failed, "config", format!("`{}` cannot be read", path.display()))
            .because(because)
            .hint("write a JSON object of the plugin's options; `sandbell plugin show NAME` lists them")
    })
}

pub(super) fn read(path: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
    };
    result.map_err(|error| Problem::file(path, "read", &error))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let what = format!("`{}` has more than {FILE_BYTES_MAX} bytes", path.display());
        return Err(Problem::new(Exit::Failed, "too_large", what));
    }
    Ok(text)
}
