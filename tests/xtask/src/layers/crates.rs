//! Between crates: the tables of dependencies, and what a crate names in its code.

use std::path::Path;

use anyhow::Result;

use super::{
    manifest,
    names::Name,
    names_of,
    table::{CRATES, CrateRule, House},
};
use crate::{files, offence::Offence};

/// Every crate that uses one it must not, and every member of the workspace without a row in the table.
pub(super) fn offences(root: &Path) -> Result<Vec<Offence>> {
    let workspace = manifest::read(&root.join("Cargo.toml"))?;
    let mut offences = Vec::new();
    for pattern in manifest::members(&workspace) {
        for folder in files::members(root, &pattern)? {
            let path = Path::new(&folder).join("Cargo.toml");
            let Some(rule) = CRATES.iter().find(|rule| rule.is_about(&folder)) else {
                offences.push(Offence::of(
                    &path,
                    "has no row in tests/xtask/src/layers/table.rs; say what it may use",
                ));
                continue;
            };
            for name in manifest::dependencies(&root.join(&path), &workspace)? {
                offences
                    .extend(rule.refusal(&name).map(|why| Offence::of(&path, format!("depends on {why}"))));
            }
            for source in files::read(root, &folder, &[".rs"])? {
                for Name { segments, line } in names_of(&source)? {
                    let refusal = rule.refusal_in_code(&segments);
                    offences
                        .extend(refusal.map(|why| Offence::at(&source.path, line, format!("names {why}"))));
                }
            }
        }
    }
    Ok(offences)
}

impl CrateRule {
    fn is_about(&self, folder: &str) -> bool {
        match self.members.strip_suffix('*') {
            Some(parent) => folder.starts_with(parent),
            None => folder == self.members,
        }
    }

    fn refusal(&self, dependency: &str) -> Option<String> {
        let Self { house, never, because, .. } = self;
        let is_ours = dependency.starts_with("sandbell") || dependency.starts_with("channel-");
        let is_refused = match house {
            House::Only(allowed) => is_ours && !allowed.contains(&dependency),
            House::Any => false,
        };
        (is_refused || never.contains(&dependency)).then(|| format!("`{dependency}`: {because}"))
    }

    /// A path in code: the crate it starts with, or one of the standard library's paths.
    fn refusal_in_code(&self, segments: &[String]) -> Option<String> {
        let path = segments.join("::");
        self.never
            .iter()
            .find(|never| {
                let never = never.replace('-', "_");
                path == never || path.starts_with(&format!("{never}::"))
            })
            .filter(|_| segments.len() > 1)
            .map(|_| format!("`{path}`: {}", self.because))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::offences;
    use crate::{files::tree, offence::listed};

    #[test]
    fn an_arrow_that_points_up_is_caught() {
        let tree = tree(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"host/domain\", \"channels-wasm/*\", \"host/new\"]"),
            ("host/domain/Cargo.toml", "[dev-dependencies]\ntokio = \"1\"\nserde = \"1\"\n"),
            (
                "host/domain/src/lib.rs",
                "use std::{net::IpAddr, time::{Duration, Instant}};\nfn f() { tokio::spawn(x); }",
            ),
            (
                "channels-wasm/slack/Cargo.toml",
                "[dependencies]\nsandbell-sdk = \"1\"\nsandbell-broker = \"1\"\n",
            ),
            ("channels-wasm/slack/src/lib.rs", "fn f() { std::fs::read(p); }"),
            ("host/new/Cargo.toml", ""),
        ]);
        assert_snapshot!(listed(&offences(tree.path()).unwrap()), @r"
        host/domain/Cargo.toml: depends on `tokio`: the domain is nouns and pure decisions: no I/O, no clock, no dice, no async
        host/domain/src/lib.rs:1: names `std::time::Instant`: the domain is nouns and pure decisions: no I/O, no clock, no dice, no async
        host/domain/src/lib.rs:2: names `tokio::spawn`: the domain is nouns and pure decisions: no I/O, no clock, no dice, no async
        channels-wasm/slack/Cargo.toml: depends on `sandbell-broker`: a channel reaches the world through the SDK only
        channels-wasm/slack/src/lib.rs:1: names `std::fs::read`: a channel reaches the world through the SDK only
        host/new/Cargo.toml: has no row in tests/xtask/src/layers/table.rs; say what it may use
        ");
    }

    #[test]
    fn arrows_that_point_down_are_let_through() {
        let tree = tree(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"host/broker\"]"),
            ("host/broker/Cargo.toml", "[dependencies]\nsandbell-domain = \"1\"\nreqwest = \"1\"\n"),
            ("host/broker/src/lib.rs", "use reqwest::Client;\nuse sandbell_domain::Grants;"),
        ]);
        assert_eq!(listed(&offences(tree.path()).unwrap()), "");
    }
}
