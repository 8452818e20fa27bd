//! A serving host: what its doors are given.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::circuits::Circuits;
use crate::clock::Clock;
use crate::config::Settings;
use crate::events::Events;
use crate::install::State;
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::pulse::Pulse;
use crate::roster::Roster;
use crate::runner::Runner;
use crate::store::Store;
use crate::vault::Vault;

/// The parts of a serving host that a door may use. Doors and the dispatcher never meet here: what one leaves in the
/// outbox, the other finds there.
pub(crate) struct Node {
    pub(crate) store: Store,
    /// Installed plugins and their approvals.
    pub(crate) state: State,
    pub(crate) vault: Arc<Vault>,
    /// The catalog in memory; whoever changes the catalog tells it.
    pub(crate) roster: Arc<Roster>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) intake: Intake,
    /// What the dispatcher has learnt of destinations.
    pub(crate) circuits: Arc<Circuits>,
    pub(crate) events: Events,
    /// Whether the dispatcher still turns.
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    /// Cancelled when the host stops: long answers end.
    pub(crate) stop: CancellationToken,
    pub(crate) settings: watch::Receiver<Arc<Settings>>,
    /// The database file, for those who look at its size.
    pub(crate) database: PathBuf,
    pub(crate) started_at: Timestamp,
}

impl Node {
    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.borrow())
    }
}
