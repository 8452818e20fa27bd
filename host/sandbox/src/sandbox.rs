//! The sandbox: one engine, the guests' own runtime, the ticker and the cache. One per process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sandbell_broker::{Egress, EgressError};
use sandbell_domain::{Attempt, Channel, Digest, Failure, Lease, Limits, LogLevel, Mode, PluginInfo, escape};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::artefact::Artefact;
use crate::attempt::{self, OpenChannel};
use crate::cache::Cache;
use crate::ending::{self, Phase};
use crate::error::{ConfigRefusal, InspectError, SandboxError, reason};
use crate::meter::Metered;
use crate::plugin::{self, Inspected, Plugin};
use crate::state::{Budget, State};
use crate::ticker::Ticker;
use crate::{compile, engine, info, scan};

/// Plugins described or configurations checked at the same time, apart from attempts.
const CHECKS_AT_ONCE_MAX: u32 = 4;
const GET_INFO: Duration = Duration::from_secs(1);
const GET_INFO_BUDGET: Budget = Budget { cpu: Duration::from_millis(100), call_bytes_max: 64 << 10 };

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
    engine: Engine,
    linker: Linker<State>,
    ticker: Ticker,
    guests: Guests,
    cache: Option<Arc<Cache>>,
    compiler: PathBuf,
    log_level: LogLevel,
    attempts: Arc<Semaphore>,
    checks: Arc<Semaphore>,
    egress: Arc<Egress>,
}

/// The runtime of guests, apart from every other: one that spins delays no door and no broker.
struct Guests {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Guests {
    fn start() -> Result<Self, SandboxError> {
        let runtime = Builder::new_multi_thread()
            .thread_name("guests")
            .enable_time()
            .build()
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle })
    }
}

impl Drop for Guests {
    /// A sandbox may end inside another runtime, which must not wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Sandbox {
    pub fn new(settings: Settings, egress: Arc<Egress>) -> Result<Self, SandboxError> {
        let Settings { cache_dir, compiler, attempts_max, log_level } = settings;
        let engine = engine::for_running(attempts_max.saturating_add(CHECKS_AT_ONCE_MAX))?;
        let linker = plugin::linker(&engine).map_err(|error| SandboxError::engine(&error))?;
        Ok(Self {
            ticker: Ticker::start(&engine)?,
            guests: Guests::start()?,
            cache: cache_dir.and_then(|dir| open_cache(&dir, &engine)),
            compiler,
            log_level,
            attempts: Arc::new(Semaphore::new(attempts_max as usize)),
            checks: Arc::new(Semaphore::new(CHECKS_AT_ONCE_MAX as usize)),
            egress,
            linker,
            engine,
        })
    }

    /// Compiles in a child process, checks imports and exports, and asks for the info with zero grants.
    pub async fn inspect(&self, bytes: &[u8]) -> Result<Inspected, InspectError> {
        let plugin = self.load(bytes).await?;
        let asked = self.run(self.check_permit().await, get_info(plugin.clone(), self.log_level)).await;
        let info = asked.map_err(|failure| InspectError::Failed(ending::failed(failure)))?.0?;
        plugin.inspected(info)
    }

    /// Compiles, or takes the artefact from the cache.
    pub async fn load(&self, bytes: &[u8]) -> Result<Plugin, InspectError> {
        scan::header(bytes)?;
        let digest = Digest::of(bytes);
        if let Some(component) = self.cached(digest).await {
            return Plugin::link(&self.linker, &component, digest, bytes.len());
        }
        let artefact = compile::compile(&self.compiler, bytes).await?;
        let component =
            artefact.load(&self.engine).map_err(|error| InspectError::Compile { reason: reason(&error) })?;
        let plugin = Plugin::link(&self.linker, &component, digest, bytes.len())?;
        self.keep(digest, artefact).await;
        Ok(plugin)
    }

