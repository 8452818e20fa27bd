//! One delivery, from its lease to its settlement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use sandbell_domain::{Attempt, Failure, FailureKind, Mode, Outcome, Usage, Verdict, escape, judge};
use sandbell_store::{Actor, Catalog as _, ChannelRecord, Enabled, Leased, Outbox as _, Settled, StoreError};
use tokio::time::sleep;
use tracing::{debug, error, info, warn};

use super::dispatcher::Dispatcher;
use super::permits::Permit;
use super::signal::{self, Shown};
use crate::circuits::{Admission, Noted, Phase, Rules};
use crate::config;
use crate::events::Tried;
use crate::metrics::{ChannelLabel, Counted};

/// How often a write that failed is tried again, while its lease lasts.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// How long a delivery waits that something in this process is in the way of.
const IN_THE_WAY: Duration = Duration::from_secs(1);

/// Whether an attempt begins.
enum Check {
    Begin,
    /// It shows whether others may; if it is not heard of, they may after this moment.
    Probe(Timestamp),
    Wait(NotNow),
}

/// Why an attempt does not begin now.
enum NotNow {
    /// The whole channel waits until then.
    Channel(Timestamp),
    /// Only this delivery, because it is its tenant that waits.
    Tenant(Timestamp),
    /// Only this delivery, and not for long: something is under way.
    Shortly,
}

impl Dispatcher {
    /// Tries a delivery and settles it; never fails, because whatever happens is written down or tried again later.
    pub(super) async fn deliver(self: Arc<Self>, leased: Leased, permit: Permit) {
        self.node.metrics.attempts_running.inc();
        tokio::select! {
            () = self.attempt(&leased) => {}
            // Whoever stops in a hurry gives back what it can: a restart need not wait for the lease to run out.
            () = self.abort.cancelled() => {
                let now = self.node.clock.now();
                let _ = self.node.store.postpone(&leased, now, now).await;
            }
        }
        self.node.metrics.attempts_running.dec();
        drop(permit);
    }

    async fn attempt(&self, leased: &Leased) {
        if leased.lapses > 0 {
            self.node.metrics.leases_expired.inc();
        }
        let delivery = &leased.lease.delivery;
        let record = match self.node.roster.channel(delivery.tenant, delivery.channel).await {
            Ok(record) => record,
            Err(error) => {
                warn!(delivery.id = %delivery.id, "delivery {} waits: {error}", delivery.id);
                return self.put_off(leased, self.after(WRITE_AGAIN)).await;
            }
        };
        let Some(record) = record else {
            let attempt =
                failed("channel-unknown", "the channel does not exist any more; redrive cannot help");
            return self.settle(leased, None, attempt).await;
        };
        match self.check(&record) {
            Check::Begin => {}
            // Deliveries that wait for the probe must not be leased and put off all the time.
            Check::Probe(until) => self.hold(&record, until).await,
            Check::Wait(not_now) => return self.hold_back(leased, &record, not_now).await,
        }
        let attempt = self.node.runner.run(&record, &leased.lease, Mode::Send).await;
        if signal::is_busy(&attempt) {
            return self.put_off(leased, self.after(IN_THE_WAY)).await;
        }
        self.settle(leased, Some(&record), attempt).await;
    }

    /// What is decided without asking the world.
    fn check(&self, record: &ChannelRecord) -> Check {
        if record.enabled != Enabled::Yes {
            return Check::Wait(NotNow::Shortly);
        }
        let settings = self.node.settings();
        let now = self.node.clock.now();
        if let Some(per_minute_max) = settings.dispatch.tenant_per_minute_max
            && let Err(wait) = self.tenant_rates.take(record.tenant, per_minute_max)
        {
            self.node.metrics.rate_limited.inc();
            return Check::Wait(NotNow::Tenant(after(now, wait)));
        }
        if let Some(per_minute_max) = record.policy.per_minute_max
            && let Err(wait) = self.channel_rates.take(record.id, per_minute_max)
        {
            self.node.metrics.rate_limited.inc();
            return Check::Wait(NotNow::Channel(after(now, wait)));
        }
        match self.node.circuits.admit(record.id, now, &rules(&settings.dispatch)) {
            Admission::Go => Check::Begin,
            Admission::Probe(until) => Check::Probe(until),
            Admission::Probing => Check::Wait(NotNow::Shortly),
            Admission::NotBefore(until) => Check::Wait(NotNow::Channel(until)),
        }
    }

