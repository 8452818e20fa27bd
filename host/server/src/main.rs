//! `sandbell` hosts notification channels that are WebAssembly components.
//!
//! The modules are layers, and arrows point down only: `cli` → `app` → `doors` → `install`, `engine` → `config`,
//! `telemetry`, `clock`; and `cli` → `client`, which talks to another process of this program.

mod app;
mod channels;
mod chores;
mod circuits;
mod cli;
mod client;
mod clock;
mod config;
mod dice;
mod dispatch;
mod doors;
mod engine;
mod events;
mod install;
mod intake;
mod kept;
mod listen;
mod metrics;
mod node;
mod pulse;
mod roster;
mod runner;
mod serve;
mod store;
mod telemetry;
mod vault;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::PROGRAM;

/// What a sandbox calls this program with, to have a component compiled in a process of its own.
const COMPILE_CHILD: &str = "compile-child";

fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let argv0 = arguments.next().map(PathBuf::from).unwrap_or_default();
    match arguments.next() {
        Some(first) if first == COMPILE_CHILD => sandbell_sandbox::compile_child(),
        None if is_channel(&argv0) => app::run_channel(&argv0),
        Some(_) | None => cli::run(),
    }
}

/// Whether the program was started by the link of a channel.
fn is_channel(argv0: &Path) -> bool {
    argv0.file_name().is_some_and(|name| name != PROGRAM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        for (argv0, want) in [
            ("/usr/libexec/icinga-notifications/channels/slack", true),
            ("slack", true),
            ("/usr/bin/sandbell", false),
            ("sandbell", false),
            ("", false),
        ] {
            assert_eq!(is_channel(Path::new(argv0)), want, "{argv0}");
        }
    }
}
