//! What this host counts and measures, for Prometheus. Names after `reference/ecosystem.md` §4.5.
//!
//! Invariant: no label takes more values than it has room for here; texts of guests and servers are never labels.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use sandbell_domain::{Attempt, Exchange, FailureKind, Outcome, Verdict};
use sandbell_store::Totals;

/// Channels that have a label of their own; the rest share `other`.
const CHANNEL_LABELS_MAX: usize = 200;

pub(crate) struct Metrics {
    registry: Registry,
    channels: Mutex<HashSet<String>>,
    received: Family<ResultLabel, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    delivery_seconds: Family<PluginLabel, Histogram, fn() -> Histogram>,
    attempt_seconds: Family<PluginLabel, Histogram, fn() -> Histogram>,
    egress: Family<EgressLabels, Counter>,
    egress_denied: Family<PluginLabel, Counter>,
    traps: Family<TrapLabels, Counter>,
    cpu_seconds: Family<PluginLabel, Counter<f64, AtomicU64>>,
    memory_peak: Family<PluginLabel, Gauge>,
    queue_depth: Family<StateLabel, Gauge>,
    queue_oldest_age: Gauge<f64, AtomicU64>,
    pub(crate) leases_expired: Counter,
    pub(crate) circuit: Family<ChannelLabel, Gauge>,
    pub(crate) rate_limited: Counter,
    db_write_seconds: Family<CallLabel, Histogram, fn() -> Histogram>,
    pub(crate) db_size_bytes: Gauge,
    pub(crate) channels_open: Gauge,
    pub(crate) attempts_running: Gauge,
    reload_successful: Gauge,
    reload_success_at: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabel {
    call: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PluginLabel {
    plugin: String,
}

/// `tenant/name`, or `other`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ChannelLabel {
    pub(crate) channel: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    plugin: String,
    channel: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    plugin: String,
    channel: String,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EgressLabels {
    plugin: String,
    proto: &'static str,
    code_class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TrapLabels {
    plugin: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// What became of notifications that were handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Accepted,
    /// They were known already.
    Duplicate,
    Rejected,
}

/// A try, as far as it is counted.
pub(crate) struct Counted<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) channel: &'a ChannelLabel,
    pub(crate) attempt: &'a Attempt,
    pub(crate) verdict: Verdict,
    /// From the acceptance, or the redrive, to now.
    pub(crate) age: Duration,
}

/// From a loopback receiver to one that just does not time out.
fn seconds() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

/// From at once to the age at which a delivery is given up.
fn long_seconds() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
    ])
}

