//! Memory stays flat while one channel delivers a thousand times, and again.

use anyhow::{Context as _, Result, ensure};
use sandbell_domain::{Mode, Outcome};

use crate::{Bench, fixture, receiver};

const SENDS: usize = 1_000;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let cache = tempfile::tempdir()?;
        let url = format!("http://{}/hook", receiver::start()?);
        let sandbox = fixture::sandbox(cache.path())?;
        let channel = fixture::slack(&sandbox, &bench.built.channel("slack")?, &url).await?;
        let lease = fixture::lease(channel.channel());
        let mut resident = Vec::new();
        for _ in 0..3 {
            for _ in 0..SENDS {
                let attempt = sandbox.attempt(&channel, &lease, Mode::Send).await;
                ensure!(matches!(attempt.outcome, Outcome::Delivered { .. }), "{:?}", attempt.outcome);
            }
            resident.push(resident_kib()?);
        }
        let (first, last) = (resident[0], resident[2]);
        let text = format!("{first} KiB after {SENDS}, {last} KiB after {}", 3 * SENDS);
        // Two per cent is what allocators keep back by chance.
        bench.row("soak, resident memory", text, "flat (+2 %)", last * 50 <= first * 51);
        Ok(())
    })
}

fn resident_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}
