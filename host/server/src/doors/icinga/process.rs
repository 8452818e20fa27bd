//! A process of the daemon, whoever does the methods' work: streams, signals, its end.

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sandbell_domain::{NotificationId, escape};
use serde_json::value::RawValue;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::connect::Connect;
use super::connected::Connected;
use super::host::Host;
use super::journal::Journal;
use super::link::Link;
use super::serve::{Call, Ended, serve};
use super::sink::{self, Sink};
use super::wire::{Answer, Dialect, MethodError};
use super::{info, reader};
use crate::clock::Clock;
use crate::engine::Engine;
use crate::install::State;
use crate::telemetry;

/// All of `SetConfig`: the daemon waits for it without a limit of its own (`reference/icinga.md` §1.7).
pub(super) const SET_CONFIG: Duration = Duration::from_secs(5);

/// The last lines of a process that ends.
const FLUSH: Duration = Duration::from_millis(500);

/// Answers the daemon.
pub(super) trait Methods: Send + Sync + 'static {
    fn answer(self: Arc<Self>, call: Call) -> impl Future<Output = Answer> + Send;
}

/// Serves the daemon on the standard streams until it is done with us; attempts are made in this process.
pub(crate) fn run(link: Link, engine: Engine, log_filter: Option<&str>, clock: Clock) -> ExitCode {
    serve_daemon(log_filter, clock, |journal| Host::new(link, engine, journal, clock.now()))
}

/// As [`run`]; a serving host does the work.
pub(crate) fn run_connected(
    link: Link,
    connect: &Connect,
    log_filter: Option<&str>,
    clock: Clock,
) -> ExitCode {
    serve_daemon(log_filter, clock, |_| Connected::new(link, connect, clock.now()))
}

fn serve_daemon<M: Methods>(
    log_filter: Option<&str>,
    clock: Clock,
    methods: impl FnOnce(Journal) -> M,
) -> ExitCode {
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
    let methods = Arc::new(methods(journal.clone()));
    let exit = runtime.block_on(async {
        let handle = |call| Arc::clone(&methods).answer(call);
        let ended = serve(requests, stdout.lines.clone(), &journal, stop_signal(), handle).await;
        finish(ended, stdout, stderr, clock).await
    });
    runtime.shutdown_background();
    // An engine's threads end with the process; waiting for them could take longer than the daemon does.
    std::mem::forget(methods);
    exit
}

/// Answered from what the plugin said when it was installed: no engine, no compiler, no serving host.
pub(super) fn get_info(link: &Link) -> Result<String, MethodError> {
    let state = State::open(&link.state_dir);
    let info = state.and_then(|state| state.running_info(&link.plugin));
    let info = info.map_err(|error| MethodError::Failed(error.to_string()))?;
    Ok(info::to_json(&info))
}

/// The daemon sends each notification once, so two equal requests are two notifications.
pub(super) fn notification_id(started_at: Timestamp, sequence: u64, params: &RawValue) -> NotificationId {
    let started_at = started_at.as_nanosecond().to_be_bytes();
    let process = std::process::id().to_be_bytes();
    let params = params.get().as_bytes();
    NotificationId::of(&[b"icinga", &started_at, &process, &sequence.to_be_bytes(), params])
}

pub(super) fn no_config() -> MethodError {
    MethodError::Failed("the channel has no configuration yet; call SetConfig first".to_owned())
}

pub(super) fn too_slow_config() -> MethodError {
    MethodError::Config(format!("no answer within {} s", SET_CONFIG.as_secs()))
}

/// What is behind the lock is replaced as a whole, so a panic elsewhere leaves nothing half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
