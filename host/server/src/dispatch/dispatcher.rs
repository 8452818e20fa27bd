//! The loop: as long as there is room, whatever is due is leased and tried.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::DefaultClock;
use jiff::Timestamp;
use sandbell_domain::{ChannelId, TenantId};
use sandbell_store::{LeaseRequest, Leases, Outbox as _, StoreError, Tries};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::permits::{Max, Permits, Room};
use super::rate::Rates;
use crate::node::Node;

/// How long the loop sleeps at most: somebody else may have written, and clocks jump.
const POLL: Duration = Duration::from_secs(5);

/// After the store failed.
const FAILED: Duration = Duration::from_secs(1);

pub(crate) struct Dispatcher {
    pub(super) node: Arc<Node>,
    permits: Permits,
    pub(super) channel_rates: Rates<ChannelId, DefaultClock>,
    pub(super) tenant_rates: Rates<TenantId, DefaultClock>,
    /// Tenants whose measure is used up, until then.
    paused: Mutex<HashMap<TenantId, Timestamp>>,
    hold: Duration,
    tenant_max: NonZeroUsize,
    tracker: TaskTracker,
    /// Ends what is running at once.
    pub(super) abort: CancellationToken,
}

impl Dispatcher {
    pub(crate) fn new(node: Arc<Node>) -> Arc<Self> {
        let dispatch = node.settings().dispatch.clone();
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let max = Max {
            attempts: count(dispatch.attempts_max.get()),
            tenant: count(dispatch.tenant_attempts_max.get()),
            reserved_first: count(dispatch.reserved_first),
        };
        Arc::new(Self {
            permits: Permits::new(max),
            channel_rates: Rates::new(DefaultClock::default()),
            tenant_rates: Rates::new(DefaultClock::default()),
            paused: Mutex::default(),
            hold: dispatch.hold(),
            tenant_max: NonZeroUsize::new(max.tenant).unwrap_or(NonZeroUsize::MIN),
            tracker: TaskTracker::new(),
            abort: CancellationToken::new(),
            node,
        })
    }

    /// Leases and tries until `stop`; returns when everything that it had begun is settled, or after `abort`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.node.pulse.beat();
            let waits = match self.permits.room() {
                Some(room) => self.turn(&room).await,
                None => Waits { until: None, for_room: true, for_work: false },
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wait(waits) => {}
            }
        }
        self.tracker.close();
        let running = self.tracker.len();
        if running > 0 {
            info!("waiting for {running} attempts that are running");
        }
        tokio::select! {
            () = self.tracker.wait() => {}
            () = self.beat() => {}
        }
    }

    /// Ends what is running; what was not settled is tried again later.
    pub(crate) fn abort(&self) {
        self.abort.cancel();
    }

    /// What is running keeps the loop alive while it stops.
    async fn beat(&self) {
        loop {
            self.node.pulse.beat();
            sleep(POLL).await;
        }
    }

    /// Leases what there is room for, and starts it.
    async fn turn(self: &Arc<Self>, room: &Room) -> Waits {
        let rooms = self.rooms();
        let is_short = room.tries == Tries::First || rooms.iter().any(|(_, room)| *room == 0);
        let request = LeaseRequest {
            now: self.node.clock.now(),
            hold: self.hold,
            count_max: room.count_max,
            tries: room.tries,
            tenant_max: self.tenant_max,
            rooms,
        };
        let Leases { leases, next_at } = match self.node.store.lease(request).await {
            Ok(leases) => leases,
            Err(error) => return self.failed(&error).await,
        };
        self.node.pulse.worked();
        let is_full = leases.len() == room.count_max.get();
        for leased in leases {
            let permit = self.permits.take(leased.lease.delivery.tenant, room.tries);
            let this = Arc::clone(self);
            self.tracker.spawn(async move { this.deliver(leased, permit).await });
        }
        if is_full {
            // There may be more, and there may be room for it.
            return Waits { until: Some(Duration::ZERO), for_room: false, for_work: false };
        }
        let until = next_at.map(|at| self.until(at));
        let resumed = self.next_resumed().map(|at| self.until(at));
        Waits { until: [until, resumed].into_iter().flatten().min(), for_room: is_short, for_work: true }
    }

    async fn failed(&self, error: &StoreError) -> Waits {
        warn!("nothing can be leased: {error}");
        self.node.pulse.failed(error);
        sleep(FAILED).await;
        Waits { until: Some(Duration::ZERO), for_room: false, for_work: false }
    }

    async fn wait(&self, waits: Waits) {
        let Waits { until, for_room, for_work } = waits;
        tokio::select! {
            () = self.node.store.ready(), if for_work => {}
            () = self.permits.freed(), if for_room => {}
            () = sleep(until.unwrap_or(POLL).min(POLL)) => {}
        }
    }

    fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.node.clock.now())).unwrap_or(Duration::ZERO)
    }

    /// What tenants may still get: nothing, while they are paused.
    fn rooms(&self) -> Vec<(TenantId, usize)> {
        let now = self.node.clock.now();
        let mut rooms = self.permits.rooms();
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.retain(|_, until| *until > now);
        rooms.retain(|(tenant, _)| !paused.contains_key(tenant));
        rooms.extend(paused.keys().map(|tenant| (*tenant, 0)));
        rooms
    }

    pub(super) fn pause(&self, tenant: TenantId, until: Timestamp) {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, until);
    }

    fn next_resumed(&self) -> Option<Timestamp> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).values().min().copied()
    }
}

/// What the loop waits for before it leases again.
struct Waits {
    until: Option<Duration>,
    /// For a permit: what is due now may be for those who have none left.
    for_room: bool,
    /// For something to do.
    for_work: bool,
}
