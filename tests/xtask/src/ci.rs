//! `cargo xtask ci`: everything CI does, in CI's order, stopping at the first failure.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    codegen::Codegen, deps::Deps, docs::Docs, fmt::Fmt, house::House, layers::Layers, lint::Lint, say,
    test::Test, tidy::Tidy, typos::Typos,
};

/// Do everything CI does, stopping at the first failure.
#[derive(clap::Args)]
pub(crate) struct Ci {}

/// How long each part took, in order.
#[derive(Default)]
struct Times(Vec<(&'static str, Duration)>);

impl Ci {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        let mut times = Times::default();
        let result = all(house, &mut times);
        times.show();
        // The runner's own words close the output, where people and programs look for them.
        result?.iter().for_each(|line| say::pass_on(line));
        Ok(())
    }
}

/// From what is quick and often wrong to what is slow and seldom wrong.
fn all(house: &House, times: &mut Times) -> Result<Vec<String>> {
    times.take("fmt", || Fmt { check: true }.run(house))?;
    times.take("layers", || Layers {}.run(house))?;
    times.take("tidy", || Tidy {}.run(house))?;
    times.take("typos", || Typos::CHECK.run(house))?;
    times.take("lint", || Lint { host_only: false }.run(house))?;
    times.take("docs", || Docs {}.run(house))?;
    times.take("deps", || Deps {}.run(house))?;
    let summary = times.take("test", || Test::run_in_ci(house))?;
    times.take("codegen", || Codegen { check: true }.run_built(house))?;
    Ok(summary)
}

impl Times {
    fn take<T>(&mut self, name: &'static str, part: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let result = part().with_context(|| format!("`cargo xtask {name}` failed"));
        self.0.push((name, start.elapsed()));
        result
    }

    fn show(&self) {
        let row = |name: &str, time: Duration| vec![name.to_owned(), say::duration(time)];
        let mut rows = vec![vec!["part".to_owned(), "took".to_owned()]];
        rows.extend(self.0.iter().map(|(name, time)| row(name, *time)));
        rows.push(row("all", self.0.iter().map(|(_, time)| *time).sum()));
        say::table(&rows);
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::Times;

    #[test]
    fn a_failure_names_its_part_and_is_timed() {
        let mut times = Times::default();
        times.take("fmt", || Ok(())).unwrap();
        let error = times.take("lint", || -> anyhow::Result<()> { bail!("no") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "`cargo xtask lint` failed: no");
        assert_eq!(times.0.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["fmt", "lint"]);
    }
}
