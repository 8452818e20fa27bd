//! What a serving host does from time to time: forget what is old, measure what nobody else does, say that it lives.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use sandbell_store::{Outbox as _, Pruned, Retention};
use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::node::Node;

/// How often sizes are looked at.
const MEASURE: Duration = Duration::from_secs(10);

/// Between two steps of forgetting, so that deliveries come first.
const BREATH: Duration = Duration::from_millis(50);

/// Deliveries of one step.
const STEP_MAX: NonZeroUsize = NonZeroUsize::new(500).expect("500 is not 0");

/// Forgets what is settled and old, in small steps, until `stop`.
pub(crate) async fn forget(node: Arc<Node>, stop: CancellationToken) {
    loop {
        let wait = match step(&node).await {
            Some(Pruned { has_more: true, .. }) => BREATH,
            Some(Pruned { has_more: false, .. }) | None => node.settings().retention.every,
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(wait) => {}
        }
    }
}

async fn step(node: &Node) -> Option<Pruned> {
    let settings = node.settings();
    let retention = Retention {
        delivered: settings.retention.delivered,
        dead: settings.retention.dead,
        step_max: STEP_MAX,
    };
    match node.store.prune(retention, node.clock.now()).await {
        Ok(pruned) => {
            if pruned.deliveries > 0 {
                debug!("{} old deliveries are forgotten", pruned.deliveries);
            }
            Some(pruned)
        }
        Err(error) => {
            warn!("old deliveries cannot be forgotten: {error}");
            None
        }
    }
}

/// Keeps the gauges that nobody else sets, until `stop`.
pub(crate) async fn measure(node: Arc<Node>, stop: CancellationToken) {
    let mut ticks = interval(MEASURE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let size = tokio::fs::metadata(&node.database).await.map_or(0, |metadata| metadata.len());
        node.metrics.db_size_bytes.set(i64::try_from(size).unwrap_or(i64::MAX));
        match node.store.totals().await {
            Ok(totals) => node.metrics.queue(&totals, node.clock.now()),
            Err(error) => warn!("the queue cannot be measured: {error}"),
        }
        node.metrics.channels_open.set(i64::try_from(node.runner.open_count()).unwrap_or(i64::MAX));
    }
}

/// Tells systemd that the dispatcher turns, if it asked to be told. It goes on while the host stops.
pub(crate) async fn watchdog(node: Arc<Node>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = interval(limit / 2);
    loop {
        ticks.tick().await;
        if node.pulse.is_alive() {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}