    async fn hold_back(&self, leased: &Leased, record: &ChannelRecord, not_now: NotNow) {
        let now = self.node.clock.now();
        match not_now {
            NotNow::Shortly => self.put_off(leased, after(now, IN_THE_WAY)).await,
            NotNow::Channel(until) => {
                self.hold(record, until).await;
                self.put_off(leased, now).await;
            }
            NotNow::Tenant(until) => {
                self.pause(record.tenant, until);
                self.put_off(leased, until).await;
            }
        }
    }

    /// Gives the lease back; it uses up no attempt. If that fails the lease runs out, which does the same later.
    async fn put_off(&self, leased: &Leased, until: Timestamp) {
        let id = leased.lease.delivery.id;
        match self.node.store.postpone(leased, until, self.node.clock.now()).await {
            Ok(_) => debug!(delivery.id = %id, "delivery {id} is put off until {until}"),
            Err(error) => warn!(delivery.id = %id, "delivery {id} cannot be put off: {error}"),
        }
    }

    async fn hold(&self, record: &ChannelRecord, until: Timestamp) {
        let now = self.node.clock.now();
        if let Err(error) = self.node.store.hold(record.tenant, record.id, until, now).await {
            warn!(channel.id = %record.id, "channel {} cannot be held until {until}: {error}", record.name);
        }
    }

    async fn settle(&self, leased: &Leased, record: Option<&ChannelRecord>, attempt: Attempt) {
        let now = self.node.clock.now();
        let retry = record.map(|record| record.policy.retry.clone()).unwrap_or_default();
        let number = leased.lease.attempt_number;
        let jitter = self.node.clock.jitter();
        let verdict = judge(&attempt.outcome, number, &retry, leased.since, now, jitter);
        let shown = signal::shown(&attempt);
        if let Some(record) = record {
            self.learn(record, &shown).await;
            self.tell(leased, record, &attempt, verdict, now).await;
        }
        let outcome = attempt.outcome.clone();
        if let Some(failures_in_row) = self.write(leased, attempt, verdict).await {
            if let (Some(record), Outcome::Failed(_)) = (record, &outcome) {
                self.disable_if_hopeless(record, failures_in_row).await;
            }
            self.node.events.tell(|| Tried {
                tenant: leased.lease.delivery.tenant,
                channel: leased.lease.delivery.channel,
                notification: leased.lease.delivery.notification.id,
                delivery: leased.lease.delivery.id,
                attempt_number: number.get(),
                outcome,
                verdict,
                at: now,
            });
        }
    }

    /// Writes until it is written, or until the lease is another's. Returns the channel's failures in a row.
    async fn write(&self, leased: &Leased, attempt: Attempt, verdict: Verdict) -> Option<u32> {
        let id = leased.lease.delivery.id;
        loop {
            let begun = Instant::now();
            let now = self.node.clock.now();
            let written = self.node.store.settle(leased, attempt.clone(), verdict, now).await;
            self.node.metrics.wrote("settle", begun.elapsed());
            match written {
                Ok(Settled::Done { failures_in_row }) => return Some(failures_in_row),
                Ok(Settled::Before) => return None,
                Ok(Settled::LeaseLost) => {
                    warn!(delivery.id = %id, "delivery {id} was taken over or cancelled while it was tried");
                    return None;
                }
                Err(error) if is_worth_repeating(&error) && now < leased.expires_at => {
                    warn!(delivery.id = %id, "what became of delivery {id} is not written yet: {error}");
                    sleep(WRITE_AGAIN).await;
                }
                Err(error) => {
                    error!(delivery.id = %id, "what became of delivery {id} is lost, it will be tried again: {error}");
                    return None;
                }
            }
        }
    }

    /// Circuits, and what follows from them.
    async fn learn(&self, record: &ChannelRecord, shown: &Shown) {
        let (now, settings) = (self.node.clock.now(), self.node.settings());
        let Shown { destination, signal } = shown;
        let rules = rules(&settings.dispatch);
        let noted = self.node.circuits.note(record.id, destination.as_deref(), *signal, now, &rules);
        let Noted { hold, is_released } = noted;
        if let Some(until) = hold {
            let destination = destination.as_deref().unwrap_or("its destination");
            warn!(channel.id = %record.id, "channel {} leaves {destination} alone until {until}", record.name);
            self.hold(record, until).await;
        } else if is_released {
            info!(channel.id = %record.id, "channel {} is answered again", record.name);
            self.hold(record, now).await;
        }
        if hold.is_some() || is_released {
            let label = self.label(record).await;
            self.node.metrics.circuit.get_or_create(&label).set(self.circuit_of(record));
        }
    }

