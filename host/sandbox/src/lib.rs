//! Runs one attempt of a plugin: one store, one instance, one outcome.
//!
//! Invariant: [`Sandbox::attempt`] cannot fail; whatever happens inside is an [`Outcome`](sandbell_domain::Outcome).
//! Invariant: no guest state survives an attempt; no wasmtime text is shown alone.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use sandbell_broker::{Egress, EgressError};
use sandbell_domain::{Attempt, Channel, ConfigError, Digest, Failure, Lease, LogLevel, Mode, PluginInfo};

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A private directory (0700) for compiled artefacts and their key; absent: compile anew in every process.
    pub cache_dir: Option<PathBuf>,
    /// The program that compiles when called with the argument `compile-child`: this one.
    pub compiler: PathBuf,
    /// Attempts that run at the same time in this process.
    pub attempts_max: u32,
    /// What plugins are told is worth logging.
    pub log_level: LogLevel,
}

/// One wasmtime engine, its guests' runtime and its ticker. One per process.
pub struct Sandbox {
    egress: Arc<Egress>,
}

/// A checked, compiled component.
#[derive(Clone)]
pub struct Plugin {}

/// A plugin joined with a channel: its configuration, its grants and its connections.
#[derive(Clone)]
pub struct OpenChannel {}

/// What can be told of a component without granting it anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    pub digest: Digest,
    pub size_bytes: usize,
    /// `sandbell:channel@0.1.0`.
    pub world: String,
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub info: PluginInfo,
}

/// Why a file is no plugin: the culprit and the way out, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    #[error("the file is empty; write the path of a component, e.g. `slack.wasm`")]
    Empty,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the engine cannot start: {0}")]
    Engine(String),
}

/// Why `set-config` did not accept: the plugin's own word, or what became of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigRefusal {
    #[error(transparent)]
    Refused(ConfigError),
    #[error(transparent)]
    Failed(Failure),
}

impl Sandbox {
    pub fn new(settings: Settings, egress: Arc<Egress>) -> Result<Self, SandboxError> {
        let _ = settings;
        Ok(Self { egress })
    }

    /// Compiles in a child process, checks imports and exports, and asks for the info with zero grants.
    pub async fn inspect(&self, bytes: &[u8]) -> Result<Inspected, InspectError> {
        let _ = bytes;
        todo!()
    }

    /// Compiles, or takes the artefact from the cache.
    pub async fn load(&self, bytes: &[u8]) -> Result<Plugin, InspectError> {
        let _ = bytes;
        todo!()
    }

    /// Joins a plugin and a channel. No guest code runs.
    pub fn open(&self, plugin: &Plugin, channel: Channel) -> Result<OpenChannel, EgressError> {
        let _ = (plugin, channel, &self.egress);
        todo!()
    }

    /// Runs `set-config` alone, with no power granted.
    pub async fn check_config(&self, channel: &OpenChannel) -> Result<(), ConfigRefusal> {
        let _ = channel;
        todo!()
    }

    /// One try of a delivery. Dropping the future ends the attempt.
    pub async fn attempt(&self, channel: &OpenChannel, lease: &Lease, mode: Mode) -> Attempt {
        let _ = (channel, lease, mode);
        todo!()
    }
}

impl OpenChannel {
    pub fn channel(&self) -> &Channel {
        todo!()
    }
}

/// What the program does when it is called with `compile-child`: a component on stdin, an artefact on stdout.
pub fn compile_child() -> ExitCode {
    todo!()
}
