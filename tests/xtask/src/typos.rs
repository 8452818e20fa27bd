//! `cargo xtask typos`: looks for misspelled words; `typos.toml` lists what is spelled so on purpose.

use anyhow::Result;

use crate::{house::House, run, say, tools};

/// Look for misspelled words.
#[derive(clap::Args)]
pub(crate) struct Typos {
    /// Correct what has one correction
    #[arg(long)]
    write: bool,
}

impl Typos {
    pub(crate) const CHECK: Self = Self { write: false };

    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let typos = tools::TYPOS.ensure(house)?;
        say::step("looks for misspelled words");
        let mut command = house.command(typos);
        if self.write {
            command.arg("--write-changes");
        }
        run::run(&mut command)
    }
}
