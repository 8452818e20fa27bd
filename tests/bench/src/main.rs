//! `cargo xtask bench`: one table of medians and ratios, everything measured side by side in one run.
//!
//! Called with the directory of the built channels and the path of the program.

mod attempt;
mod door;
mod fixture;
mod receiver;
mod soak;
mod throughput;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

/// What every benchmark needs.
struct Bench {
    channels: PathBuf,
    program: PathBuf,
    rows: Vec<Row>,
}

/// One line of the table.
struct Row {
    what: &'static str,
    measured: String,
    wanted: &'static str,
    reached: bool,
}

impl Bench {
    fn row(&mut self, what: &'static str, measured: String, wanted: &'static str, reached: bool) {
        self.rows.push(Row { what, measured, wanted, reached });
    }
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() -> Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some("compile-child") {
        // The sandbox compiles in a child of the program that it runs in; here that is this one.
        return Ok(sandbell_sandbox::compile_child());
    }
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let channels = arguments.next().context("the directory of the built channels is missing")?;
    let program = arguments.next().context("the path of the program is missing")?;
    let mut bench = Bench { channels, program, rows: Vec::new() };
    door::measure(&mut bench)?;
    attempt::measure(&mut bench)?;
    throughput::measure(&mut bench)?;
    soak::measure(&mut bench)?;
    sizes(&mut bench)?;
    println!("| what | measured | wanted | |");
    println!("| --- | --- | --- | --- |");
    for Row { what, measured, wanted, reached } in &bench.rows {
        println!("| {what} | {measured} | {wanted} | {} |", if *reached { "✓" } else { "missed" });
    }
    Ok(ExitCode::SUCCESS)
}

fn sizes(bench: &mut Bench) -> Result<()> {
    let mut sizes = Vec::new();
    for name in ["webhook", "email", "rocketchat", "slack"] {
        let bytes = std::fs::metadata(bench.channels.join(format!("{name}.wasm")))?.len();
        sizes.push((name, bytes / 1024));
    }
    let largest = sizes.iter().map(|(_, kib)| *kib).max().unwrap_or_default();
    let text: Vec<_> = sizes.iter().map(|(name, kib)| format!("{name} {kib}")).collect();
    bench.row("component size, KiB", text.join(", "), "< 300", largest < 300);
    Ok(())
}

/// The middle of the measurements.
fn median<T: Ord + Copy>(values: &mut [T]) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}
