//! What the three methods do: one plugin, one configuration at a time, many attempts.

use std::io;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sandbell_domain::{Approval, Delivery, Digest, Lease, Mode, NotificationId, Outcome, PluginInfo, escape};
use sandbell_sandbox::{OpenChannel, Plugin};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::journal::Journal;
use super::link::Link;
use super::serve::{Call, Ended, Params, serve};
use super::sink::{self, Sink};
use super::translate::{Addressing, translate};
use super::wire::{Answer, Dialect, MethodError};
use super::{info, reader};
use crate::clock::Clock;
use crate::engine::Engine;
use crate::install::{Prepared, State, StateError, prepare};
use crate::telemetry;

/// All of `SetConfig`: the daemon waits for it without a limit of its own (`reference/icinga.md` §1.7).
const SET_CONFIG: Duration = Duration::from_secs(5);

/// The last lines of a process that ends.
const FLUSH: Duration = Duration::from_millis(500);

/// One process of the daemon: the plugin that its link names.
struct Host {
    link: Link,
    engine: Engine,
    journal: Journal,
    started_at: Timestamp,
    /// What the last accepted `SetConfig` set; a send takes a copy at its start.
    active: Mutex<Option<Active>>,
    /// The last compiled component, so that a reload compiles nothing.
    compiled: Mutex<Option<(Digest, Plugin)>>,
}

#[derive(Clone)]
struct Active {
    /// The place of its `SetConfig` in the stream: a later one wins, whenever it is done.
    sequence: u64,
    open: OpenChannel,
    info: Arc<PluginInfo>,
    approval: Arc<Approval>,
}

/// Serves the daemon on the standard streams until it is done with us.
pub(crate) fn run(link: Link, engine: Engine, log_filter: Option<&str>, clock: Clock) -> ExitCode {
    let Ok(runtime) = runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let stdout = sink::spawn("icinga-stdout", io::stdout());
    let stderr = sink::spawn("icinga-stderr", io::stderr());
    let journal = Journal::new(&stdout.lines, &stderr.lines);
    let journal_of_log = journal.clone();
    telemetry::to_door(log_filter, move |level, message, fields| {
        let fields: Vec<_> = fields.into_iter().map(|(key, value)| (key, escape::line(&value))).collect();
        journal_of_log.write(level, &escape::line(&message), &fields);
    });
    let requests = reader::spawn(io::stdin());
    let host = Arc::new(Host {
        link,
        engine,
        journal: journal.clone(),
        started_at: clock.now(),
        active: Mutex::default(),
        compiled: Mutex::default(),
    });
    let exit = runtime.block_on(async {
        let handle = |call| {
            let host = host.clone();
            async move { host.answer(call).await }
        };
        let ended = serve(requests, stdout.lines.clone(), &journal, stop_signal(), handle).await;
        finish(ended, stdout, stderr, clock).await
    });
    runtime.shutdown_background();
    // The engine's threads end with the process; waiting for them could take longer than the daemon does.
    std::mem::forget(host);
    exit
}

/// Resolves at SIGTERM or SIGINT.
async fn stop_signal() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers the signals end the process by themselves.
        (Err(_), _) | (_, Err(_)) => std::future::pending().await,
    }
}

/// Writes the last lines and says how the process ends (`reference/icinga.md` §1.8).
async fn finish(ended: Ended, stdout: Sink, stderr: Sink, clock: Clock) -> ExitCode {
    let exit = match ended {
        Ended::Broken { dialect: Dialect::Legacy, reason } => {
            let now = clock.now().to_zoned(TimeZone::system()).strftime("%Y/%m/%d %H:%M:%S").to_string();
            let line = format!("{now} failed to read request:{}\n", escape::line(&reason));
            let _ = stderr.lines.try_send(line.into_bytes());
            ExitCode::FAILURE
        }
        Ended::Broken { dialect: Dialect::JsonRpc, .. } | Ended::Cleanly => ExitCode::SUCCESS,
    };
    drop((stdout.lines, stderr.lines));
    let _ = timeout(FLUSH, async { tokio::join!(stdout.done, stderr.done) }).await;
    exit
}

impl Host {
    async fn answer(self: Arc<Self>, call: Call) -> Answer {
        match call {
            Call::GetInfo => self.get_info().map(Some),
            Call::SetConfig(params) => match timeout(SET_CONFIG, self.set_config(params)).await {
                Ok(result) => result.map(|()| None).map_err(MethodError::Config),
                Err(_) => Err(MethodError::Config(format!("no answer within {} s", SET_CONFIG.as_secs()))),
            },
            Call::SendNotification(params) => self.send_notification(&params).await.map(|()| None),
        }
    }

    /// Answered from what the plugin said when it was installed: no engine, no compiler.
    fn get_info(&self) -> Result<String, MethodError> {
        let state = State::open(&self.link.state_dir);
        let info = state.and_then(|state| state.running_info(&self.link.plugin));
        let info = info.map_err(|error| MethodError::Failed(error.to_string()))?;
        Ok(info::to_json(&info))
    }

