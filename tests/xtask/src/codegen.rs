//! `cargo xtask codegen`: what is written by the program and kept in the repository.
//!
//! The program's hidden verb `codegen DIR` writes a tree of files that stand at the same paths here: `docs/cli.md`,
//! `dist/completions/…`, `dist/man/…`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{house::House, run, say};

/// Write the command line's reference, completions and man pages.
#[derive(clap::Args)]
pub(crate) struct Codegen {
    /// Write nothing; fail if a file is not what would be written
    #[arg(long)]
    pub(crate) check: bool,
}

impl Codegen {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let made = house.target.join("codegen");
        if made.exists() {
            fs::remove_dir_all(&made)?;
        }
        say::step("lets the program write its reference, completions and man pages");
        let mut cargo = house.cargo();
        cargo.args(["run", "--quiet", "--locked", "--package=sandbell", "--", "codegen"]);
        run::run(cargo.arg(&made))?;
        let stale = stale(&made, &house.root)?;
        if self.check {
            return if stale.is_empty() {
                Ok(())
            } else {
                bail!("`cargo xtask codegen` would change {}", list(&stale))
            };
        }
        for path in &stale {
            let ours = house.root.join(path);
            fs::create_dir_all(ours.parent().context("a file stands in a folder")?)?;
            fs::copy(made.join(path), ours)?;
        }
        if stale.is_empty() {
            say::note("nothing has changed");
        } else {
            say::note(&format!("wrote {}", list(&stale)));
        }
        Ok(())
    }
}

/// The files below `made` that are not the same below `root`.
fn stale(made: &Path, root: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut folders = vec![made.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{} was not written", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(made)?.to_owned();
            if fs::read(root.join(&below)).ok() != Some(fs::read(&path)?) {
                paths.push(below);
            }
        }
    }
    paths.sort();
    Ok(paths)
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{list, stale};
    use crate::files::tree;

    #[test]
    fn only_what_differs_is_stale() {
        let made = tree(&[("docs/cli.md", "new"), ("dist/man/a.1", "same"), ("dist/man/b.1", "more")]);
        let ours = tree(&[("docs/cli.md", "old"), ("dist/man/a.1", "same")]);
        assert_eq!(list(&stale(made.path(), ours.path()).unwrap()), "dist/man/b.1, docs/cli.md");
        assert!(stale(&made.path().join("nothing"), ours.path()).is_err());
    }
}
