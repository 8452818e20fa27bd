//! `cargo xtask fmt`: rustfmt over the house and over the guests.

use anyhow::Result;

use crate::{guests, house::House, run, say};

/// Format every Rust file.
#[derive(clap::Args)]
pub(crate) struct Fmt {
    /// Change nothing; fail if a file is not formatted
    #[arg(long)]
    pub(crate) check: bool,
}

impl Fmt {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        say::step("formats the house");
        let format = |manifest: &str| {
            let mut cargo = house.cargo();
            cargo.args(["fmt", "--all", "--manifest-path", manifest]);
            if self.check {
                cargo.args(["--", "--check"]);
            }
            run::run(&mut cargo)
        };
        format("Cargo.toml")?;
        if guests::are_there(house) { format(guests::MANIFEST) } else { Ok(()) }
    }
}
