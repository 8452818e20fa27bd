//! Inside `host/server`: which module names which, and that no door knows another.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;

use super::{
    module_of,
    names::Name,
    names_of,
    table::{MODULES, SHARED_BY_DOORS},
};
use crate::{files, offence::Offence};

const FOLDER: &str = "host/server/src";

/// Every arrow between modules that the table does not have.
pub(super) fn offences(root: &Path) -> Result<Vec<Offence>> {
    let sources = files::read(root, FOLDER, &[".rs"])?;
    let modules: Vec<Vec<String>> = sources.iter().map(|source| module_of(&source.path)).collect();
    let doors: BTreeSet<&str> = modules
        .iter()
        .filter_map(|module| match module.as_slice() {
            [doors, door, ..] if doors == "doors" && !SHARED_BY_DOORS.contains(&door.as_str()) => {
                Some(door.as_str())
            }
            _ => None,
        })
        .collect();
    let mut offences = Vec::new();
    for (source, module) in sources.iter().zip(&modules) {
        if allowed(layer(module)).is_none() {
            let what = format!("`{}` has no row in tests/xtask/src/layers/table.rs", layer(module));
            offences.push(Offence::of(&source.path, what));
            continue;
        }
        for Name { segments, line } in names_of(source)? {
            let refusal = refusal(module, &target(module, segments), &doors);
            offences.extend(refusal.map(|what| Offence::at(&source.path, line, what)));
        }
    }
    Ok(offences)
}

/// The first part of a module's path; the crate's root is `main`.
fn layer(module: &[String]) -> &str {
    module.first().map_or("main", String::as_str)
}

/// In the root, the name of a module stands for itself: `cli::run()`.
fn target(module: &[String], mut segments: Vec<String>) -> Vec<String> {
    let is_module = |name: &String| MODULES.iter().any(|(module, _)| module == name);
    if module.is_empty() && segments.len() > 1 && segments.first().is_some_and(is_module) {
        segments.insert(0, "crate".to_owned());
    }
    segments
}

fn refusal(module: &[String], target: &[String], doors: &BTreeSet<&str>) -> Option<String> {
    let [root, rest @ ..] = target else { return None };
    if root != "crate" {
        return None;
    }
    let from = layer(module);
    let to = match rest.first().map(String::as_str) {
        None | Some("*") if module.is_empty() => return None,
        None | Some("*") => return Some("names the whole crate; name the module that is meant".to_owned()),
        Some(to) => to,
    };
    if to == from {
        return (from == "doors").then(|| door_refusal(module, rest, doors)).flatten();
    }
    if allowed(to).is_none() {
        return Some(format!("`{from}` uses `{to}` of the crate's root; what is shared belongs in a module"));
    }
    let allowed = allowed(from)?;
    (!allowed.contains(&to)).then(|| {
        let may = if allowed.is_empty() { "no other module".to_owned() } else { allowed.join(", ") };
        format!("`{from}` uses `{to}`; it may use {may}")
    })
}

/// `doors/mod.rs` lists the doors; nobody else in `doors` names one but that door itself.
fn door_refusal(module: &[String], rest: &[String], doors: &BTreeSet<&str>) -> Option<String> {
    let here = module.get(1)?;
    let other = rest.get(1).filter(|name| doors.contains(name.as_str()))?;
    (here != other).then(|| format!("`doors::{here}` uses the door `{other}`; doors do not know each other"))
}

fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    MODULES.iter().find(|(name, _)| *name == layer).map(|(_, allowed)| *allowed)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::offences;
    use crate::{files::tree, offence::listed};

    fn check(files: &[(&str, &str)]) -> String {
        let files: Vec<(String, &str)> =
            files.iter().map(|(path, text)| (format!("host/server/src/{path}"), *text)).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        listed(&offences(tree(&files).path()).unwrap())
    }

    #[test]
    fn arrows_that_point_down_are_let_through() {
        let text = check(&[
            ("main.rs", "mod app; mod cli;\nfn main() { cli::run() }"),
            ("cli/send.rs", "use crate::{app::App, config, cli::Exit};\nuse super::Format;"),
            ("serve.rs", "use crate::{dispatch::Dispatcher, doors, runner::Runner};"),
            ("doors/mod.rs", "mod icinga; use icinga::router; use self::quay::Quay;"),
            ("doors/icinga/mod.rs", "use super::{auth, problem::Problem};\nuse crate::intake::Intake;"),
            ("doors/icinga/line.rs", "use super::Dialect; use crate::doors::icinga::Text;"),
            ("doors/quay.rs", "#[cfg(test)] mod tests { use super::*; }"),
            ("dispatch/attempt.rs", "use crate::node::Node;"),
        ]);
        assert_eq!(text, "");
    }

    #[test]
    fn arrows_that_point_up_are_caught() {
        let text = check(&[
            ("main.rs", "mod app;\nfn main() { dispatch::run() }"),
            ("doors/mod.rs", ""),
            (
                "doors/icinga.rs",
                "use crate::dispatch::Dispatcher;\nuse super::quay;\nfn f() { crate::runner::run() }",
            ),
            ("doors/auth.rs", "fn f() { log!(crate::doors::quay::X); }"),
            ("doors/quay.rs", "use super::super::app::App;"),
            ("dispatch.rs", "\n\nuse crate::{config, doors::quay};"),
            ("intake.rs", "use crate::*;"),
            ("telemetry.rs", "use crate as sandbell;\nuse crate::metrics::Metrics;"),
            ("helpers.rs", ""),
            ("config.rs", "fn f() -> &str { crate::PROGRAM }"),
        ]);
        assert_snapshot!(text, @"
        host/server/src/config.rs:1: `config` uses `PROGRAM` of the crate's root; what is shared belongs in a module
        host/server/src/dispatch.rs:3: `dispatch` uses `doors`; it may use node, circuits, events, metrics, kept, config
        host/server/src/doors/auth.rs:1: `doors::auth` uses the door `quay`; doors do not know each other
        host/server/src/doors/icinga.rs:1: `doors` uses `dispatch`; it may use channels, node, intake, runner, roster, vault, circuits, events, kept, listen, install, engine, clock, dice, config, telemetry
        host/server/src/doors/icinga.rs:2: `doors::icinga` uses the door `quay`; doors do not know each other
        host/server/src/doors/quay.rs:1: `doors` uses `app`; it may use channels, node, intake, runner, roster, vault, circuits, events, kept, listen, install, engine, clock, dice, config, telemetry
        host/server/src/helpers.rs: `helpers` has no row in tests/xtask/src/layers/table.rs
        host/server/src/intake.rs:1: names the whole crate; name the module that is meant
        host/server/src/main.rs:2: `main` uses `dispatch`; it may use cli, app, config
        host/server/src/telemetry.rs:1: names the whole crate; name the module that is meant
        host/server/src/telemetry.rs:2: `telemetry` uses `metrics`; it may use no other module
        ");
    }
}
