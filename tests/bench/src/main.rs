//! `cargo xtask bench`: one table of medians and ratios, everything measured side by side in one run.
//!
//! Measures what is built beside this binary: `cargo xtask bench` builds it first, for speed.

mod attempt;
mod door;
mod fixture;
mod native;
mod receiver;
mod serve;
mod soak;
mod throughput;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use sandbell_peers::Built;

/// What every benchmark needs.
struct Bench {
    built: Built,
    rows: Vec<Row>,
}

type Measure = fn(&mut Bench) -> Result<()>;

/// Everything there is to measure, by the name that `cargo xtask bench NAME` takes.
const MEASURES: [(&str, Measure); 6] = [
    ("door", door::measure),
    ("attempt", attempt::measure),
    ("throughput", throughput::measure),
    ("memory", soak::measure),
    ("serve", serve::measure),
    ("sizes", sizes),
];

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
    if let Some(minutes) = minutes() {
        serve::soak(&Built::of_this_binary()?, minutes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut bench = Bench { built: Built::of_this_binary()?, rows: Vec::new() };
    let only: Vec<String> = std::env::args().skip(1).collect();
    for (name, measure) in MEASURES {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            measure(&mut bench)?;
        }
    }
    println!("| what | measured | wanted | |");
    println!("| --- | --- | --- | --- |");
    for Row { what, measured, wanted, reached } in &bench.rows {
        println!("| {what} | {measured} | {wanted} | {} |", if *reached { "✓" } else { "missed" });
    }
    Ok(ExitCode::SUCCESS)
}

/// What follows `soak --minutes`.
fn minutes() -> Option<u64> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [verb, flag, minutes] if verb == "soak" && flag == "--minutes" => minutes.parse().ok(),
        _ => None,
    }
}

fn sizes(bench: &mut Bench) -> Result<()> {
    let mut sizes = Vec::new();
    for name in ["webhook", "email", "rocketchat", "slack"] {
        let bytes = std::fs::metadata(bench.built.channel(name)?)?.len();
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

/// CPU of all threads of this process: host and guest, and the waking of one by the other.
fn process_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}
