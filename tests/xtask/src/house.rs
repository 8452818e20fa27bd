//! Where things are: the repository, its target directory, its packages.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

/// What the components are compiled for.
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";

/// The repository, and what cargo knows of it.
pub(crate) struct House {
    pub(crate) root: PathBuf,
    /// Where cargo builds: `target`, or what `CARGO_TARGET_DIR` says.
    pub(crate) target: PathBuf,
    packages: Vec<Package>,
}

/// A member of the workspace.
struct Package {
    name: String,
    description: String,
    dependencies: Vec<Dependency>,
}

/// What a member names in its manifest.
struct Dependency {
    name: String,
    features: Vec<String>,
}

impl House {
    pub(crate) fn find() -> Result<Self> {
        // What cargo says now comes first: the program may have been built in another work tree.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .ancestors()
            .nth(2)
            .context("tests/xtask stands two folders below the root")?;
        let text = run::output(command("cargo".as_ref(), root).args([
            "metadata",
            "--no-deps",
            "--format-version=1",
        ]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
        let target =
            metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
        let packages = list(&metadata["packages"]).map(Package::read).collect();
        Ok(Self { root: root.to_owned(), target: target.into(), packages })
    }

    pub(crate) fn cargo(&self) -> Command {
        self.command("cargo")
    }

    /// A program that works in the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command(program.as_ref(), &self.root)
    }

    pub(crate) fn has_package(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }

    /// True if the package names the other in its own manifest.
    pub(crate) fn depends_on(&self, name: &str, other: &str) -> bool {
        self.dependency(name, other).is_some()
    }

    /// True if the package names the other with this feature.
    pub(crate) fn uses_feature(&self, name: &str, other: &str, feature: &str) -> bool {
        self.dependency(name, other).is_some_and(|it| it.features.iter().any(|known| known == feature))
    }

    /// The one sentence of the package's manifest.
    pub(crate) fn description(&self, name: &str) -> &str {
        self.package(name).map_or("", |package| &package.description)
    }

    fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    fn dependency(&self, name: &str, other: &str) -> Option<&Dependency> {
        self.package(name)?.dependencies.iter().find(|dependency| dependency.name == other)
    }

    /// The packages that are channels, in order of their names.
    pub(crate) fn channels(&self) -> Vec<&str> {
        let names = self.packages.iter().map(|package| package.name.as_str());
        let mut channels: Vec<&str> = names.filter(|name| name.starts_with("channel-")).collect();
        channels.sort_unstable();
        channels
    }

    /// The packages that must also compile for [`GUEST_TARGET`]: what an author links, and the channels.
    pub(crate) fn guest_packages(&self) -> Vec<&str> {
        let mut packages = vec!["sandbell-sdk"];
        let shared = ["sandbell-go-template", "sandbell-chat-text"];
        packages.extend(shared.into_iter().filter(|name| self.has_package(name)));
        packages.extend(self.channels());
        packages
    }

    /// The built program, if it is built: the one of the tests first.
    pub(crate) fn program(&self) -> Option<PathBuf> {
        ["debug", "release"]
            .iter()
            .map(|profile| self.target.join(profile).join("sandbell"))
            .find(|p| p.is_file())
    }
}

impl Package {
    fn read(metadata: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let dependency = |value: &Value| Dependency {
            name: text(&value["name"]),
            features: list(&value["features"]).map(text).collect(),
        };
        Self {
            name: text(&metadata["name"]),
            description: text(&metadata["description"]),
            dependencies: list(&metadata["dependencies"]).map(dependency).collect(),
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A program in the root, as if nobody had called it through `cargo xtask`.
///
/// `cargo run` tells its child about the package it runs, and build scripts that watch these words (ring's does) would
/// build anew each time the caller changes.
fn command(program: &OsStr, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::House;

    #[test]
    fn the_house_is_found() {
        let house = House::find().unwrap();
        assert!(house.root.join("wit/channel.wit").is_file());
        assert!(house.has_package("sandbell"));
        assert!(house.channels().iter().all(|name| name.starts_with("channel-")));
        assert!(house.channels().contains(&"channel-slack"));
        assert!(!house.guest_packages().contains(&"sandbell"));
    }
}
