//! `cargo xtask demo`: from a fresh clone to notifications that arrived.

use anyhow::{Result, bail};

use crate::{channels::Channels, guests::Guests, house::House, run, say, tools};

const PACKAGE: &str = "sandbell-demo";

/// Set up, build, and send real notifications through every channel; show what arrived and what was refused.
#[derive(clap::Args)]
pub(crate) struct Demo {}

impl Demo {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        if !house.has_package(PACKAGE) {
            bail!("there is no demo yet: the workspace has no package `{PACKAGE}`");
        }
        tools::ensure_debian_packages()?;
        say::step("builds the program");
        run::run(house.cargo().args(["build", "--locked", "--package=sandbell", "--package", PACKAGE]))?;
        Channels { check_imports: true }.run(house)?;
        Guests {}.run(house)?;
        say::step("sends notifications");
        run::run(&mut house.command(house.target.join("debug").join(PACKAGE)))
    }
}