    async fn cached(&self, digest: Digest) -> Option<Component> {
        let cache = Arc::clone(self.cache.as_ref()?);
        let artefact = spawn_blocking(move || cache.get(&digest)).await.ok()??;
        match artefact.load(&self.engine) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(
                    "The cached artefact of {digest} cannot be loaded and will be compiled anew: {}",
                    reason(&error)
                );
                None
            }
        }
    }

    async fn keep(&self, digest: Digest, artefact: Artefact) {
        let Some(cache) = self.cache.clone() else { return };
        if let Ok(Err(error)) = spawn_blocking(move || cache.put(&digest, &artefact)).await {
            tracing::warn!("The artefact of {digest} cannot be kept; it will be compiled again: {error}");
        }
    }

    /// Joins a plugin and a channel. No guest code runs.
    pub fn open(&self, plugin: &Plugin, channel: Channel) -> Result<OpenChannel, EgressError> {
        let egress = self.egress.channel(&channel)?;
        Ok(OpenChannel::new(plugin.clone(), channel, egress))
    }

    /// Runs `set-config` alone, with no power granted.
    pub async fn check_config(&self, channel: &OpenChannel) -> Result<(), ConfigRefusal> {
        let checked =
            self.run(self.check_permit().await, attempt::check_config(channel.clone(), self.log_level)).await;
        checked.map_err(ConfigRefusal::Failed)?.0
    }

    /// One try of a delivery. Dropping the future ends the attempt.
    ///
    /// An attempt that finds its channel busy waits for as long as it may itself take; one that finds the node busy
    /// does not wait, because there the dispatcher decides who is next.
    pub async fn attempt(&self, channel: &OpenChannel, lease: &Lease, mode: Mode) -> Attempt {
        let asked = Instant::now();
        let waited = timeout(channel.channel().limits.attempt, channel.permits().acquire_owned()).await;
        let Ok(Ok(channel_permit)) = waited else {
            return attempt::unstarted(ending::busy("this channel"), asked);
        };
        let Ok(permit) = Arc::clone(&self.attempts).try_acquire_owned() else {
            return attempt::unstarted(ending::busy("this host"), asked);
        };
        let started = Instant::now();
        let guest = attempt::attempt(channel.clone(), lease.clone(), mode, self.log_level, started);
        match self.run((channel_permit, permit), guest).await {
            Ok((mut attempt, cpu)) => {
                attempt.usage.cpu = cpu;
                attempt
            }
            Err(failure) => attempt::unstarted(failure, started),
        }
    }

    /// Makes a store and an instance and drops them; how long that took on the guests' runtime. For benchmarks.
    pub async fn instantiate(&self, channel: &OpenChannel) -> Result<Duration, Failure> {
        self.run(self.check_permit().await, attempt::instantiate(channel.clone(), self.log_level)).await?.0
    }

    async fn check_permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.checks).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Runs a guest on its runtime and measures its CPU. Dropping this ends it, at the next tick if it spins; what is
    /// `held` is given back only then.
    async fn run<T: Send + 'static>(
        &self,
        held: impl Send + 'static,
        guest: impl Future<Output = T> + Send + 'static,
    ) -> Result<(T, Duration), Failure> {
        let held = (held, self.ticker.enter());
        let metered = Metered::new(async move {
            let output = guest.await;
            drop(held);
            output
        });
        let task = AbortOnDropHandle::new(self.guests.handle.spawn(metered));
        task.await.map_err(|error| {
            if error.is_panic() { ending::host_bug() } else { ending::busy("this host, which is stopping,") }
        })
    }
}

fn open_cache(dir: &Path, engine: &Engine) -> Option<Arc<Cache>> {
    match Cache::open(dir, engine::compatibility(engine)) {
        Ok(cache) => Some(Arc::new(cache)),
        Err(error) => {
            tracing::warn!("Compiled plugins are not kept, every start compiles them anew: {error}");
            None
        }
    }
}

async fn get_info(plugin: Plugin, level: LogLevel) -> Result<PluginInfo, InspectError> {
    let limits = Limits::default();
    let deadline = Instant::now() + GET_INFO;
    let mut store = State::new(&limits, level).into_store(plugin.engine(), GET_INFO_BUDGET);
    let asked = async {
        let bindings = attempt::start(&plugin, &mut store, deadline, GET_INFO).await?;
        let call = bindings.sandbell_channel_plugin().call_get_info(&mut store);
        attempt::guarded(Phase::GetInfo, deadline, GET_INFO, call).await
    };
    match asked.await {
        Ok(info) => Ok(info::check(info)?),
        Err(broken) => {
            if let Some(frames) = broken.ending.backtrace() {
                tracing::debug!("The plugin {} broke down in {}", plugin.digest(), escape::line(&frames));
            }
            Err(InspectError::Failed(ending::failed(attempt::failure(&broken, &store, &limits))))
        }
    }
}

#[cfg(test)]
mod tests {
    use sandbell_broker::EgressSettings;

    use super::*;

    fn sandbox() -> Sandbox {
        let egress = Egress::new(
            Handle::current(),
            EgressSettings { user_agent: "tests".to_owned(), now: || jiff::Timestamp::UNIX_EPOCH },
        )
        .unwrap();
        let compiler = PathBuf::from("/nonexistent");
        let settings = Settings { cache_dir: None, compiler, attempts_max: 2, log_level: LogLevel::Info };
        Sandbox::new(settings, Arc::new(egress)).unwrap()
    }

    #[tokio::test]
    async fn a_panic_of_the_host_ends_one_attempt() {
        let sandbox = sandbox();
        let failure =
            sandbox.run((), async { panic!("a fault of ours") }).await.map(|((), _)| ()).unwrap_err();
        assert_eq!(failure.code, "host-bug");
        assert_eq!(sandbox.run((), async { 1 }).await.map(|(one, _)| one), Ok(1));
    }

    #[tokio::test]
    async fn a_sandbox_ends_while_a_guest_runs() {
        let sandbox = Arc::new(sandbox());
        let waiting = timeout(Duration::from_millis(20), sandbox.run((), std::future::pending::<()>())).await;
        assert!(waiting.is_err());
        drop(sandbox);
    }
}
