//! One attempt: a fresh store, a fresh instance, `set-config`, `send-notification`, an outcome.
//!
//! Invariant: whatever happens in here is an [`Outcome`]. Nothing on this path links, compiles or waits for a lock.

use std::sync::Arc;
use std::time::Duration;

use sandbell_broker::{Brokers, ChannelEgress, Record};
use sandbell_domain::{
    Attempt, Capability, Channel, Failure, FailureKind, Lease, Limits, LogLevel, LogLine, Mode, Outcome,
    Usage, escape,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use wasmtime::Store;

use crate::ending::{Ending, Phase};
use crate::engine::MEMORY_BYTES_MAX;
use crate::error::ConfigRefusal;
use crate::plugin::Plugin;
use crate::state::{Budget, State, allow};
use crate::wit::{self, Cleaner};

/// CPU of a guest until it is configured, unless its approval gave it more than the usual.
const CONFIG_CPU: Duration = Duration::from_millis(100);
/// What a broker gives up before the attempt does, so that the plugin can still say what happened.
const BROKER_MARGIN: Duration = Duration::from_millis(500);

/// A plugin joined with a channel: its configuration, its grants and its connections.
#[derive(Clone)]
pub struct OpenChannel(Arc<Opened>);

pub(crate) struct Opened {
    pub(crate) plugin: Plugin,
    pub(crate) channel: Channel,
    pub(crate) egress: ChannelEgress,
    pub(crate) settings: Vec<wit::plugin::Setting>,
    pub(crate) permits: Arc<Semaphore>,
}

/// A guest that failed, and where.
pub(crate) struct Broken {
    pub(crate) phase: Phase,
    pub(crate) ending: Ending,
}

enum Answer {
    Sent(Result<wit::plugin::Receipt, wit::plugin::SendError>),
    NotConfigured(wit::plugin::ConfigError),
}

impl OpenChannel {
    pub(crate) fn new(plugin: Plugin, channel: Channel, egress: ChannelEgress) -> Self {
        let settings = wit::settings(channel.config.settings());
        let permits = Arc::new(Semaphore::new(channel.limits.attempts_at_once_max));
        Self(Arc::new(Opened { plugin, channel, egress, settings, permits }))
    }

    pub fn channel(&self) -> &Channel {
        &self.0.channel
    }

    pub(crate) fn permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.permits)
    }

    fn limits(&self) -> &Limits {
        &self.0.channel.limits
    }

    /// Until the plugin is configured it gets little CPU and no large data.
    fn config_budget(&self) -> Budget {
        let limits = self.limits();
        Budget { cpu: CONFIG_CPU.max(limits.cpu / 5), call_bytes_max: limits.host_call_bytes_max }
    }

    /// A request, a mail or a message is handed over in one call, so it comes on top of what any call may carry.
    fn send_budget(&self) -> Budget {
        let limits = self.limits();
        let mut call_bytes_max = limits.host_call_bytes_max;
        if self.0.plugin.imports(Capability::Http) {
            call_bytes_max += limits.http_request_bytes_max;
        }
        if self.0.plugin.imports(Capability::Smtp) {
            call_bytes_max += limits.mail_bytes_max;
        }
        if self.0.plugin.imports(Capability::Amqp) || self.0.plugin.imports(Capability::Mqtt) {
            call_bytes_max += limits.publish_bytes_max;
        }
        Budget { cpu: limits.cpu, call_bytes_max }
    }

    fn store(&self, level: LogLevel) -> Store<State> {
        let state = State::new(self.limits(), level);
        state.into_store(self.0.plugin.engine(), self.config_budget())
    }
}

/// Runs `set-config` alone, with no power granted.
pub(crate) async fn check_config(channel: OpenChannel, level: LogLevel) -> Result<(), ConfigRefusal> {
    let mut store = channel.store(level);
    let configured = configure(&channel, &mut store, Instant::now() + channel.limits().set_config).await;
    match configured {
        Ok((_, Ok(()))) => Ok(()),
        Ok((_, Err(error))) => {
            // The guest saw no secret, so there is none to mask.
            let cleaner = Cleaner { scrub: &str::to_owned, bytes_max: channel.limits().result_bytes_max };
            Err(ConfigRefusal::Refused(wit::config_error(&error, &cleaner)))
        }
        Err(broken) => Err(ConfigRefusal::Failed(failure(&broken, &store, channel.limits()))),
    }
}

