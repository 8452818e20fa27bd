//! `cargo xtask docs`: builds the documentation of our crates; a broken link is a failure.

use anyhow::Result;

use crate::{house::House, run, say};

/// Build the crates' documentation; a warning is a failure.
#[derive(clap::Args)]
pub(crate) struct Docs {}

impl Docs {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        say::step("builds the documentation");
        let mut cargo = house.cargo();
        cargo.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
        run::run(cargo.env("RUSTDOCFLAGS", "-Dwarnings"))
    }
}
