//! `cargo xtask layers`: arrows between crates and modules point down only.
//!
//! It reads every path of every file, in `use`, in code and inside macros, and every table of dependencies, and holds them
//! against the one table in `layers/table.rs`.

use std::path::{Component, Path};

use anyhow::{Context, Result};

mod crates; // between crates
mod manifest; // what a Cargo.toml depends on
mod modules; // inside host/server
mod names;
mod table; // who may use whom // every path of a file

use crate::{
    files,
    house::House,
    offence::{self, Offence},
    say,
};

/// Check that the arrows between crates and modules point down only.
#[derive(clap::Args)]
pub(crate) struct Layers {}

impl Layers {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        say::step("checks who uses whom");
        offence::report("layers", &offences(&house.root)?)
    }
}

/// Every arrow of the tree that the table does not have.
fn offences(root: &Path) -> Result<Vec<Offence>> {
    let mut offences = crates::offences(root)?;
    offences.extend(modules::offences(root)?);
    Ok(offences)
}

/// The names of a file, each resolved as far as the file's place tells.
fn names_of(source: &files::Source) -> Result<Vec<names::Name>> {
    let file =
        syn::parse_file(&source.text).with_context(|| format!("{} is not Rust", source.path.display()))?;
    Ok(names::of(&file, &module_of(&source.path)))
}

/// `host/server/src/doors/icinga/mod.rs` is `doors::icinga`; a crate's root is the empty module.
fn module_of(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        })
        .collect();
    let below_src = parts.iter().position(|part| part == "src").map_or(0, |at| at + 1);
    parts.drain(..below_src);
    if let Some(file) = parts.pop() {
        match file.trim_end_matches(".rs") {
            "mod" | "main" | "lib" => {}
            name => parts.push(name.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::module_of;

    #[test]
    fn a_file_has_a_module() {
        let check = |path: &str, want: &[&str]| assert_eq!(module_of(Path::new(path)), want, "{path}");
        check("host/server/src/main.rs", &[]);
        check("host/server/src/app.rs", &["app"]);
        check("host/server/src/doors/mod.rs", &["doors"]);
        check("host/server/src/doors/icinga/line.rs", &["doors", "icinga", "line"]);
    }
}