impl Metrics {
    pub(crate) fn new(started_at: Timestamp) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("sandbell"),
            channels: Mutex::default(),
            received: Family::default(),
            deliveries: Family::default(),
            attempts: Family::default(),
            delivery_seconds: Family::new_with_constructor(long_seconds),
            attempt_seconds: Family::new_with_constructor(seconds),
            egress: Family::default(),
            egress_denied: Family::default(),
            traps: Family::default(),
            cpu_seconds: Family::default(),
            memory_peak: Family::default(),
            queue_depth: Family::default(),
            queue_oldest_age: Gauge::default(),
            leases_expired: Counter::default(),
            circuit: Family::default(),
            rate_limited: Counter::default(),
            db_write_seconds: Family::new_with_constructor(seconds),
            db_size_bytes: Gauge::default(),
            channels_open: Gauge::default(),
            attempts_running: Gauge::default(),
            reload_successful: Gauge::default(),
            reload_success_at: Gauge::default(),
        };
        metrics.register(started_at);
        metrics.reloaded(true, started_at);
        metrics
    }

    fn register(&mut self, started_at: Timestamp) {
        let registry = &mut self.registry;
        let build = BuildLabels { version: env!("CARGO_PKG_VERSION") };
        let this_build = Family::<BuildLabels, Gauge>::default();
        this_build.get_or_create(&build).set(1);
        registry.register("build_info", "This program", this_build);
        let up_since = Gauge::<i64>::default();
        up_since.set(started_at.as_second());
        registry.register("up_since_timestamp_seconds", "When this process started", up_since);
        let mut family =
            |name: &str, help: &str, metric: &dyn Registered| metric.register(registry, name, help);
        family("notifications_received", "Notifications handed in, by what became of them", &self.received);
        family("deliveries", "Deliveries that were settled", &self.deliveries);
        family("delivery_attempts", "Attempts that ended", &self.attempts);
        family("delivery_duration_seconds", "From acceptance to the end", &self.delivery_seconds);
        family("attempt_duration_seconds", "Wall clock of one attempt", &self.attempt_seconds);
        family("egress_requests", "Requests and mails that channels sent", &self.egress);
        family("egress_denied", "Attempts that ended because a power was not granted", &self.egress_denied);
        family("wasm_traps", "Attempts that the plugin broke off", &self.traps);
        family("wasm_cpu_seconds", "CPU of attempts, the host's work for them included", &self.cpu_seconds);
        family("wasm_memory_peak_bytes", "Most memory that one attempt had", &self.memory_peak);
        family("queue_depth", "Deliveries that are not settled, and dead letters", &self.queue_depth);
        family(
            "queue_oldest_age_seconds",
            "How long the oldest due delivery has waited",
            &self.queue_oldest_age,
        );
        family("queue_lease_expired", "Leases that their holder lost without a word", &self.leases_expired);
        family("circuit_state", "0 closed, 1 half-open, 2 open", &self.circuit);
        family("rate_limited", "Deliveries put off by a rate limit", &self.rate_limited);
        family("db_write_seconds", "Calls that wait for the disk", &self.db_write_seconds);
        family("db_size_bytes", "The database file", &self.db_size_bytes);
        family("channels_open", "Channels whose connections are kept open", &self.channels_open);
        family("attempts_running", "Attempts that are running", &self.attempts_running);
        family("config_last_reload_successful", "Whether the last reload was taken", &self.reload_successful);
        family(
            "config_last_reload_success_timestamp_seconds",
            "When a configuration was last taken",
            &self.reload_success_at,
        );
    }

    /// All of it, as `OpenMetrics` text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The label of a channel: its own, as long as there is room for more of them.
    pub(crate) fn channel_label(&self, tenant: &str, name: &str) -> ChannelLabel {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = format!("{tenant}/{name}");
        if !channels.contains(&channel) {
            if channels.len() >= CHANNEL_LABELS_MAX {
                return ChannelLabel { channel: "other".to_owned() };
            }
            channels.insert(channel.clone());
        }
        ChannelLabel { channel }
    }

    pub(crate) fn received(&self, received: Received, count: u64) {
        let result = match received {
            Received::Accepted => "accepted",
            Received::Duplicate => "duplicate",
            Received::Rejected => "rejected",
        };
        self.received.get_or_create(&ResultLabel { result }).inc_by(count);
    }

    pub(crate) fn tried(&self, counted: &Counted<'_>) {
        let Counted { plugin, channel, attempt, verdict, age } = counted;
        let label = PluginLabel { plugin: (*plugin).to_owned() };
        let (outcome, reason) = match &attempt.outcome {
            Outcome::Delivered { .. } => ("delivered", "ok"),
            Outcome::Failed(failure) => ("failed", reason(failure.kind)),
        };
        let (plugin, channel) = (label.plugin.clone(), channel.channel.clone());
        let labels = AttemptLabels { plugin: plugin.clone(), channel: channel.clone(), outcome, reason };
        self.attempts.get_or_create(&labels).inc();
        let outcome = match verdict {
            Verdict::Delivered => Some("delivered"),
            Verdict::Dead(reason) => Some(reason.as_str()),
            Verdict::RetryAt(_) => None,
        };
        if let Some(outcome) = outcome {
            self.deliveries.get_or_create(&DeliveryLabels { plugin, channel, outcome }).inc();
            self.delivery_seconds.get_or_create(&label).observe(age.as_secs_f64());
        }
        self.cost(&label, attempt);
    }

    fn cost(&self, label: &PluginLabel, attempt: &Attempt) {
        let usage = &attempt.usage;
        self.attempt_seconds.get_or_create(label).observe(usage.wall.as_secs_f64());
        self.cpu_seconds.get_or_create(label).inc_by(usage.cpu.as_secs_f64());
        let peak = i64::try_from(usage.memory_peak_bytes).unwrap_or(i64::MAX);
        let gauge = self.memory_peak.get_or_create_owned(label);
        if gauge.get() < peak {
            gauge.set(peak);
        }
        for exchange in &attempt.exchanges {
            let (proto, code_class) = class(exchange);
            let plugin = label.plugin.clone();
            self.egress.get_or_create(&EgressLabels { plugin, proto, code_class }).inc();
        }
        if let Outcome::Failed(failure) = &attempt.outcome {
            let plugin = label.plugin.clone();
            match failure.kind {
                FailureKind::Denied => {
                    self.egress_denied.get_or_create(label).inc();
                }
                FailureKind::Trapped => {
                    self.traps.get_or_create(&TrapLabels { plugin, kind: "trap" }).inc();
                }
                FailureKind::TimedOut => {
                    self.traps.get_or_create(&TrapLabels { plugin, kind: "time" }).inc();
                }
                FailureKind::Transient | FailureKind::Permanent | FailureKind::Misconfigured => {}
            }
        }
    }

    /// What is not delivered, over all tenants.
    pub(crate) fn queue(&self, totals: &Totals, now: Timestamp) {
        let Totals { waiting, leased, dead, oldest_since: _, oldest_due_at } = totals;
        for (state, count) in [("waiting", waiting), ("leased", leased), ("dead", dead)] {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.queue_depth.get_or_create(&StateLabel { state }).set(count);
        }
        let age = oldest_due_at.map_or(0.0, |due_at| now.duration_since(due_at).as_secs_f64().max(0.0));
        self.queue_oldest_age.set(age);
    }

    pub(crate) fn wrote(&self, call: &'static str, duration: Duration) {
        self.db_write_seconds.get_or_create(&CallLabel { call }).observe(duration.as_secs_f64());
    }

    pub(crate) fn reloaded(&self, is_taken: bool, now: Timestamp) {
        self.reload_successful.set(i64::from(is_taken));
        if is_taken {
            self.reload_success_at.set(now.as_second());
        }
    }
}

