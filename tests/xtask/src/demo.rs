//! `cargo xtask demo`: from a fresh clone to notifications that arrived.

use anyhow::{Result, bail};

use crate::{channels::Channels, guests::Guests, house::House, run, say, tools};

const PACKAGE: &str = "sandbell-demo";

/// Set up, build, and send real notifications to real servers; show what arrived and what was refused.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// One notification through each channel of the repository, instead of the whole show with four
    #[arg(long)]
    all: bool,
}

impl Demo {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        if !house.has_package(PACKAGE) {
            bail!("there is no demo yet: the workspace has no package `{PACKAGE}`");
        }
        tools::ensure_debian_packages()?;
        say::step("builds the program");
        run::run(house.cargo().args(["build", "--locked", "--package=sandbell", "--package", PACKAGE]))?;
        Channels { check_imports: true }.run(house)?;
        let mut demo = house.command(house.target.join("debug").join(PACKAGE));
        if self.all {
            demo.arg("--all");
        } else {
            Guests {}.run(house)?;
        }
        say::step("sends notifications");
        run::run(&mut demo)
    }
}
