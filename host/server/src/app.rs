//! The running parts of this process, joined; nothing else joins them.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use sandbell_domain::LogLevel;

use crate::clock::Clock;
use crate::config::Config;
use crate::doors::icinga::{self, Link};
use crate::engine::{Engine, Size};
use crate::install::{State, StateError};

/// What the verbs of the command line work with.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
}

impl App {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, clock: Clock }
    }

    /// The state as it is; a verb that only looks makes nothing.
    pub(crate) fn state(&self) -> Result<State, StateError> {
        State::open(&self.config.state_dir)
    }

    pub(crate) fn state_or_create(&self) -> Result<State, StateError> {
        State::open_or_create(&self.config.state_dir)
    }

    /// An engine that keeps compiled artefacts in `state`, if there is one.
    pub(crate) fn engine(&self, state: Option<&State>, log_level: LogLevel) -> Engine {
        Engine::new(self.config.program.clone(), state.map(State::cache_dir), log_level, Size::ONE_CHANNEL)
    }
}

/// This process as the channel whose name it was started by.
pub(crate) fn run_channel(argv0: &Path) -> ExitCode {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    let link = match Link::follow(argv0, &config.state_dir) {
        Ok(link) => link,
        Err(error) => return refuse(&error),
    };
    let Config { state_dir: _, log_filter, program } = config;
    if let Some(connect) = link.connect.clone() {
        return icinga::run_connected(link, &connect, log_filter.as_deref(), Clock);
    }
    let cache_dir = State::open(&link.state_dir).ok().map(|state| state.cache_dir());
    let engine = Engine::new(program, cache_dir, LogLevel::Info, Size::ONE_CHANNEL);
    icinga::run(link, engine, log_filter.as_deref(), Clock)
}

/// A process that cannot even tell which channel it is has nothing to answer.
fn refuse(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::FAILURE
}
