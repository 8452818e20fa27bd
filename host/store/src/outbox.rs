//! The outbox: the contract, in words. Whatever is written here, `conformance/` tests for every engine.
//!
//! Durable: when a call returns `Ok`, the process may die on the next instruction. Repeatable: accepting and settling
//! twice does it once, so a caller that got no answer asks again. Fenced: a lease has a claim that no other lease ever
//! has, every write of its holder names it, and the write of one that lost its lease changes nothing. Fair: the tenant
//! that was served longest ago is served next, whatever the others have waiting, and so within it each channel.
//! Time is what the caller says, and callers of one outbox have one clock; waits keep their lengths when it goes back.

use std::future::Future;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use jiff::Timestamp;
use sandbell_domain::{Attempt, ChannelId, Delivery, DeliveryId, Lease, NotificationId, TenantId, Verdict};

use crate::{AttemptRecord, ChannelState, Cursor, Filter, Followed, Page, Status, StoreError, Totals};

/// Keeps deliveries from their acceptance until they are settled, and shows them afterwards.
///
/// Every future may be dropped at any await. A write whose future was dropped is done or not done, never half.
pub trait Outbox: Send + Sync + 'static {
    /// Keeps deliveries and their notifications, all or none. Each can be leased at once.
    ///
    /// What is known already stays as it is. A known notification with another content is refused with
    /// [`StoreError::OtherContent`]: an id means one thing.
    fn accept(
        &self,
        deliveries: Vec<Delivery>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Accepted, StoreError>> + Send;

    /// Takes deliveries that are due. Nobody else gets them before the hold ends or the lease is given back.
    ///
    /// Tenants take turns, then channels. Of one channel first tries come before later ones, but one lease in eight
    /// looks for a later try first, so that neither starves. A channel gives no more than its [`Pace`] allows, an
    /// ordered one only its oldest unsettled delivery, a held one nothing. Leases that ran out are taken over.
    fn lease(&self, request: LeaseRequest) -> impl Future<Output = Result<Leases, StoreError>> + Send;

    /// Records one try and what becomes of the delivery. A lease that ran out still counts until another has the
    /// delivery. Failures in a row of its channel are counted; one that was delivered ends them.
    fn settle(
        &self,
        lease: &Leased,
        attempt: Attempt,
        verdict: Verdict,
        now: Timestamp,
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// Gives a lease back untried, to be leased again from `until` on: it uses up no attempt.
    fn postpone(
        &self,
        lease: &Leased,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// How many leases a channel gives at once, and in which order. Lowering it takes no lease back.
    fn set_pace(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        pace: Pace,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives nothing of a channel before `until`: its circuit is open, or its rate is used up. The latest call counts,
    /// so a moment that is past ends it.
    fn hold(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Lets dead letters be tried again as later tries, with a new budget of attempts and age; their attempts and last
    /// error stay. Returns how many. By filter it works in steps, and each step is durable.
    fn redrive(
        &self,
        tenant: TenantId,
        which: Redrive,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Makes a delivery a dead letter. One that is being tried first ends its try, which may still deliver it.
    fn cancel(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Cancelled, StoreError>> + Send;

    /// Waits until a delivery is settled, at most for `limit`, and returns how it stands then. `None` is unknown.
    fn wait(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
        limit: Duration,
    ) -> impl Future<Output = Result<Option<Status>, StoreError>> + Send;

    /// Waits until something may have become leasable through this handle. A hint: polling is the truth, because
    /// another process may have written and time may have passed.
    fn ready(&self) -> impl Future<Output = ()> + Send;

    /// How one delivery stands.
    fn status(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
    ) -> impl Future<Output = Result<Option<Status>, StoreError>> + Send;

    /// How the deliveries of one notification stand, oldest first.
    fn of_notification(
        &self,
        tenant: TenantId,
        notification: NotificationId,
    ) -> impl Future<Output = Result<Vec<Status>, StoreError>> + Send;

    /// The deliveries that a filter means, newest first, `count_max` at a time.
    fn list(
        &self,
        tenant: TenantId,
        filter: Filter,
        after: Option<Cursor>,
        count_max: NonZeroUsize,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Every recorded try of a delivery, oldest first.
    fn attempts(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
    ) -> impl Future<Output = Result<Vec<AttemptRecord>, StoreError>> + Send;

    /// How a channel stands. `None` is one that nothing was ever accepted for, and nobody configured.
    fn channel_state(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<ChannelState>, StoreError>> + Send;

    /// How each channel of a tenant stands, deleted ones included: deliveries name them.
    fn channel_states(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<ChannelState>, StoreError>> + Send;

    /// How many deliveries there are that are not delivered, over all tenants.
    fn totals(&self) -> impl Future<Output = Result<Totals, StoreError>> + Send;

    /// The tries of a tenant that were recorded after `after`, in the order of their recording and by whichever process.
    /// `None` begins now. What was cancelled untried has no try. A step looks at so many tries of all tenants and no more.
    fn follow(
        &self,
        tenant: TenantId,
        after: Option<Cursor>,
        count_max: NonZeroUsize,
    ) -> impl Future<Output = Result<Followed, StoreError>> + Send;

    /// Forgets settled deliveries that are older than `retention` says, in one small step, and gives their space back.
    /// Never what waits or is leased, however old.
    fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> impl Future<Output = Result<Pruned, StoreError>> + Send;
}

/// What accepting added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Zero if all of it was known.
    pub new: usize,
}

/// Which deliveries are wanted.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    pub now: Timestamp,
    /// Twice the limit of an attempt: a slow attempt keeps its lease and a dead process loses it.
    pub hold: Duration,
    pub count_max: NonZeroUsize,
    pub tries: Tries,
    /// What a tenant may get in this call, unless `rooms` says otherwise.
    pub tenant_max: NonZeroUsize,
    /// What is left of the permits of tenants that are using some; nothing, if they are used up.
    pub rooms: Vec<(TenantId, usize)>,
}

/// Permits that are reserved for first tries keep a dead destination from delaying what is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    First,
    Any,
}

#[derive(Clone, Debug)]
pub struct Leases {
    pub leases: Vec<Leased>,
    /// When to ask again at the latest if nothing is accepted or settled before. Absent if nothing waits for a time.
    pub next_at: Option<Timestamp>,
}

/// The right to try a delivery until `expires_at`.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its `attempt_number` counts from the acceptance or the last redrive, tries that were lost included.
    pub lease: Lease,
    pub claim: Claim,
    pub expires_at: Timestamp,
    /// When it was accepted or last redriven: where its age begins.
    pub since: Timestamp,
    /// How often its holder lost it without a word: a plugin that kills its process shows here.
    pub lapses: u32,
}

/// Tells a lease from every other that ever was; a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim(i64);

impl Claim {
    pub(crate) const fn new(turn: i64) -> Self {
        Self(turn)
    }

    pub const fn get(self) -> i64 {
        self.0
    }
}

/// What a write under a lease did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The channel's failed tries since it last delivered or was enabled, this one included.
    Done { failures_in_row: u32 },
    /// This lease had been settled already; nothing was changed.
    Before,
    /// Another has the delivery, or somebody took it out of the outbox; nothing was changed.
    LeaseLost,
}

/// How a channel gives its deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub leases_max: NonZeroU32,
    /// One after the other in the order of their acceptance: one that waits for a retry holds up those behind it.
    pub is_ordered: bool,
}

impl Default for Pace {
    /// What a channel has before anybody sets it.
    fn default() -> Self {
        Self { leases_max: NonZeroU32::MIN.saturating_add(15), is_ordered: false }
    }
}

/// Which dead letters to try again.
#[derive(Clone, Debug, PartialEq)]
pub enum Redrive {
    One(DeliveryId),
    /// Its `state` does not matter: only dead letters are redriven.
    Matching(Filter),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    Done,
    /// It is being tried; it becomes a dead letter unless this try delivers it.
    AfterThisTry,
    /// It was settled before; nothing was changed.
    SettledBefore,
    Unknown,
}

/// How long what is settled can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub delivered: Duration,
    pub dead: Duration,
    /// Deliveries of one step: few, so that nobody waits for it.
    pub step_max: NonZeroUsize,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            delivered: Duration::from_hours(7 * 24),
            dead: Duration::from_hours(90 * 24),
            step_max: NonZeroUsize::MIN.saturating_add(499),
        }
    }
}

/// What one step of retention did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    pub deliveries: usize,
    /// Whether another step would find something.
    pub has_more: bool,
}
