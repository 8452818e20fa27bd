//! Deliveries to a loopback receiver, beside the same client and the same JSON without a sandbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sandbell_domain::{Exchange, Mode, Outcome};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::native::{self, Native};
use crate::{Bench, fixture, median, process_cpu, receiver};

const IN_FLIGHT: usize = 64;
const DELIVERIES: usize = 20_000;
/// Turns of both sides, alternating, so that a noisy neighbour disturbs both.
const TURNS: usize = 7;

/// What one turn of one side reached.
struct Turn {
    per_second: u64,
    /// Of the whole process, the receiver included, for one delivery.
    cpu: Duration,
}

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let cache = tempfile::tempdir()?;
        let url = format!("http://{}/hook", receiver::start()?);
        let sandbox = Arc::new(fixture::sandbox(cache.path())?);
        let channel = fixture::slack(&sandbox, &bench.built.channel("slack")?, &url).await?;
        let lease = fixture::lease(channel.channel());
        let notification = Arc::clone(&lease.delivery.notification);
        let sent = body_of(&sandbox.attempt(&channel, &lease, Mode::DryRun).await.exchanges)?;
        let sent: Value = serde_json::from_slice(&sent)?;
        ensure!(sent == native::message(&notification), "the two sides differ: {sent}");
        let client = Native::new(&url)?;

        let (mut native, mut sandboxed) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let (client, notification) = (client.clone(), Arc::clone(&notification));
            let post = move || {
                let (client, notification) = (client.clone(), Arc::clone(&notification));
                async move { client.post(&notification).await }
            };
            native.push(turn(post).await?);
            let (sandbox, channel, lease) = (Arc::clone(&sandbox), channel.clone(), lease.clone());
            let attempt = move || {
                let (sandbox, channel, lease) = (Arc::clone(&sandbox), channel.clone(), lease.clone());
                async move {
                    let attempt = sandbox.attempt(&channel, &lease, Mode::Send).await;
                    let is_delivered = matches!(attempt.outcome, Outcome::Delivered { .. });
                    ensure!(is_delivered, "{:?}", attempt.outcome);
                    Ok(())
                }
            };
            sandboxed.push(turn(attempt).await?);
        }
        show(bench, &native, &sandboxed);
        Ok(())
    })
}

fn show(bench: &mut Bench, native: &[Turn], sandboxed: &[Turn]) {
    let rate = |turns: &[Turn]| median(&mut turns.iter().map(|turn| turn.per_second).collect::<Vec<_>>());
    let cpu = |turns: &[Turn]| {
        median(&mut turns.iter().map(|turn| turn.cpu).collect::<Vec<_>>()).as_secs_f64() * 1e6
    };
    let (native_rate, rate) = (rate(native), rate(sandboxed));
    #[expect(clippy::cast_precision_loss, reason = "a rate has few digits")]
    let ratio = rate as f64 / native_rate as f64;
    let text = format!(
        "{rate}/s beside {native_rate}/s: {ratio:.2} (CPU of both ends {:.0} µs beside {:.0} µs)",
        cpu(sandboxed),
        cpu(native)
    );
    bench.row("deliveries, 64 in flight, beside native reqwest", text, "≥ 0.55", ratio >= 0.55);
}

/// [`DELIVERIES`] with [`IN_FLIGHT`] at once.
async fn turn<F>(one: impl Fn() -> F + Clone + Send + 'static) -> Result<Turn>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let left = Arc::new(AtomicUsize::new(DELIVERIES));
    let (start, cpu) = (Instant::now(), process_cpu());
    let mut workers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (left, one) = (Arc::clone(&left), one.clone());
        workers.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                one().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    let elapsed = start.elapsed().max(Duration::from_millis(1));
    Ok(Turn {
        per_second: u64::try_from(DELIVERIES as u128 * 1_000_000 / elapsed.as_micros())?,
        cpu: process_cpu().saturating_sub(cpu) / u32::try_from(DELIVERIES)?,
    })
}

/// The JSON that the channel sends, which the native side must send too.
fn body_of(exchanges: &[Exchange]) -> Result<Vec<u8>> {
    match exchanges {
        [Exchange::Http(exchange)] => Ok(exchange.body.clone()),
        _ => anyhow::bail!("the slack channel makes one request"),
    }
}
