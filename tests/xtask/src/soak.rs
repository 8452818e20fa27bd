//! `cargo xtask soak`: a host under half of what it can do, for as long as one likes.

use anyhow::Result;

use crate::{bench, house::House, run, say};

/// Build everything for speed and watch memory and files of a host under load
#[derive(clap::Args)]
pub(crate) struct Soak {
    /// How long
    #[arg(long, default_value_t = 30)]
    minutes: u32,
}

impl Soak {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let program = bench::build(house)?;
        say::step(&format!("delivers for {} minutes", self.minutes));
        run::run(house.command(program).args(["soak", "--minutes", &self.minutes.to_string()]))
    }
}
