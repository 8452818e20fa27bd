//! `cargo xtask deps`: what we depend on, may we, and do we use it.

use anyhow::Result;

use crate::{house::House, run, say, tools};

/// Check licences, bans and sources of the dependencies, and that each one is used.
///
/// Advisories are not checked: their database is a git repository, and this must work without one.
/// Where it can be reached: `cargo deny check advisories`.
#[derive(clap::Args)]
pub(crate) struct Deps {}

impl Deps {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let deny = tools::DENY.ensure(house)?;
        say::step(
            "checks bans, licences and sources; advisories need their database and are not checked here",
        );
        let mut command = house.command(deny);
        command.args(["--locked", "check", "--hide-inclusion-graph", "--deny=unnecessary-skip"]);
        run::run(command.args(["bans", "licenses", "sources"]))?;

        let machete = tools::MACHETE.ensure(house)?;
        say::step("looks for dependencies that nothing uses");
        run::run(house.command(machete).arg("--skip-target-dir"))
    }
}
