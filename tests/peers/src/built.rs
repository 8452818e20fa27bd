//! What `cargo xtask` has built: the program beside the running binary, channels and guests beside its profile.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The folder of the profile, e.g. `target/debug`.
#[derive(Clone, Debug)]
pub struct Built {
    profile: PathBuf,
}

impl Built {
    /// Finds the folder of the running binary's profile; test binaries are one folder further down.
    pub fn of_this_binary() -> Result<Self> {
        let binary = std::env::current_exe().context("this binary has no path")?;
        let folder = binary.parent().context("a binary is in a folder")?;
        let profile =
            if folder.ends_with("deps") { folder.parent().context("`deps` is in a folder")? } else { folder };
        Ok(Self { profile: profile.to_owned() })
    }

    /// The program `sandbell`.
    pub fn program(&self) -> Result<PathBuf> {
        there(self.profile.join("sandbell"))
    }

    /// A channel of this repository, e.g. `slack`.
    pub fn channel(&self, name: &str) -> Result<PathBuf> {
        self.component("channels", name)
    }

    /// A hostile guest, e.g. `loop-in-send`.
    pub fn guest(&self, name: &str) -> Result<PathBuf> {
        self.component("guests", name)
    }

    /// The folder of a tool that `cargo xtask test` installs, e.g. `schemathesis`.
    pub fn tool(&self, name: &str) -> Result<PathBuf> {
        let target = self.profile.parent().context("a profile is in the target folder")?;
        there(target.join("tools").join(name))
    }

    fn component(&self, folder: &str, name: &str) -> Result<PathBuf> {
        let target = self.profile.parent().context("a profile is in the target folder")?;
        there(target.join(folder).join(name).with_extension("wasm"))
    }
}

fn there(path: PathBuf) -> Result<PathBuf> {
    ensure!(Path::exists(&path), "{} is missing; `cargo xtask test` builds it first", path.display());
    Ok(path)
}