    /// Swaps the configuration only if everything accepts the new one.
    async fn set_config(self: &Arc<Self>, params: Params) -> Result<(), String> {
        let Params { sequence, json } = params;
        let this = self.clone();
        let prepared = spawn_blocking(move || this.prepare(json.get()));
        let prepared = prepared.await.map_err(|error| error.to_string())??;
        let Prepared { channel, info, approval, bytes, waiting } = prepared;
        let digest = channel.plugin;
        let sandbox = self.engine.sandbox().map_err(|error| error.to_string())?;
        let compiled = lock(&self.compiled).clone().filter(|(compiled, _)| *compiled == digest);
        let plugin = match compiled {
            Some((_, plugin)) => plugin,
            None => sandbox.load(&bytes).await.map_err(|error| error.to_string())?,
        };
        *lock(&self.compiled) = Some((digest, plugin.clone()));
        let open = sandbox.open(&plugin, channel).map_err(|error| error.to_string())?;
        sandbox.check_config(&open).await.map_err(|refusal| refusal.to_string())?;
        if let Some(waiting) = waiting {
            let name = &self.link.plugin;
            self.journal.warn(&format!(
                "{waiting} is installed as `{name}` but not approved, so {digest} still runs; run `sandbell plugin \
                 approve {name}`"
            ));
        }
        let mut active = lock(&self.active);
        if active.as_ref().is_none_or(|active| active.sequence < sequence) {
            let (info, approval) = (Arc::new(info), Arc::new(approval));
            *active = Some(Active { sequence, open, info, approval });
        }
        Ok(())
    }

    /// Everything that reads files, and the engine's start.
    fn prepare(&self, params: &str) -> Result<Prepared, String> {
        let config = serde_json::from_str(params).map_err(|error| error.to_string())?;
        let state = State::open(&self.link.state_dir).map_err(|error| error.to_string())?;
        let prepared = prepare(&state, &self.link.plugin, &config).map_err(|error| error.to_string())?;
        self.engine.sandbox().map_err(|error| error.to_string())?;
        Ok(prepared)
    }

    async fn send_notification(self: &Arc<Self>, params: &Params) -> Result<(), MethodError> {
        let Params { sequence, json } = params;
        let active = lock(&self.active).clone();
        let address_types = active.as_ref().map(|active| active.info.address_types.as_slice());
        let addressing = Addressing { link: &self.link.name, plugin: address_types.unwrap_or_default() };
        let notification = translate(json.get(), self.notification_id(*sequence, json.get()), addressing)
            .map_err(|error| MethodError::Notification(error.to_string()))?;
        let Some(Active { open, approval, .. }) = active else {
            return Err(MethodError::Failed(
                "the channel has no configuration yet; call SetConfig first".to_owned(),
            ));
        };
        self.check_approval(approval).await?;
        let lease = Lease {
            delivery: Delivery::new(open.channel().id, Arc::new(notification)),
            attempt_number: NonZeroU32::MIN,
        };
        let sandbox = self.engine.sandbox().map_err(|error| MethodError::Failed(error.to_string()))?;
        let attempt = sandbox.attempt(&open, &lease, Mode::Send).await;
        for line in &attempt.log {
            self.journal.write(line.level, &line.message, &line.fields);
        }
        match attempt.outcome {
            Outcome::Delivered { .. } => Ok(()),
            Outcome::Failed(failure) => Err(MethodError::Failed(failure.detail)),
        }
    }

    /// What was revoked ends with the next attempt, not with the daemon, which lives for weeks.
    async fn check_approval(self: &Arc<Self>, earlier: Arc<Approval>) -> Result<(), MethodError> {
        let this = self.clone();
        let is_covered = spawn_blocking(move || -> Result<bool, StateError> {
            let installed = State::open(&this.link.state_dir)?.get(&this.link.plugin)?;
            Ok(installed.approval.is_some_and(|approval| approval.covers(&earlier)))
        });
        let is_covered = is_covered.await.map_err(|error| MethodError::Failed(error.to_string()))?;
        if is_covered.map_err(|error| MethodError::Failed(error.to_string()))? {
            return Ok(());
        }
        let name = &self.link.plugin;
        Err(MethodError::Failed(format!(
            "the approval of plugin `{name}` has changed since this channel was configured; run `sandbell plugin \
             approve {name}` if it is to go on, and save the channel again"
        )))
    }

    /// The daemon sends each notification once, so two equal requests are two notifications.
    fn notification_id(&self, sequence: u64, params: &str) -> NotificationId {
        let started_at = self.started_at.as_nanosecond().to_be_bytes();
        let process = std::process::id().to_be_bytes();
        NotificationId::of(&[b"icinga", &started_at, &process, &sequence.to_be_bytes(), params.as_bytes()])
    }
}

/// What is behind the lock is replaced as a whole, so a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
