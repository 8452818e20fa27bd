//! `cargo xtask codegen`: what the program writes about itself.
//!
//! The reference of the command line, the API's document and the manual of the channels are kept in the repository, so that they
//! can be read there. Completions and man pages are for
//! packages: they are written into `dist` and not kept.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    channels::{self, Channels},
    house::House,
    run, say,
};

/// Made files that are kept, and where.
const KEPT: [(&str, &str); 3] =
    [("cli.md", "docs/cli.md"), ("openapi.json", "docs/openapi.json"), ("channels.md", "docs/channels.md")];
/// Folders of it that are not kept; they go below `dist`.
const SHIPPED: [&str; 2] = ["completions", "man"];

/// Write the command line's reference, the channels' manual, completions and man pages.
#[derive(clap::Args)]
pub(crate) struct Codegen {
    /// Write nothing; fail if a kept file is not what would be written
    #[arg(long)]
    pub(crate) check: bool,
}

impl Codegen {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        say::step("builds the program");
        run::run(house.cargo().args(["build", "--locked", "--package=sandbell"]))?;
        Channels { check_imports: true }.run(house)?;
        self.run_built(house)
    }

    /// The same with program and channels as they were built last.
    pub(crate) fn run_built(&self, house: &House) -> Result<()> {
        let program = house.target.join("debug/sandbell");
        let made = house.target.join("codegen");
        if made.exists() {
            fs::remove_dir_all(&made)?;
        }
        fs::create_dir_all(&made)?;
        say::step("lets the program write its reference, completions and man pages");
        run::run(house.command(program).arg("codegen").arg(&made))?;
        say::step("lets the channels describe themselves");
        fs::write(made.join("channels.md"), channels::manual(house)?)?;
        let stale = stale(&made, &house.root)?;
        if self.check {
            return check(&stale);
        }
        for (from, to) in &stale {
            copy(&made.join(from), &house.root.join(to))?;
            say::note(&format!("wrote {to}"));
        }
        for folder in SHIPPED {
            ship(&made.join(folder), &house.root.join("dist").join(folder))?;
            say::note(&format!("wrote dist/{folder}"));
        }
        Ok(())
    }
}

/// The kept files that are not what was made.
fn stale(made: &Path, root: &Path) -> Result<Vec<(&'static str, &'static str)>> {
    let mut stale = Vec::new();
    for (from, to) in KEPT {
        let new = fs::read(made.join(from)).with_context(|| format!("nothing wrote {from}"))?;
        if fs::read(root.join(to)).ok() != Some(new) {
            stale.push((from, to));
        }
    }
    Ok(stale)
}

fn check(stale: &[(&str, &str)]) -> Result<()> {
    let paths: Vec<&str> = stale.iter().map(|(_, to)| *to).collect();
    if paths.is_empty() {
        return Ok(());
    }
    bail!(
        "{} is not what the program and the channels say of themselves; run `cargo xtask codegen`",
        paths.join(", ")
    )
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file stands in a folder")?)?;
    fs::copy(from, to).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(())
}

fn ship(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("the program wrote no {}", from.display()))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::{check, ship, stale};
    use crate::files::tree;

    #[test]
    fn a_kept_file_that_differs_is_stale() {
        let made = tree(&[
            ("cli.md", "new"),
            ("openapi.json", "{}"),
            ("channels.md", "same"),
            ("man/sandbell.1", ""),
        ]);
        let ours = tree(&[("docs/cli.md", "old"), ("docs/openapi.json", "{}"), ("docs/channels.md", "same")]);
        let found = stale(made.path(), ours.path()).unwrap();
        assert_snapshot!(
            check(&found).unwrap_err(),
            @"docs/cli.md is not what the program and the channels say of themselves; run `cargo xtask codegen`"
        );
        let same = tree(&[("docs/cli.md", "new"), ("docs/openapi.json", "{}"), ("docs/channels.md", "same")]);
        check(&stale(made.path(), same.path()).unwrap()).unwrap();
        assert_snapshot!(stale(ours.path(), same.path()).unwrap_err(), @"nothing wrote cli.md");
    }

    #[test]
    fn what_is_shipped_is_copied() {
        let made = tree(&[("man/sandbell.1", "x")]);
        let dist = made.path().join("dist/man");
        ship(&made.path().join("man"), &dist).unwrap();
        assert!(dist.join("sandbell.1").is_file());
        assert!(ship(&made.path().join("nothing"), &dist).is_err());
    }
}
