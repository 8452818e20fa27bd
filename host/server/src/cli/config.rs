//! `sandbell config`: what `sandbell.toml` can say, and whether it says it right.

use serde_json::json;

use super::args;
use super::exit::Exit;
use super::output::Output;
use super::run::{Context, Done};
use super::serve;
use crate::config::{default_text, json_schema};
use crate::telemetry;

pub(super) fn run(context: &Context, verb: &args::Configuration) -> Done {
    match verb {
        args::Configuration::Default => Output::bytes(default_text().as_bytes()),
        args::Configuration::Schema => Output::bytes(format!("{:#}\n", json_schema()).as_bytes()),
        args::Configuration::Check(args) => {
            let settings = serve::settings(args)?;
            telemetry::check_filter(&settings.log.filter).map_err(crate::serve::ServeError::from)?;
            let shown =
                serve::file(args).map_or("the defaults".to_owned(), |file| format!("`{}`", file.display()));
            context.output.result(|| format!("{shown} can be served with\n"), || json!({ "ok": true }));
        }
        args::Configuration::Show(args) => {
            let settings = serve::settings(args)?;
            context.output.result(
                || toml::to_string_pretty(&settings).expect("settings were TOML before"),
                || serde_json::to_value(&settings).expect("texts and numbers always serialise"),
            );
        }
    }
    Ok(Exit::Ok)
}
