//! Starts the sandbox when it is first needed, and not before.
//!
//! `GetInfo` and every verb that only reads the state answer without an engine, a runtime or a thread of theirs.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use sandbell_broker::{Egress, EgressError, EgressSettings};
use sandbell_domain::LogLevel;
use sandbell_sandbox::{Sandbox, SandboxError, Settings};
use tokio::runtime::{self, Runtime};

use crate::clock::Clock;

/// How large an engine is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Attempts that run at the same time in this process.
    pub(crate) attempts_max: u32,
    /// Threads for connections: the brokers' and, of a serving host, the doors'.
    pub(crate) io_threads: usize,
}

impl Size {
    /// A process that serves one channel, or one command.
    pub(crate) const ONE_CHANNEL: Self = Self { attempts_max: 64, io_threads: 2 };
}

/// What an engine is made of, once it is needed.
pub(crate) struct Engine {
    settings: Settings,
    io_threads: usize,
    started: OnceLock<Result<Started, EngineError>>,
}

struct Started {
    /// Runs the brokers' connections; guests run elsewhere.
    io: Runtime,
    sandbox: Arc<Sandbox>,
}

/// Why no attempt can be made on this machine.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("the runtime cannot start: {0}")]
    Runtime(Arc<std::io::Error>),
    #[error(transparent)]
    Egress(Arc<EgressError>),
    #[error(transparent)]
    Sandbox(Arc<SandboxError>),
}

impl Engine {
    /// `compiler` is this program: it compiles when it is called with `compile-child`.
    pub(crate) fn new(
        compiler: PathBuf,
        cache_dir: Option<PathBuf>,
        log_level: LogLevel,
        size: Size,
    ) -> Self {
        let Size { attempts_max, io_threads } = size;
        let settings = Settings { cache_dir, compiler, attempts_max, log_level };
        Self { settings, io_threads, started: OnceLock::new() }
    }

    /// Starts the engine at the first call, which takes milliseconds.
    pub(crate) fn sandbox(&self) -> Result<&Arc<Sandbox>, EngineError> {
        self.started().map(|started| &started.sandbox)
    }

    /// Runs `future` to its end on the engine's runtime; for callers that have none.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, EngineError> {
        Ok(self.started()?.io.block_on(future))
    }

    fn started(&self) -> Result<&Started, EngineError> {
        self.started.get_or_init(|| start(&self.settings, self.io_threads)).as_ref().map_err(Clone::clone)
    }
}

fn start(settings: &Settings, io_threads: usize) -> Result<Started, EngineError> {
    let io = runtime::Builder::new_multi_thread()
        .worker_threads(io_threads)
        .thread_name("sandbell-io")
        .enable_all()
        .build()
        .map_err(|error| EngineError::Runtime(Arc::new(error)))?;
    let user_agent = concat!("sandbell/", env!("CARGO_PKG_VERSION")).to_owned();
    let egress = Egress::new(io.handle().clone(), EgressSettings { user_agent, now: || Clock.now() })
        .map_err(|error| EngineError::Egress(Arc::new(error)))?;
    let sandbox = Sandbox::new(settings.clone(), Arc::new(egress))
        .map_err(|error| EngineError::Sandbox(Arc::new(error)))?;
    Ok(Started { io, sandbox: Arc::new(sandbox) })
}
