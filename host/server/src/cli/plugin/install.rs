//! `sandbell plugin install FILE`: puts a component under a name. It may do nothing until it is approved.

use std::fmt::Write as _;
use std::path::Path;

use sandbell_domain::Digest;
use serde_json::json;

use super::super::args;
use super::super::exit::Exit;
use super::super::inspect::{inspect, wants_table};
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use crate::install::{Change, Installed, PluginName, Standing, changes};

pub(in crate::cli) fn run(context: &Context, args: args::Install) -> Done {
    let name = match args.name {
        Some(name) => name,
        None => name_of(&args.file)?,
    };
    let state = context.app.state_or_create()?;
    let (bytes, info) = inspect(context, Some(&state), &args.file)?;
    let source = args.file.canonicalize().unwrap_or(args.file).display().to_string();
    let before = state.install(&name, &bytes, &info, &source, context.app.clock.now())?;
    let installed = state.get(&name)?;
    let difference = before.as_ref().map(|before| changes(&before.info.info.wants, &info.info.wants));
    context.output.result(
        || text(&installed, before.as_ref().map(|before| before.plugin.digest), difference.as_deref()),
        || {
            json!({
                "name": name.as_str(),
                "digest": info.digest,
                "version": info.info.version,
                "replaces": before.as_ref().map(|before| before.plugin.digest),
                "approved": installed.standing() == Standing::Approved,
                "wants": info.info.wants,
            })
        },
    );
    Ok(Exit::Ok)
}

/// `slack.wasm` is `slack`.
fn name_of(file: &Path) -> Result<PluginName, Problem> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.parse().map_err(|error| Problem::from(error).hint("give it a name with --name"))
}

fn text(installed: &Installed, before: Option<Digest>, difference: Option<&[Change]>) -> String {
    let Installed { name, plugin, info, approval: _ } = installed;
    let mut text = match before {
        Some(before) if before == plugin.digest => format!("{name} is installed already, these very bytes\n"),
        Some(before) => format!("{name} {} is installed, in place of {before}\n", info.info.version),
        None => format!("{name} {} is installed\n", info.info.version),
    };
    match installed.standing() {
        Standing::Approved => return text,
        Standing::NotApproved => {
            let _ = writeln!(text, "\n{}", wants_table(&info.info.wants));
        }
        Standing::Upgrade { running } => {
            let _ = writeln!(text, "{running} keeps running until this one is approved");
            text.push_str(&difference.map(difference_text).unwrap_or_default());
        }
    }
    let _ = writeln!(text, "\nhint: `sandbell plugin approve {name}` lets it do this");
    text
}

/// One line per want, marked `+`, `-` or not at all.
pub(super) fn difference_text(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let (mark, want) = match change {
            Change::Added(want) => ('+', want),
            Change::Removed(want) => ('-', want),
            Change::Kept(want) => (' ', want),
        };
        let line = format!("{} {}  {}", want.capability.as_str(), want.target, want.reason);
        format!("  {mark} {}\n", sandbell_domain::escape::line(line.trim_end()))
    };
    changes.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::install::fixture::{approval, installed, want};

    #[test]
    fn an_upgrade_shows_what_differs_and_what_runs_until_then() {
        let old = [want("POST {url}", "delivers"), want("GET {url}", "asks")];
        let new = [want("POST {url}", "delivers"), want("POST https://count.example/*", "counts\x1b[2J")];
        let upgrade = installed(b"two", &new, Some(approval(b"one", &old)));
        assert_snapshot!(text(&upgrade, Some(Digest::of(b"one")), Some(&changes(&old, &new))), @r"
        test 1.0.0 is installed, in place of sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed
        sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed keeps running until this one is approved
            http POST {url}  delivers
          + http POST https://count.example/*  counts\u{1b}[2J
          - http GET {url}  asks

        hint: `sandbell plugin approve test` lets it do this
        ");
        let first = installed(b"one", &old, None);
        assert_snapshot!(text(&first, None, None), @"
        test 1.0.0 is installed

        WANTS  TARGET      REASON
        http   POST {url}  delivers
        http   GET {url}   asks

        hint: `sandbell plugin approve test` lets it do this
        ");
        let again = installed(b"one", &old, Some(approval(b"one", &old)));
        assert_snapshot!(text(&again, Some(Digest::of(b"one")), Some(&changes(&old, &old))), @"test is installed already, these very bytes");
    }

    #[test]
    fn a_plugin_is_called_like_its_file() {
        assert_eq!(name_of(Path::new("/tmp/slack.wasm")).unwrap().as_str(), "slack");
        assert!(name_of(Path::new("/tmp/Slack 2.wasm")).is_err());
        assert!(name_of(Path::new("/")).is_err());
    }
}
