//! `cargo xtask test`: sets up what is missing, builds everything that tests start, and runs every test.

use anyhow::Result;

use crate::{channels::Channels, guests::Guests, house::House, run, say, schemathesis, tools};

/// Lines at the end of nextest's output that are worth saying again.
const SUMMARY_LINES_MAX: usize = 12;

/// Set up what is missing, build program, channels and guests, and run every test.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// Which tests, as for `cargo nextest run`: names, or `-E 'package(sandbell-it)'`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    filter: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let nextest = prepare(house)?;
        if self.filter.is_empty() {
            documentation(house)?;
        }
        say::step("runs the tests");
        let mut command = house.command(nextest);
        command.args(["nextest", "run", "--workspace", "--all-features", "--locked"]);
        command.env("PATH", tools::path_with_promtool(house)?);
        run::run(command.args(&self.filter))
    }

    /// Runs every test as CI does, and gives nextest's own summary.
    pub(crate) fn run_in_ci(house: &House) -> Result<Vec<String>> {
        let nextest = prepare(house)?;
        documentation(house)?;
        say::step("runs the tests");
        let mut command = house.command(nextest);
        command.args(["nextest", "run", "--workspace", "--all-features", "--locked", "--profile=ci"]);
        command.env("PATH", tools::path_with_promtool(house)?);
        Ok(summary(run::run_and_keep(&mut command, SUMMARY_LINES_MAX)?))
    }
}

/// Everything a test starts or talks to; gives the path of nextest.
pub(crate) fn prepare(house: &House) -> Result<std::path::PathBuf> {
    tools::ensure_debian_packages()?;
    tools::ensure_promtool(house)?;
    let nextest = tools::NEXTEST.ensure(house)?;
    schemathesis::ensure(house)?;
    say::step("builds the program and the tests");
    // All at once: cargo would compile the engine anew for a package that asks for other features of a shared crate.
    run::run(house.cargo().args(["build", "--locked", "--workspace", "--all-targets", "--all-features"]))?;
    Channels { check_imports: true }.run(house)?;
    Guests {}.run(house)?;
    Ok(nextest)
}

/// The examples in the documentation, which nextest does not run.
fn documentation(house: &House) -> Result<()> {
    say::step("runs the examples in the documentation");
    run::run(house.cargo().args(["test", "--doc", "--workspace", "--all-features", "--locked", "--quiet"]))
}

/// From nextest's last summary on, or everything if it made none.
fn summary(lines: Vec<String>) -> Vec<String> {
    let start = lines.iter().rposition(|line| line.trim_start().starts_with("Summary")).unwrap_or(0);
    lines.into_iter().skip(start).collect()
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_summary_is_the_end() {
        let check = |lines: &[&str], want: &[&str]| {
            assert_eq!(summary(lines.iter().map(|line| (*line).to_owned()).collect()), want);
        };
        check(
            &["  PASS x", "────", "  Summary [1 s] 2 passed", "  SLOW y"],
            &["  Summary [1 s] 2 passed", "  SLOW y"],
        );
        check(&["error"], &["error"]);
    }
}
