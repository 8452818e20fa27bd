//! Which verb it is.

use std::process::ExitCode;

use clap::Parser as _;
use sandbell_domain::LogLevel;

use super::args::{Cli, Icinga, Plugin, Verb};
use super::exit::Exit;
use super::output::Output;
use super::problem::Problem;
use super::{
    audit, channel, config, data, delivery, doctor, generate, icinga_link, inspect, notify, plugin, secret,
    send, serve, status, tenant, token,
};
use crate::app::App;
use crate::config::Config;
use crate::telemetry;

/// What a verb is given.
pub(super) struct Context {
    pub(super) app: App,
    pub(super) output: Output,
    /// What plugins are told is worth logging.
    pub(super) log_level: LogLevel,
}

/// How a verb ends: most end well or with a problem; a delivery can also fail.
pub(super) type Done = Result<Exit, Problem>;

/// The command line, from the arguments to the exit code.
pub(crate) fn run() -> ExitCode {
    let Cli { global, verb } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output { is_json: global.is_json() };
    let done = Config::from_env()
        .map_err(|error| {
            Problem::new(Exit::Failed, "environment", "cannot tell where this program is")
                .because(error.to_string())
        })
        .and_then(|config| {
            // A host that serves writes its log as its settings say.
            if !matches!(verb, Verb::Serve(_)) {
                telemetry::to_stderr(global.v, config.log_filter.as_deref());
            }
            let log_level = if global.v == 0 { LogLevel::Info } else { LogLevel::Debug };
            dispatch(&Context { app: App::new(config), output, log_level }, verb)
        });
    let exit = done.unwrap_or_else(|problem| {
        output.problem(&problem);
        problem.exit
    });
    if let Some(reason) = Output::lost() {
        Output::note(&format!("error: the result cannot be written: {reason}"));
        return ExitCode::from(Exit::Failed.code());
    }
    ExitCode::from(exit.code())
}

/// Says what is wrong with the arguments; also prints `--help` and `--version`, which are no errors.
fn usage(error: &clap::Error) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let is_json = arguments.iter().any(|argument| argument == "--json" || argument == "-ojson")
        || arguments.windows(2).any(|pair| (pair[0] == "-o" || pair[0] == "--output") && pair[1] == "json");
    if error.use_stderr() && is_json {
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Output { is_json }
            .problem(&Problem::new(Exit::Usage, "usage", what).hint("`--help` shows what can be typed"));
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code()))
}

fn dispatch(context: &Context, verb: Verb) -> Done {
    match verb {
        Verb::Inspect(args) => inspect::run(context, &args),
        Verb::Plugin(Plugin::Install(args)) => plugin::install(context, args),
        Verb::Plugin(Plugin::Approve(args)) => plugin::approve(context, args),
        Verb::Plugin(Plugin::List) => plugin::list(context),
        Verb::Plugin(Plugin::Show { name }) => plugin::show(context, &name),
        Verb::Plugin(Plugin::Remove { name }) => plugin::remove(context, &name),
        Verb::Send(args) => send::run(context, &args),
        Verb::Status(args) => status::run(context, &args),
        Verb::Channel(args) => channel::run(context, args),
        Verb::Delivery(args) => delivery::run(context, args),
        Verb::Notify(args) => notify::run(context, &args),
        Verb::Tenant(args) => tenant::run(context, &args),
        Verb::Token(args) => token::run(context, &args),
        Verb::Secret(args) => secret::run(context, &args),
        Verb::Audit(args) => audit::run(context, &args),
        Verb::Doctor(args) => Ok(doctor::run(context, &args)),
        Verb::Backup(args) => data::backup(context, &args),
        Verb::Restore(args) => data::restore(context, &args),
        Verb::Db(args) => data::database(context, &args),
        Verb::Serve(args) => serve::run(context, args),
        Verb::Config(verb) => config::run(context, &verb),
        Verb::Icinga(Icinga::Link(args)) => icinga_link::run(context, args),
        Verb::Completions { shell } => {
            generate::completions(shell);
            Ok(Exit::Ok)
        }
        Verb::Man { dir } => generate::man(context, &dir),
        Verb::Codegen { dir } => generate::all(context, &dir),
    }
}
