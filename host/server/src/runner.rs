//! From a channel as it is kept to an attempt: compiled plugins are shared, open channels are kept while they are used.
//!
//! Invariant: what an operator took back is not used by the next attempt: each one looks whether the plugin's files are
//! still those that its channel was opened with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sandbell_domain::{
    Attempt, Channel, ChannelId, ChannelPolicy, Failure, FailureKind, Lease, Limits, Mode, Outcome,
    PluginInfo, TenantId, Usage,
};
use sandbell_sandbox::{ConfigRefusal, InspectError, OpenChannel, Plugin, Sandbox};
use sandbell_store::ChannelRecord;
use serde_json::Value as Json;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::install::{Approved, BadName, Configured, PluginName, PrepareError, Stamp, State, StateError};
use crate::kept::Kept;
use crate::vault::{Vault, VaultError};

/// Channels whose connections stay open between attempts; those used longest ago are closed first.
const OPEN_MAX: usize = 1_024;

/// Attempts that run beside those that the dispatcher started: tests of a channel.
pub(crate) const TESTS_AT_ONCE_MAX: u32 = 8;

pub(crate) struct Runner {
    state: State,
    sandbox: Arc<Sandbox>,
    vault: Arc<Vault>,
    /// Wall clock of one attempt, unless the channel says less.
    attempt: Duration,
    plugins: Mutex<BTreeMap<PluginName, Arc<OnShelf>>>,
    open: Mutex<Kept<ChannelId, Opened>>,
}

/// What runs under a name, since its files were last replaced.
struct OnShelf {
    stamp: Stamp,
    ready: OnceCell<Arc<Ready>>,
    info: OnceCell<Arc<PluginInfo>>,
}

/// Approved and compiled.
struct Ready {
    approved: Approved,
    plugin: Plugin,
}

/// An open channel, and what it was made of.
struct Opened {
    revision: u32,
    of: Arc<OnShelf>,
    channel: OpenChannel,
}

/// Why there is no channel to try a delivery with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("plugin `{0}` cannot be loaded: {1}")]
    Plugin(PluginName, InspectError),
    #[error("the channel cannot be opened: {0}")]
    Egress(String),
    #[error("the host failed to read its state directory: {0}")]
    Host(String),
}

impl OpenError {
    /// What it means for a delivery: whose move it is.
    fn failure(&self) -> Failure {
        use FailureKind as K;
        use InspectError as I;
        let (kind, code) = match self {
            Self::Name(_) | Self::Prepare(PrepareError::State(StateError::NotInstalled(_))) => {
                (K::Misconfigured, "plugin-not-installed")
            }
            Self::Prepare(PrepareError::NotApproved(_)) => (K::Misconfigured, "plugin-not-approved"),
            Self::Prepare(PrepareError::Config(_)) => (K::Misconfigured, "config"),
            Self::Prepare(PrepareError::Tls(_)) | Self::Egress(_) => (K::Misconfigured, "tls"),
            Self::Prepare(PrepareError::State(_))
            | Self::Vault(VaultError::Store(_))
            | Self::Plugin(_, I::Compiler { .. } | I::HostBug { .. } | I::CompileTime { .. })
            | Self::Host(_) => (K::Transient, "host"),
            Self::Vault(_) => (K::Misconfigured, "secret"),
            Self::Plugin(..) => (K::Misconfigured, "plugin-broken"),
        };
        Failure { kind, code: code.to_owned(), detail: self.to_string(), retry_after: None }
    }
}

impl Runner {
    pub(crate) fn new(state: State, sandbox: Arc<Sandbox>, vault: Arc<Vault>, attempt: Duration) -> Self {
        Self {
            state,
            sandbox,
            vault,
            attempt,
            plugins: Mutex::default(),
            open: Mutex::new(Kept::new(OPEN_MAX)),
        }
    }

    /// One try. A channel that cannot be opened is a failed one.
    pub(crate) async fn run(&self, record: &ChannelRecord, lease: &Lease, mode: Mode) -> Attempt {
        match self.open_saved(record).await {
            Ok(channel) => self.sandbox.attempt(&channel, lease, mode).await,
            Err(error) => Attempt {
                outcome: Outcome::Failed(error.failure()),
                exchanges: Vec::new(),
                log: Vec::new(),
                usage: Usage::default(),
            },
        }
    }

    /// As [`Self::run`], with a channel that was opened by [`Self::open`].
    pub(crate) async fn run_open(&self, channel: &OpenChannel, lease: &Lease, mode: Mode) -> Attempt {
        self.sandbox.attempt(channel, lease, mode).await
    }

    /// Whether the plugin takes this configuration. It is granted nothing meanwhile.
    pub(crate) async fn check(&self, channel: &OpenChannel) -> Result<(), ConfigRefusal> {
        self.sandbox.check_config(channel).await
    }

