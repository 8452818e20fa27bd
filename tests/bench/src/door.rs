//! `GetInfo` through the Icinga door, from the spawn to the reply, as the daemon sees it at its start.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use sandbell_peers::{Daemon, Dialect};

use crate::{Bench, median};

const ROUNDS: usize = 50;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (state, links) = (dir.path().join("state"), dir.path().join("links"));
    std::fs::create_dir(&links)?;
    let run = |arguments: &[&str]| -> Result<()> {
        let status = Command::new(bench.built.program()?)
            .args(arguments)
            .env("SANDBELL_STATE", &state)
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "sandbell {arguments:?} failed");
        Ok(())
    };
    let slack = bench.built.channel("slack")?;
    run(&["plugin", "install", &slack.to_string_lossy()])?;
    run(&["plugin", "approve", "slack", "--yes"])?;
    run(&["icinga", "link", "slack", "--dir", &links.to_string_lossy()])?;
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut daemon = Daemon::start(&links.join("slack"), Dialect::JsonRpc)?;
        let info = daemon.call("GetInfo", None)?.map_err(anyhow::Error::msg)?;
        ensure!(info["name"] == "Slack", "GetInfo answers {info}");
        times.push(daemon.first_reply.unwrap_or_default());
        peaks.push(daemon.peak_kib()?);
        daemon.stop()?;
    }
    let (time, peak) = (median(&mut times), median(&mut peaks));
    let micros = format!("{:.1} ms", time.as_secs_f64() * 1e3);
    bench.row("GetInfo from spawn", micros, "< 10 ms", time < Duration::from_millis(10));
    bench.row("memory of that process", format!("{:.1} MiB", kib_to_mib(peak)), "< 40 MiB", peak < 40 * 1024);
    Ok(())
}

fn kib_to_mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}
