//! `cargo xtask lint`: clippy without a single warning, for this machine and for the guests' target.

use anyhow::Result;

use crate::{
    house::{GUEST_TARGET, House},
    run, say, tools,
};

/// Run clippy; a warning is a failure.
#[derive(clap::Args)]
pub(crate) struct Lint {
    /// Only what runs on this machine, not the SDK and the channels for WebAssembly
    #[arg(long)]
    pub(crate) host_only: bool,
}

impl Lint {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        say::step("lints everything for this machine");
        run::run(house.cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "-Dwarnings",
        ]))?;
        if self.host_only {
            return Ok(());
        }
        tools::ensure_guest_target()?;
        say::step("lints the SDK and the channels for WebAssembly");
        let mut cargo = house.cargo();
        cargo.args(["clippy", "--locked", "--target", GUEST_TARGET]);
        for package in house.guest_packages() {
            cargo.args(["--package", package]);
        }
        run::run(cargo.args(["--", "-Dwarnings"]))
    }
}
