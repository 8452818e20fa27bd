//! What one attempt costs the host and the guest when the answer comes at once.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sandbell_domain::{Lease, Mode, Outcome};
use sandbell_sandbox::{OpenChannel, Sandbox};
use tokio::task::JoinSet;

use crate::{Bench, fixture, median, process_cpu};

const WARM_UP: usize = 2_000;
const ROUNDS: usize = 20_000;
const AT_ONCE: usize = 64;

/// A dry run does everything that a real attempt does but the network: it is the attempt with an answer at once.
pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let cache = tempfile::tempdir()?;
        let sandbox = fixture::sandbox(cache.path())?;
        let channel =
            fixture::slack(&sandbox, &bench.built.channel("slack")?, "http://127.0.0.1:9/hook").await?;
        let lease = fixture::lease(channel.channel());
        let mut times = Vec::with_capacity(ROUNDS);
        let mut cpu = Duration::ZERO;
        for round in 0..WARM_UP + ROUNDS {
            if round == WARM_UP {
                cpu = process_cpu();
            }
            let start = Instant::now();
            let attempt = sandbox.attempt(&channel, &lease, Mode::DryRun).await;
            let time = start.elapsed();
            ensure!(
                matches!(attempt.outcome, Outcome::Delivered { .. }),
                "not delivered: {:?}",
                attempt.outcome
            );
            black_box(&attempt);
            if round >= WARM_UP {
                times.push(time);
            }
        }
        let cpu = process_cpu().saturating_sub(cpu) / u32::try_from(ROUNDS)?;
        let attempt = median(&mut times);
        let mut instances = Vec::with_capacity(ROUNDS);
        for round in 0..WARM_UP + ROUNDS {
            // Measured on the guests' runtime: the way there is part of the attempt, not of this.
            let time = sandbox.instantiate(&channel).await?;
            if round >= WARM_UP {
                instances.push(time);
            }
        }
        let instance = median(&mut instances);
        let busy = busy(Arc::new(sandbox), &channel, &lease).await?;
        let micros = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
        let limit = Duration::from_micros(60);
        bench.row("attempt, answer at once, one of 64: CPU", micros(busy), "< 60 µs", busy < limit);
        let text = format!("{} of CPU, {} on the clock", micros(cpu), micros(attempt));
        bench.row("the same alone, threads woken for it", text, "–", true);
        bench.row(
            "of it store and instance",
            micros(instance),
            "< 12 µs",
            instance < Duration::from_micros(12),
        );
        Ok(())
    })
}

/// CPU of the whole process for an attempt while others run beside it: nobody sleeps, so no waking is counted.
async fn busy(sandbox: Arc<Sandbox>, channel: &OpenChannel, lease: &Lease) -> Result<Duration> {
    let cpu = process_cpu();
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (sandbox, channel, lease) = (Arc::clone(&sandbox), channel.clone(), lease.clone());
        workers.spawn(async move {
            for _ in 0..ROUNDS / AT_ONCE {
                let attempt = sandbox.attempt(&channel, &lease, Mode::DryRun).await;
                ensure!(matches!(attempt.outcome, Outcome::Delivered { .. }), "{:?}", attempt.outcome);
            }
            Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(process_cpu().saturating_sub(cpu) / u32::try_from(ROUNDS / AT_ONCE * AT_ONCE)?)
}
