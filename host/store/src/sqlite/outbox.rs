//! The engine behind the outbox: what a call prepares, hands to a thread, and gives back.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sandbell_domain::{Attempt, ChannelId, Delivery, DeliveryId, NotificationId, TenantId, Verdict};
use tokio::time::{Instant, sleep_until};

use super::read;
use super::store::SqliteStore;
use super::{accept, channel, follow, lease, overview, prune, redrive, settle};
use crate::{
    Accepted, AttemptRecord, Cancelled, ChannelState, Cursor, Filter, Followed, LeaseRequest, Leased, Leases,
    Outbox, Pace, Page, Pruned, Redrive, Retention, Settled, Status, StoreError, Totals,
};

/// How long a waiter trusts that nobody but this process settles.
const POLL: Duration = Duration::from_millis(500);

impl Outbox for SqliteStore {
    async fn accept(&self, deliveries: Vec<Delivery>, now: Timestamp) -> Result<Accepted, StoreError> {
        let prepared: Vec<_> = deliveries.into_iter().map(accept::prepare).collect();
        self.writer.write(move |desk| accept::accept(desk, &prepared, now)).await?
    }

    async fn lease(&self, request: LeaseRequest) -> Result<Leases, StoreError> {
        self.writer.write(move |desk| lease::lease(desk, &request)).await
    }

    async fn settle(
        &self,
        lease: &Leased,
        attempt: Attempt,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let prepared = settle::prepare(lease, attempt, verdict);
        self.writer.write(move |desk| settle::settle(desk, &prepared, now)).await
    }

    async fn postpone(
        &self,
        lease: &Leased,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let (delivery, claim) = (lease.lease.delivery.id, lease.claim);
        self.writer.write(move |desk| settle::postpone(desk, delivery, claim, until, now)).await
    }

    async fn set_pace(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        pace: Pace,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.write(move |desk| channel::set_pace(desk, tenant, channel, pace, now)).await
    }

    async fn hold(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.write(move |desk| channel::hold(desk, tenant, channel, until, now)).await
    }

    async fn redrive(&self, tenant: TenantId, which: Redrive, now: Timestamp) -> Result<u64, StoreError> {
        let filter = match which {
            Redrive::One(delivery) => {
                return self.writer.write(move |desk| redrive::one(desk, tenant, delivery, now)).await;
            }
            Redrive::Matching(filter) => Arc::new(filter),
        };
        let (mut count, mut next) = (0, Some(0));
        while let Some(after) = next {
            let filter = Arc::clone(&filter);
            let step =
                self.writer.write(move |desk| redrive::matching(desk, tenant, &filter, after, now)).await?;
            count += step.count;
            next = step.next;
        }
        Ok(count)
    }

    async fn cancel(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Cancelled, StoreError> {
        self.writer.write(move |desk| redrive::cancel(desk, tenant, delivery, now)).await
    }

    async fn wait(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
        limit: Duration,
    ) -> Result<Option<Status>, StoreError> {
        let ends_at = Instant::now() + limit;
        let place = self.waiting.join(delivery);
        loop {
            // Created before the file is read: a settlement in between is not missed.
            let told = place.told();
            let status = self.status(tenant, delivery).await?;
            let now = Instant::now();
            if status.as_ref().is_none_or(|status| status.state.is_settled()) || now >= ends_at {
                return Ok(status);
            }
            tokio::select! {
                () = told => {}
                () = sleep_until(ends_at.min(now + POLL)) => {}
            }
        }
    }

    async fn ready(&self) {
        self.work.notified().await;
    }

    async fn status(&self, tenant: TenantId, delivery: DeliveryId) -> Result<Option<Status>, StoreError> {
        self.readers.read(move |connection| read::status(connection, tenant, delivery)).await
    }

    async fn of_notification(
        &self,
        tenant: TenantId,
        notification: NotificationId,
    ) -> Result<Vec<Status>, StoreError> {
        self.readers.read(move |connection| read::of_notification(connection, tenant, notification)).await
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: Filter,
        after: Option<Cursor>,
        count_max: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        self.readers.read(move |connection| read::list(connection, tenant, &filter, after, count_max)).await
    }

    async fn attempts(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
    ) -> Result<Vec<AttemptRecord>, StoreError> {
        self.readers.read(move |connection| read::attempts(connection, tenant, delivery)).await
    }

    async fn channel_state(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        now: Timestamp,
    ) -> Result<Option<ChannelState>, StoreError> {
        self.readers.read(move |connection| overview::channel(connection, tenant, channel, now)).await
    }

    async fn channel_states(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<ChannelState>, StoreError> {
        self.readers.read(move |connection| overview::channels(connection, tenant, now)).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.readers.read(overview::totals).await
    }

    async fn follow(
        &self,
        tenant: TenantId,
        after: Option<Cursor>,
        count_max: NonZeroUsize,
    ) -> Result<Followed, StoreError> {
        self.readers.read(move |connection| follow::follow(connection, tenant, after, count_max)).await
    }

    async fn prune(&self, retention: Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        self.writer.write(move |desk| prune::prune(desk, retention, now)).await
    }
}
