//! `cargo xtask crash`: kills a host under load, round after round, and counts at the receiver.

use anyhow::Result;

use crate::{house::House, run, say, test};

/// Build everything and kill a serving host at random moments under load
#[derive(clap::Args)]
pub(crate) struct Crash {
    /// How often it is killed
    #[arg(long, default_value_t = 200)]
    rounds: u32,
}

impl Crash {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        test::prepare(house)?;
        say::step(&format!("kills a host {} times", self.rounds));
        // Without nextest, which would end what takes so long.
        let mut cargo = house.cargo();
        cargo.args([
            "test",
            "--locked",
            "--package=sandbell-it",
            "--test=it",
            "--",
            "crash::",
            "--nocapture",
        ]);
        run::run(cargo.env("SANDBELL_CRASH_ROUNDS", self.rounds.to_string()))
    }
}
