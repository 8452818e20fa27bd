//! schemathesis, which calls the API in every way that its document allows, and in many that it does not.
//!
//! `schemathesis.txt` names every package that it needs, in its version. It stands in `target/tools`, in a folder of
//! its own, and `target/tools/schemathesis` is a link to it, by which the tests find it.

use std::{fs, os::unix, path::Path, process::Command};

use anyhow::Result;

use crate::{house::House, run, say};

const REQUIREMENTS: &str = include_str!("../schemathesis.txt");

/// Installs it if it is missing.
pub(crate) fn ensure(house: &House) -> Result<()> {
    let tools = house.target.join("tools");
    let name = format!("schemathesis-{}", version());
    let folder = tools.join(&name);
    if !works(&folder) {
        say::step(&format!("installs {name}, because it holds the API to its document"));
        fs::create_dir_all(&folder)?;
        let list = folder.join("requirements.txt");
        fs::write(&list, REQUIREMENTS)?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--upgrade"]);
        pip.args(["--root-user-action=ignore", "--target"]).arg(&folder).arg("--requirement").arg(&list);
        run::run(&mut pip)?;
        run::output(&mut call(&folder))?;
    }
    let link = tools.join("schemathesis");
    if fs::read_link(&link).ok().as_deref() != Some(Path::new(&name)) {
        let _ = fs::remove_file(&link);
        unix::fs::symlink(&name, &link)?;
    }
    Ok(())
}

fn works(folder: &Path) -> bool {
    run::output(&mut call(folder)).is_ok_and(|text| text.contains(version()))
}

/// `schemathesis --version`.
fn call(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("bin/schemathesis"));
    command.arg("--version").env("PYTHONPATH", folder);
    command
}

fn version() -> &'static str {
    REQUIREMENTS.lines().find_map(|line| line.strip_prefix("schemathesis==")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{REQUIREMENTS, version};

    #[test]
    fn every_package_has_a_whole_version() {
        assert_eq!(version().split('.').count(), 3);
        for line in REQUIREMENTS.lines() {
            assert!(
                line.split_once("==").is_some_and(|(name, version)| !name.is_empty() && !version.is_empty()),
                "{line}"
            );
        }
    }
}
