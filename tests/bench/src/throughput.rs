//! Deliveries to a loopback receiver, beside the same client and the same JSON without a sandbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sandbell_domain::{Exchange, Mode, Outcome};

use crate::{Bench, fixture, median, receiver};

const IN_FLIGHT: usize = 64;
const DELIVERIES: usize = 20_000;
/// Turns of both sides, alternating, so that a noisy neighbour disturbs both.
const TURNS: usize = 5;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let cache = tempfile::tempdir()?;
        let url = format!("http://{}/hook", receiver::start()?);
        let sandbox = Arc::new(fixture::sandbox(cache.path())?);
        let channel = fixture::slack(&sandbox, &bench.built.channel("slack")?, &url).await?;
        let lease = fixture::lease(channel.channel());
        let body = body_of(&sandbox.attempt(&channel, &lease, Mode::DryRun).await.exchanges)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(fixture_tls())
            .no_proxy()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;

        let (mut native, mut sandboxed) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            native.push(
                rate(|| {
                    let (client, url, body) = (client.clone(), url.clone(), body.clone());
                    async move {
                        let answer = client
                            .post(&url)
                            .header("content-type", "application/json")
                            .body(body)
                            .send()
                            .await?;
                        ensure!(answer.status() == 200 && answer.bytes().await?.len() == 2, "not delivered");
                        Ok(())
                    }
                })
                .await?,
            );
            sandboxed.push(
                rate(|| {
                    let (sandbox, channel, lease) = (Arc::clone(&sandbox), channel.clone(), lease.clone());
                    async move {
                        let attempt = sandbox.attempt(&channel, &lease, Mode::Send).await;
                        ensure!(
                            matches!(attempt.outcome, Outcome::Delivered { .. }),
                            "{:?}",
                            attempt.outcome
                        );
                        Ok(())
                    }
                })
                .await?,
            );
        }
        let (native, sandboxed) = (median(&mut native), median(&mut sandboxed));
        #[expect(clippy::cast_precision_loss, reason = "a rate has few digits")]
        let ratio = sandboxed as f64 / native as f64;
        let text = format!("{sandboxed}/s beside {native}/s: {ratio:.2}");
        bench.row("deliveries, 64 in flight, beside native reqwest", text, "≥ 0.55", ratio >= 0.55);
        Ok(())
    })
}

/// Deliveries a second with [`IN_FLIGHT`] at once.
async fn rate<F>(one: impl Fn() -> F) -> Result<u64>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let left = Arc::new(AtomicUsize::new(DELIVERIES));
    let start = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    let make = Arc::new(std::sync::Mutex::new((0..DELIVERIES).map(|_| one()).collect::<Vec<_>>()));
    for _ in 0..IN_FLIGHT {
        let (left, make) = (Arc::clone(&left), Arc::clone(&make));
        workers.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                let next = make.lock().expect("no worker panics while it holds the list").pop();
                if let Some(next) = next {
                    next.await?;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    let elapsed = start.elapsed().max(Duration::from_millis(1));
    Ok(u64::try_from(DELIVERIES as u128 * 1_000_000 / elapsed.as_micros())?)
}

/// The JSON that the channel sends, so that the native side sends the same.
fn body_of(exchanges: &[Exchange]) -> Result<Vec<u8>> {
    match exchanges {
        [Exchange::Http(exchange)] => Ok(exchange.body.clone()),
        _ => anyhow::bail!("the slack channel makes one request"),
    }
}

fn fixture_tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