/// One try of a delivery. CPU is filled in by the caller, who measures it.
pub(crate) async fn attempt(
    channel: OpenChannel,
    lease: Lease,
    mode: Mode,
    level: LogLevel,
    started: Instant,
) -> Attempt {
    let limits = channel.limits();
    let deadline = started + limits.attempt;
    let margin = BROKER_MARGIN.min(limits.attempt / 10);
    let brokers = channel.0.egress.attempt(lease.delivery.id, mode, deadline - margin);
    let mut store = channel.store(level);
    let answer = deliver(&channel, &mut store, &brokers, &lease, mode, deadline).await;

    let scrub = |text: &str| brokers.scrub(text);
    let cleaner = Cleaner { scrub: &scrub, bytes_max: limits.result_bytes_max };
    let mut log = store.data().log().finish(scrub);
    let outcome = match answer {
        Ok(Answer::Sent(answer)) => wit::outcome(answer, &cleaner),
        Ok(Answer::NotConfigured(error)) => not_configured(&error, &cleaner),
        Err(broken) => {
            log.extend(backtrace(&broken.ending, scrub));
            let failure = failure(&broken, &store, limits);
            Outcome::Failed(Failure { detail: brokers.scrub(&failure.detail), ..failure })
        }
    };
    let Record { exchanges, sent_bytes, received_bytes } = brokers.take_record();
    let usage = Usage {
        wall: started.elapsed(),
        cpu: Duration::ZERO,
        memory_peak_bytes: store.data().limits.peak_bytes(),
        host_calls: store.data().host_calls(),
        sent_bytes,
        received_bytes,
    };
    Attempt { outcome, exchanges, log, usage }
}

async fn deliver(
    channel: &OpenChannel,
    store: &mut Store<State>,
    brokers: &Brokers,
    lease: &Lease,
    mode: Mode,
    deadline: Instant,
) -> Result<Answer, Broken> {
    let limits = channel.limits();
    let config_deadline = deadline.min(Instant::now() + limits.set_config);
    let bindings = match configure(channel, store, config_deadline).await? {
        (bindings, Ok(())) => bindings,
        (_, Err(error)) => return Ok(Answer::NotConfigured(error)),
    };
    allow(store, channel.send_budget());
    store.data_mut().grant(brokers.clone());
    let time_left = deadline.saturating_duration_since(Instant::now());
    let notification = wit::notification(lease, mode, time_left);
    let call = bindings.sandbell_channel_plugin().call_send_notification(&mut *store, &notification);
    let answer = guarded(Phase::Send, deadline, limits.attempt, call).await?;
    Ok(Answer::Sent(answer))
}

type Configured = (wit::Bindings, Result<(), wit::plugin::ConfigError>);

async fn configure(
    channel: &OpenChannel,
    store: &mut Store<State>,
    deadline: Instant,
) -> Result<Configured, Broken> {
    let limit = channel.limits().set_config;
    let bindings = start(&channel.0.plugin, store, deadline, limit).await?;
    let call = bindings.sandbell_channel_plugin().call_set_config(&mut *store, &channel.0.settings);
    let answer = guarded(Phase::SetConfig, deadline, limit, call).await?;
    Ok((bindings, answer))
}

/// Instantiates: the guest's start functions run here, under the same limits.
pub(crate) async fn start(
    plugin: &Plugin,
    store: &mut Store<State>,
    deadline: Instant,
    limit: Duration,
) -> Result<wit::Bindings, Broken> {
    guarded(Phase::Start, deadline, limit, plugin.bindings().instantiate_async(store)).await
}

/// Epochs interrupt the guest's own code; this also ends it while it waits for the host.
pub(crate) async fn guarded<T>(
    phase: Phase,
    deadline: Instant,
    limit: Duration,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Broken> {
    match timeout_at(deadline, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Broken { phase, ending: Ending::Error(error) }),
        Err(_) => Err(Broken { phase, ending: Ending::Timeout(limit) }),
    }
}

pub(crate) fn failure(broken: &Broken, store: &Store<State>, limits: &Limits) -> Failure {
    let memory_bytes_max = limits.memory_bytes_max.min(MEMORY_BYTES_MAX);
    broken.ending.failure(broken.phase, &store.data().limits, memory_bytes_max)
}

fn not_configured(error: &wit::plugin::ConfigError, cleaner: &Cleaner<'_>) -> Outcome {
    Outcome::Failed(Failure {
        kind: FailureKind::Misconfigured,
        code: "config".to_owned(),
        detail: wit::config_error(error, cleaner).to_string(),
        retry_after: None,
    })
}

/// Where the guest was, for those who look for its fault. It goes to the log only.
fn backtrace(ending: &Ending, scrub: impl Fn(&str) -> String) -> Option<LogLine> {
    let frames = ending.backtrace()?;
    let message = format!("the plugin broke down in {}", escape::line(&scrub(&frames)));
    Some(LogLine { level: LogLevel::Error, message, fields: Vec::new() })
}

/// How long a store and an instance take to make and to drop.
pub(crate) async fn instantiate(channel: OpenChannel, level: LogLevel) -> Result<Duration, Failure> {
    let started = Instant::now();
    let mut store = channel.store(level);
    let limits = channel.limits();
    start(&channel.0.plugin, &mut store, started + limits.attempt, limits.attempt)
        .await
        .map_err(|broken| failure(&broken, &store, limits))?;
    drop(store);
    Ok(started.elapsed())
}

/// An attempt that came to nothing because of the host.
pub(crate) fn unstarted(failure: Failure, started: Instant) -> Attempt {
    let usage = Usage { wall: started.elapsed(), ..Usage::default() };
    Attempt { outcome: Outcome::Failed(failure), exchanges: Vec::new(), log: Vec::new(), usage }
}
