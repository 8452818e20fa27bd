//! The entrance: who gets a notification is decided, and what follows is kept before anybody is told yes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use sandbell_domain::{Candidate, Delivery, DeliveryId, Notification, RouteError, Target, TenantId, fan_out};
use sandbell_store::{ChannelRecord, Enabled, Outbox as _, Status, StoreError};

use crate::clock::Clock;
use crate::install::PluginName;
use crate::metrics::{Metrics, Received};
use crate::pulse::Pulse;
use crate::roster::{Channels, Roster};
use crate::runner::Runner;
use crate::store::Store;

pub(crate) struct Intake {
    pub(crate) store: Store,
    pub(crate) roster: Arc<Roster>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) clock: Clock,
}

/// What was accepted: it is on the disk.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// For each notification, in order, what it became.
    pub(crate) deliveries: Vec<Vec<Delivery>>,
    /// Deliveries that had not been accepted before.
    pub(crate) new: usize,
}

/// Why nothing was accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    /// `index` is the place of the notification in what was handed in.
    #[error("{error}")]
    Route {
        index: usize,
        #[source]
        error: RouteError,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Intake {
    /// Accepts all or none. When it returns, what it returns is durable.
    pub(crate) async fn accept(
        &self,
        tenant: TenantId,
        notifications: Vec<(Notification, Target)>,
    ) -> Result<Accepted, IntakeError> {
        let count = notifications.len() as u64;
        let accepted = self.try_accept(tenant, notifications).await;
        let received = match &accepted {
            Ok(Accepted { new: 1.., .. }) => Received::Accepted,
            Ok(Accepted { new: 0, .. }) => Received::Duplicate,
            Err(_) => Received::Rejected,
        };
        self.metrics.received(received, count);
        if let Err(IntakeError::Store(error)) = &accepted
            && error.is_passing()
        {
            self.pulse.failed(error);
        }
        accepted
    }

    async fn try_accept(
        &self,
        tenant: TenantId,
        notifications: Vec<(Notification, Target)>,
    ) -> Result<Accepted, IntakeError> {
        let channels = self.roster.channels(tenant).await?;
        let needs_kinds = notifications.iter().any(|(_, target)| *target == Target::ByAddress);
        let reachable = self.reachable(&channels, needs_kinds).await;
        let mut deliveries = Vec::with_capacity(notifications.len());
        for (index, (notification, target)) in notifications.into_iter().enumerate() {
            // What is named gets its delivery, which waits while the channel is disabled; an address means those that work.
            let is_meant =
                |channel: &ChannelRecord| target != Target::ByAddress || channel.enabled == Enabled::Yes;
            let candidates = reachable
                .iter()
                .filter(|(channel, _)| is_meant(channel))
                .map(|(channel, kinds)| Candidate { id: channel.id, address_kinds: kinds });
            let routed = fan_out(&Arc::new(notification), &target, candidates);
            deliveries.push(routed.map_err(|error| IntakeError::Route { index, error })?);
        }
        let all: Vec<Delivery> = deliveries.iter().flatten().cloned().collect();
        let new = self.store.accept(all, self.clock.now()).await?.new;
        Ok(Accepted { deliveries, new })
    }

    /// Channels and the kinds of addresses that they take. A plugin that cannot be read reaches nobody by
    /// address; named, it still gets its deliveries, which say what is wrong.
    async fn reachable<'a>(
        &self,
        channels: &'a Channels,
        needs_kinds: bool,
    ) -> Vec<(&'a ChannelRecord, Vec<String>)> {
        let mut reachable = Vec::with_capacity(channels.iter().len());
        for channel in channels.iter() {
            let mut kinds = Vec::new();
            if needs_kinds && let Ok(name) = channel.plugin.parse::<PluginName>() {
                if let Ok(info) = self.runner.info(&name).await {
                    kinds.clone_from(&info.address_types);
                }
                kinds.push(channel.plugin.clone());
            }
            reachable.push((&**channel, kinds));
        }
        reachable
    }

    /// How these deliveries stand once they are settled, or when `limit` is over.
    pub(crate) async fn wait(
        &self,
        tenant: TenantId,
        deliveries: &[DeliveryId],
        limit: Duration,
    ) -> Result<Vec<Status>, StoreError> {
        let waits = deliveries.iter().map(|delivery| self.store.wait(tenant, *delivery, limit));
        Ok(try_join_all(waits).await?.into_iter().flatten().collect())
    }
}