fn reason(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Transient => "retry",
        FailureKind::Permanent => "permanent",
        FailureKind::Misconfigured => "config",
        FailureKind::Denied => "denied",
        FailureKind::Trapped => "trap",
        FailureKind::TimedOut => "timeout",
    }
}

fn class(exchange: &Exchange) -> (&'static str, &'static str) {
    match exchange {
        Exchange::Http(http) => {
            let class = match http.answer.as_ref().map(|answer| answer.status / 100) {
                Some(1) => "1xx",
                Some(2) => "2xx",
                Some(3) => "3xx",
                Some(4) => "4xx",
                Some(5) => "5xx",
                Some(_) => "other",
                None => "none",
            };
            ("http", class)
        }
        Exchange::Smtp(smtp) => {
            let class = match smtp.answer.as_deref().and_then(|answer| answer.bytes().next()) {
                Some(b'2') => "2xx",
                Some(b'4') => "4xx",
                Some(b'5') => "5xx",
                Some(_) => "other",
                None => "none",
            };
            ("smtp", class)
        }
        // These protocols have no classes: it was taken over or not.
        Exchange::Publish(publish) => {
            (publish.capability.as_str(), if publish.answer.is_some() { "2xx" } else { "none" })
        }
    }
}

/// A metric that can be handed to a registry without naming its type.
trait Registered {
    fn register(&self, registry: &mut Registry, name: &str, help: &str);
}

impl<M: prometheus_client::registry::Metric + Clone> Registered for M {
    fn register(&self, registry: &mut Registry, name: &str, help: &str) {
        match name.strip_suffix("_seconds") {
            Some(name) => registry.register_with_unit(name, help, Unit::Seconds, self.clone()),
            None => match name.strip_suffix("_bytes") {
                Some(name) => registry.register_with_unit(name, help, Unit::Bytes, self.clone()),
                None => registry.register(name, help, self.clone()),
            },
        }
    }
}
