//! `sandbell plugin remove NAME`: the name, its approval and its bytes.

use serde_json::json;

use super::super::exit::Exit;
use super::super::run::{Context, Done};
use crate::install::PluginName;

pub(in crate::cli) fn run(context: &Context, name: &PluginName) -> Done {
    context.app.state()?.remove(name)?;
    context.output.result(
        || format!("{name} is removed; links in channels directories are left and answer with an error\n"),
        || json!({ "name": name.as_str(), "removed": true }),
    );
    Ok(Exit::Ok)
}
