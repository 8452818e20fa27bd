//! Settings become a node: the state, the keys, the store, the engine.

use std::sync::Arc;
use std::thread;

use sandbell_domain::{LogLevel, Tenant};
use sandbell_store::{Actor, Catalog as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::ServeError;
use crate::circuits::Circuits;
use crate::clock::Clock;
use crate::config::{Config, Settings};
use crate::engine::{Engine, Size};
use crate::events::Events;
use crate::install::State;
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::pulse::Pulse;
use crate::roster::Roster;
use crate::runner::{Runner, TESTS_AT_ONCE_MAX};
use crate::store::Store;
use crate::vault::{KeyOrigin, KeySources, Vault};

/// What is opened before anything runs.
pub(super) struct Parts {
    pub(super) engine: Engine,
    state: State,
    vault: Arc<Vault>,
    store: Store,
    settings: Settings,
}

impl Parts {
    /// Opens the keys before the store: a store is new only as long as there is none.
    pub(super) fn make(
        config: &Config,
        keys: &KeySources,
        state: State,
        settings: Settings,
    ) -> Result<Self, ServeError> {
        let database = state.dir().join(&settings.store.path);
        let sources = KeySources {
            file: settings.keys.file.clone(),
            state_dir: state.dir().to_owned(),
            ..keys.clone()
        };
        let (vault, origin) = Vault::open(&sources, !database.exists())?;
        match origin {
            KeyOrigin::Made(path) => warn!(
                "a key for secrets was made: {}; keep a copy where no backup of the database lies",
                path.display()
            ),
            KeyOrigin::File(path) => info!("secrets are sealed with the key in {}", path.display()),
            KeyOrigin::Environment => info!("secrets are sealed with the key in $SANDBELL_KEY"),
        }
        let mut of_store = sandbell_store::Settings::new(database);
        of_store.file_bytes_max = settings.store.file_bytes_max;
        let store = Store::open(of_store)?;
        let size = Size {
            // The sandbox refuses what the dispatcher did not count, so it has room for all of that and for tests.
            attempts_max: settings.dispatch.attempts_max.get().saturating_add(TESTS_AT_ONCE_MAX),
            io_threads: thread::available_parallelism().map_or(2, |count| count.get().max(2)),
        };
        let engine = Engine::new(config.program.clone(), Some(state.cache_dir()), LogLevel::Info, size);
        Ok(Self { engine, state, vault: Arc::new(vault), store, settings })
    }

    /// Joins them. The keys are tried before anything is served.
    pub(super) async fn node(&self) -> Result<(Arc<Node>, watch::Sender<Arc<Settings>>), ServeError> {
        let Self { engine, state, vault, store, settings } = self;
        vault.check(store).await?;
        let clock = Clock;
        let started_at = clock.now();
        let local = Tenant::new(Tenant::LOCAL.parse().expect("`local` is a name"), started_at);
        store.create_tenant(local, Actor("sandbell".to_owned())).await?;
        // The lock of the state directory is ours, so whoever held a lease is gone.
        let lost = store.take_back_leases(started_at).await?;
        if lost > 0 {
            info!("{lost} deliveries were being tried when the host ended; they are tried again");
        }
        let roster = Arc::new(Roster::new(store.clone()));
        let sandbox = Arc::clone(engine.sandbox()?);
        let runner =
            Arc::new(Runner::new(state.clone(), sandbox, Arc::clone(vault), settings.dispatch.attempt));
        let metrics = Arc::new(Metrics::new(started_at));
        let pulse = Arc::new(Pulse::new());
        let intake = Intake {
            store: store.clone(),
            roster: Arc::clone(&roster),
            runner: Arc::clone(&runner),
            metrics: Arc::clone(&metrics),
            pulse: Arc::clone(&pulse),
            clock,
        };
        let database = state.dir().join(&settings.store.path);
        let (sender, settings) = watch::channel(Arc::new(settings.clone()));
        let node = Node {
            store: store.clone(),
            state: state.clone(),
            vault: Arc::clone(vault),
            roster,
            runner,
            intake,
            circuits: Arc::new(Circuits::new()),
            events: Events::new(),
            pulse,
            metrics,
            clock,
            stop: CancellationToken::new(),
            settings,
            database,
            started_at,
        };
        Ok((Arc::new(node), sender))
    }
}
