//! `cargo xtask bench`: the benchmarks, beside what they are compared with, in one run.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{channels::Channels, house::House, run, say};

const PACKAGE: &str = "sandbell-bench";

/// Build everything for speed and run the benchmarks.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// Passed on to the benchmarks
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let program = build(house)?;
        say::step("measures");
        run::run(house.command(program).args(&self.arguments))
    }
}

/// Everything that is measured; gives the program that measures.
pub(crate) fn build(house: &House) -> Result<PathBuf> {
    if !house.has_package(PACKAGE) {
        bail!("there are no benchmarks yet: the workspace has no package `{PACKAGE}`");
    }
    Channels { check_imports: false }.run(house)?;
    say::step("builds the program for speed");
    let mut cargo = house.cargo();
    run::run(cargo.args(["build", "--locked", "--release", "--package=sandbell", "--package", PACKAGE]))?;
    Ok(house.target.join("release").join(PACKAGE))
}