    fn circuit_of(&self, record: &ChannelRecord) -> i64 {
        let worst = self.node.circuits.of(record.id).into_iter().map(|shown| match shown.phase {
            Phase::Closed => 0,
            Phase::HalfOpen { .. } => 1,
            Phase::Open { .. } => 2,
        });
        worst.max().unwrap_or(0)
    }

    /// Disables a channel that has failed as often in a row as it may.
    async fn disable_if_hopeless(&self, record: &ChannelRecord, failures: u32) {
        if record.policy.disable_after.is_none_or(|max| failures < max.get()) {
            return;
        }
        let reason = format!("{failures} attempts in a row failed");
        let by = Actor("dispatcher".to_owned());
        let disabled = Enabled::No { reason: reason.clone() };
        let now = self.node.clock.now();
        match self.node.store.enable_channel(record.tenant, record.id, disabled, by, now).await {
            Ok(_) => {
                warn!(channel.id = %record.id, "channel {} is disabled: {reason}", record.name);
                self.node.roster.forget(record.tenant);
                self.node.circuits.forget(record.id);
            }
            Err(error) => {
                error!(channel.id = %record.id, "channel {} cannot be disabled: {error}", record.name);
            }
        }
    }

    /// One line for each attempt, and what is counted.
    async fn tell(
        &self,
        leased: &Leased,
        record: &ChannelRecord,
        attempt: &Attempt,
        verdict: Verdict,
        now: Timestamp,
    ) {
        let label = self.label(record).await;
        let age = Duration::try_from(now.duration_since(leased.since)).unwrap_or(Duration::ZERO);
        let plugin = record.plugin.as_str();
        self.node.metrics.tried(&Counted { plugin, channel: &label, attempt, verdict, age });
        let (delivery, number) = (leased.lease.delivery.id, leased.lease.attempt_number);
        let duration_ms = u64::try_from(attempt.usage.wall.as_millis()).unwrap_or(u64::MAX);
        let channel = label_text(&label, record);
        match &attempt.outcome {
            Outcome::Delivered { .. } => info!(
                delivery.id = %delivery, channel, plugin, attempt = number, outcome = "delivered", duration_ms,
                "delivered {delivery} through {channel}"
            ),
            Outcome::Failed(Failure { kind, code, detail, .. }) => {
                let next = match verdict {
                    Verdict::RetryAt(at) => format!("tried again at {at}"),
                    Verdict::Dead(reason) => format!("a dead letter ({})", reason.as_str()),
                    Verdict::Delivered => "delivered".to_owned(),
                };
                warn!(
                    delivery.id = %delivery, channel, plugin, attempt = number, outcome = kind.as_str(), code, duration_ms,
                    "attempt {number} of {delivery} through {channel} failed, it is {next}: {}", escape::line(detail)
                );
            }
        }
        for line in &attempt.log {
            debug!(target: "guest", { delivery.id = %delivery, channel, plugin }, "{}: {}", line.level.as_str(), line.message);
        }
    }

    async fn label(&self, record: &ChannelRecord) -> ChannelLabel {
        let tenant = self.node.roster.tenant_of_id(record.tenant).await.ok().flatten();
        let tenant = tenant.as_ref().map_or("?", |tenant| tenant.name.as_str());
        self.node.metrics.channel_label(tenant, record.name.as_str())
    }

    fn after(&self, wait: Duration) -> Timestamp {
        after(self.node.clock.now(), wait)
    }
}

/// The channel's full name, even where it has no label of its own.
fn label_text<'a>(label: &'a ChannelLabel, record: &'a ChannelRecord) -> &'a str {
    if label.channel == "other" { record.name.as_str() } else { &label.channel }
}

fn is_worth_repeating(error: &StoreError) -> bool {
    error.is_passing()
}

fn rules(dispatch: &config::Dispatch) -> Rules {
    Rules {
        failures: dispatch.circuit_failures.get(),
        wait_first: dispatch.circuit_wait_first,
        wait_max: dispatch.circuit_wait_max,
        probe: dispatch.hold(),
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).expect("a signed duration always saturates")
}

fn failed(code: &str, detail: &str) -> Attempt {
    let failure = Failure {
        kind: FailureKind::Misconfigured,
        code: code.to_owned(),
        detail: detail.to_owned(),
        retry_after: None,
    };
    Attempt {
        outcome: Outcome::Failed(failure),
        exchanges: Vec::new(),
        log: Vec::new(),
        usage: Usage::default(),
    }
}