    /// The channel as it was saved, open since its last attempt if nothing changed.
    pub(crate) async fn open_saved(&self, record: &ChannelRecord) -> Result<OpenChannel, OpenError> {
        let name: PluginName = record.plugin.parse()?;
        let on_shelf = self.on_shelf(&name);
        if let Some(opened) = lock(&self.open).get(&record.id)
            && opened.revision == record.revision
            && Arc::ptr_eq(&opened.of, &on_shelf)
        {
            return Ok(opened.channel.clone());
        }
        let config = self.vault.unsealed(record)?;
        let channel =
            self.open_with(&on_shelf, record.tenant, record.id, &name, &config, &record.policy).await?;
        let opened = Opened { revision: record.revision, of: on_shelf, channel: channel.clone() };
        lock(&self.open).insert(record.id, opened);
        Ok(channel)
    }

    /// A channel that is not saved yet, or not like this; its connections end with what is returned.
    pub(crate) async fn open(
        &self,
        tenant: TenantId,
        id: ChannelId,
        plugin: &PluginName,
        config: &Json,
        policy: &ChannelPolicy,
    ) -> Result<OpenChannel, OpenError> {
        let on_shelf = self.on_shelf(plugin);
        self.open_with(&on_shelf, tenant, id, plugin, config, policy).await
    }

    /// What the plugin that runs under this name said of itself; it needs no approval to be looked at.
    pub(crate) async fn info(&self, name: &PluginName) -> Result<Arc<PluginInfo>, StateError> {
        let on_shelf = self.on_shelf(name);
        let info = on_shelf.info.get_or_try_init(|| async {
            let (state, name) = (self.state.clone(), name.clone());
            let info = spawn_blocking(move || state.running_info(&name));
            info.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())).map(Arc::new)
        });
        info.await.cloned()
    }

    /// The sandbox, for those who inspect a component.
    pub(crate) fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// Opens everything anew, certificate files included.
    pub(crate) fn forget_all(&self) {
        lock(&self.plugins).clear();
        lock(&self.open).clear();
    }

    /// How many channels are open.
    pub(crate) fn open_count(&self) -> usize {
        lock(&self.open).len()
    }

    async fn open_with(
        &self,
        on_shelf: &OnShelf,
        tenant: TenantId,
        id: ChannelId,
        name: &PluginName,
        config: &Json,
        policy: &ChannelPolicy,
    ) -> Result<OpenChannel, OpenError> {
        let ready = on_shelf.ready.get_or_try_init(|| self.load(name)).await?;
        let Configured { config, grants, attempt } =
            ready.approved.configure(config).map_err(PrepareError::from)?;
        let limits = Limits {
            attempt: attempt.map_or(self.attempt, |attempt| attempt.min(self.attempt)),
            // The outbox gives no more leases than the policy says; tests come on top of them.
            attempts_at_once_max: (policy.attempts_at_once_max.get().saturating_add(TESTS_AT_ONCE_MAX))
                as usize,
            ..Limits::default()
        };
        let plugin = ready.plugin.digest();
        let channel = Channel { id, tenant, kind: name.to_string(), plugin, config, grants, limits };
        self.sandbox.open(&ready.plugin, channel).map_err(|error| OpenError::Egress(error.to_string()))
    }

    async fn load(&self, name: &PluginName) -> Result<Arc<Ready>, OpenError> {
        let (state, of) = (self.state.clone(), name.clone());
        let read = spawn_blocking(move || -> Result<_, PrepareError> {
            let approved = Approved::read(&state, &of)?;
            let bytes = state.bytes(&approved.approval.digest)?;
            Ok((approved, bytes))
        });
        let (approved, bytes) = read.await.map_err(|error| OpenError::Host(error.to_string()))??;
        let plugin = self.sandbox.load(&bytes).await;
        let plugin = plugin.map_err(|error| OpenError::Plugin(name.clone(), error))?;
        Ok(Arc::new(Ready { approved, plugin }))
    }

    /// The same as long as the plugin's files are the same.
    fn on_shelf(&self, name: &PluginName) -> Arc<OnShelf> {
        let stamp = self.state.stamp(name);
        let mut plugins = lock(&self.plugins);
        if let Some(on_shelf) = plugins.get(name)
            && on_shelf.stamp == stamp
        {
            return Arc::clone(on_shelf);
        }
        let fresh = Arc::new(OnShelf { stamp, ready: OnceCell::new(), info: OnceCell::new() });
        plugins.insert(name.clone(), Arc::clone(&fresh));
        fresh
    }
}

/// What is behind the lock is replaced as a whole, so a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
