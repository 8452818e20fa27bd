//! A serving host, from its settings to its end: joins the parts, follows signals, stops in order.

mod lock; // one serving host for each state directory
mod parts; // settings become a node
mod reload; // new settings, all of them or none
mod tls; // the API's certificate

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::chores;
use crate::config::{Address, Config, Listen, LoadError, LogFormat, Settings};
use crate::dispatch::Dispatcher;
use crate::doors;
use crate::engine::EngineError;
use crate::install::{State, StateError};
use crate::listen::{ListenError, Listening, Open};
use crate::node::Node;
use crate::telemetry::{self, BadFilter, Form};
use crate::vault::{KeySources, VaultError};
pub(crate) use lock::{LockError, ServeLock};
use parts::Parts;
use reload::Reload;
use tls::TlsFileError;

/// How long callers may take to read what they were being answered.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a serving host is made of.
pub(crate) struct Serve {
    pub(crate) config: Config,
    /// Reads the settings anew, at the start and at each reload.
    pub(crate) load: Box<dyn Fn() -> Result<Settings, LoadError> + Send + Sync>,
    /// `$CREDENTIALS_DIRECTORY` and `$SANDBELL_KEY`; the rest is added here.
    pub(crate) keys: KeySources,
    /// Whether stderr is read by journald.
    pub(crate) has_journal: bool,
}

/// Why a host does not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Settings(#[from] LoadError),
    #[error(transparent)]
    Filter(#[from] BadFilter),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] sandbell_store::StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Tls(#[from] TlsFileError),
    #[error("signals cannot be followed: {0}")]
    Signals(io::Error),
}

impl Serve {
    /// Serves until it is told to stop. Returns at once if it cannot.
    pub(crate) fn run(self) -> Result<(), ServeError> {
        let settings = (self.load)()?;
        let form = match settings.log.format {
            LogFormat::Auto => telemetry::form_of_stderr(self.has_journal),
            LogFormat::Pretty => Form::Pretty,
            LogFormat::Journald => Form::Journald,
            LogFormat::Json => Form::Json,
        };
        let filter = telemetry::of_host(form, &settings.log.filter)?;
        raise_file_limit();
        let state = State::open_or_create(&self.config.state_dir)?;
        let _lock = ServeLock::take(state.dir())?;
        let tls = tls::read(&settings.listen)?;
        let parts = Parts::make(&self.config, &self.keys, state, settings)?;
        let reload = Reload { load: self.load, filter };
        parts.engine.block_on(serve(&parts, reload, tls))?
    }
}

/// Every connection is a file; the usual limit is for programs that have few.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!("the limit of open files stays {:?}: {error}", limit.current);
    }
}

async fn serve(parts: &Parts, reload: Reload, tls: tls::Current) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(ServeError::Signals)?;
    let (node, mut settings) = parts.node().await?;
    let (tls, tls_now) = tokio::sync::watch::channel(tls);
    let connections = TaskTracker::new();
    listen(&node, &connections, tls_now).await?;

    let (dispatcher, chores) = (Dispatcher::new(Arc::clone(&node)), TaskTracker::new());
    let stop_chores = CancellationToken::new();
    chores.spawn(chores::forget(Arc::clone(&node), stop_chores.clone()));
    chores.spawn(chores::measure(Arc::clone(&node), stop_chores.clone()));
    let dispatching = TaskTracker::new();
    dispatching.spawn(Arc::clone(&dispatcher).run(node.stop.clone()));
    let watchdog = chores::watchdog(Arc::clone(&node));
    tokio::pin!(watchdog);
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status("serving")]);
    info!(version = env!("CARGO_PKG_VERSION"), "sandbell serves");

    let work = async {
        while signals.next().await == Told::Reload {
            tell_reloading();
            reload.follow(&node, &mut settings, &tls);
            let _ = sd_notify::notify(&[NotifyState::Ready]);
        }
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        info!("stopping: nothing more is taken; a second signal ends at once");
        node.stop.cancel();
        connections.close();
        dispatching.close();
        chores.close();
        stop_chores.cancel();
        finish(&mut signals, &dispatcher, &dispatching, node.settings().dispatch.stop).await;
        // Answers that were begun have been written by now, unless their readers are slow.
        let _ = timeout(FAREWELL, async { tokio::join!(connections.wait(), chores.wait()) }).await;
        // Who finds no socket knows that nobody serves.
        let Listen { socket, icinga_socket, .. } = &node.settings().listen;
        for socket in [socket, icinga_socket] {
            let _ = std::fs::remove_file(node.state.dir().join(socket));
        }
        let database = node.state.dir().join(&node.settings().store.path);
        let folded = tokio::task::spawn_blocking(move || sandbell_store::fold_file(&database)).await;
        if let Ok(Err(error)) = folded {
            warn!("the log of the database stays beside it, and belongs to it: {error}");
        }
        info!("stopped");
    };
    tokio::select! {
        () = work => {}
        () = watchdog.as_mut(), if sd_notify::watchdog_enabled().is_some() => {}
    }
    Ok(())
}

/// Waits for what is in flight; a second signal or the end of patience ends it.
async fn finish(signals: &mut Signals, dispatcher: &Dispatcher, dispatching: &TaskTracker, limit: Duration) {
    let stopped = async {
        loop {
            if signals.next().await == Told::Stop {
                return;
            }
        }
    };
    tokio::select! {
        () = dispatching.wait() => return,
        () = stopped => warn!("told again: what is running is given back and tried again later"),
        () = tokio::time::sleep(limit) => {
            warn!("what is running did not end within {} s; it is given back", limit.as_secs());
        }
    }
    dispatcher.abort();
    let _ = timeout(FAREWELL, dispatching.wait()).await;
}

async fn listen(
    node: &Arc<Node>,
    connections: &TaskTracker,
    tls: crate::listen::Tls,
) -> Result<(), ServeError> {
    let settings = node.settings();
    let listening = |router| {
        Listening::new(router, settings.limits.connections_max, node.stop.clone(), connections.clone())
    };
    let (_none, never_tls) = tokio::sync::watch::channel(None);
    let api = doors::rest::router(Arc::clone(node));
    if let Address::At(address) = settings.listen.ops {
        let ops = doors::ops::router(Arc::clone(node));
        let taken = listening(ops).tcp("ops", address, never_tls).await?;
        info!(address = %taken, listener = "ops", "/livez, /readyz and /metrics are at {taken}");
    }
    if let Address::At(address) = settings.listen.api {
        let is_tls = tls.borrow().is_some();
        let taken = listening(api.clone()).tcp("api", address, tls).await?;
        let scheme = if is_tls { "https" } else { "http" };
        info!(address = %taken, listener = "api", "the API is at {scheme}://{taken}");
    }
    let socket = node.state.dir().join(&settings.listen.socket);
    listening(api).unix(&socket, Open::ToOwner)?;
    info!(socket = %socket.display(), listener = "socket", "the command line reaches this host at {}", socket.display());
    let socket = node.state.dir().join(&settings.listen.icinga_socket);
    listening(doors::icinga::router(Arc::clone(node))).unix(&socket, Open::ToAll)?;
    info!(socket = %socket.display(), listener = "icinga", "linked channels of Icinga reach this host at {}", socket.display());
    Ok(())
}

/// systemd since 253 wants to know since when.
fn tell_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(since) => drop(sd_notify::notify(&[NotifyState::Reloading, since])),
        Err(_) => drop(sd_notify::notify(&[NotifyState::Reloading])),
    }
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }
}
