//! A serving host: what it accepts and delivers, end to end and durably, and what one tenant's trouble costs another.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sandbell_peers::{Built, Client, Receiver, Reply, Serving};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::{Bench, median};

const IN_FLIGHT: usize = 64;
const DELIVERIES: usize = 5_000;
const TENANTS: usize = 1_000;
const CHANNELS_EACH: usize = 10;
/// How long a steady rate is kept.
const STEADY: Duration = Duration::from_secs(10);

/// A host of its own, gone at the end.
pub(crate) struct Site {
    _dir: TempDir,
    state: PathBuf,
    program: PathBuf,
    serving: Option<Serving>,
}

/// When each message came to the receiver.
#[derive(Clone, Default)]
pub(crate) struct Receipts(Arc<Mutex<HashMap<usize, Instant>>>);

impl Receipts {
    /// A receiver that notes each message once.
    pub(crate) fn start(&self) -> Result<Receiver> {
        let kept = self.clone();
        Receiver::start_forgetful(move |request| {
            let now = Instant::now();
            let text = request.body_text();
            let number = text.split("bench ").nth(1).and_then(|rest| rest.split(' ').next());
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                kept.0.lock().expect("nobody panics with it").entry(number).or_insert(now);
            }
            Reply::new(200, "ok")
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().expect("nobody panics with it").len()
    }

    fn of(&self, number: usize) -> Option<Instant> {
        self.0.lock().expect("nobody panics with it").get(&number).copied()
    }

    fn clear(&self) {
        self.0.lock().expect("nobody panics with it").clear();
    }
}

impl Site {
    pub(crate) fn new(built: &Built) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let (state, program) = (dir.path().join("state"), built.program()?);
        let slack = built.channel("slack")?.to_string_lossy().into_owned();
        for arguments in [
            &["plugin", "install", &slack][..],
            &["plugin", "approve", "slack", "--yes", "--network", "127.0.0.1"],
        ] {
            let status = Command::new(&program)
                .args(arguments)
                .env("SANDBELL_STATE", &state)
                .stdout(Stdio::null())
                .status()?;
            ensure!(status.success(), "sandbell {arguments:?} failed");
        }
        let mut site = Self { _dir: dir, state, program, serving: None };
        site.start()?;
        Ok(site)
    }

    fn start(&mut self) -> Result<()> {
        let configuration = "[log]\nfilter = \"warn,sandbell::serve=info\"\n";
        self.serving = Some(Serving::start(&self.program, &self.state, configuration)?);
        Ok(())
    }

    pub(crate) fn serving(&self) -> &Serving {
        self.serving.as_ref().expect("it was started")
    }

    fn restart(&mut self) -> Result<()> {
        if let Some(serving) = self.serving.take() {
            serving.stop()?;
        }
        self.start()
    }

    fn client(&self, tenant: &str) -> Client {
        self.serving().operator().with("Sandbell-Tenant", tenant)
    }

    pub(crate) fn channel(&self, tenant: &str, name: &str, url: &str, policy: &Json) -> Result<()> {
        let body =
            json!({ "name": name, "plugin": "slack", "secrets": { "webhook_url": url }, "policy": policy });
        let answer = self.client(tenant).json("POST", "/api/v1/channels", &body)?;
        ensure!(answer.status == 201, "{}", answer.text());
        Ok(())
    }

    /// Hands in so many notifications from as many callers as are in flight; `query` may wait for each.
    fn burst(&self, channel: &str, count: usize, query: &'static str) -> Result<Duration> {
        let next = Arc::new(AtomicUsize::new(0));
        let begun = Instant::now();
        let callers: Vec<_> = (0..IN_FLIGHT)
            .map(|_| {
                let (mut client, next, channel) =
                    (self.client("local"), Arc::clone(&next), channel.to_owned());
                thread::spawn(move || -> Result<()> {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok(());
                        }
                        send(&mut client, &channel, number, query)?;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().expect("callers do not panic")?;
        }
        Ok(begun.elapsed())
    }

    /// Hands in at a steady rate; from the call to the receipt: the middle, and what one in a hundred exceeds.
    pub(crate) fn steady(
        &self,
        channel: &str,
        per_second: usize,
        how_long: Duration,
        receipts: &Receipts,
    ) -> Result<(Duration, Duration)> {
        receipts.clear();
        let step = Duration::from_secs(1) / u32::try_from(per_second).unwrap_or(u32::MAX);
        let count = per_second * usize::try_from(how_long.as_secs()).unwrap_or(1);
        let (next, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        let callers: Vec<_> = (0..16)
            .map(|_| {
                let (mut client, next, channel) =
                    (self.client("local"), Arc::clone(&next), channel.to_owned());
                thread::spawn(move || -> Result<Vec<(usize, Instant)>> {
                    let mut sent = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok(sent);
                        }
                        // When it should have been sent: a late caller is the host's delay, too.
                        let due = begun + step * u32::try_from(number).unwrap_or(u32::MAX);
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        send(&mut client, &channel, number, "")?;
                        sent.push((number, due));
                    }
                })
            })
            .collect();
        let mut sent = Vec::new();
        for caller in callers {
            sent.extend(caller.join().expect("callers do not panic")?);
        }
        sandbell_peers::wait_for("every receipt", || (receipts.count() >= count).then_some(()))?;
        let mut delays: Vec<Duration> = Vec::with_capacity(count);
        for (number, due) in sent {
            let received = receipts.of(number).context("a message did not arrive")?;
            delays.push(received.saturating_duration_since(due));
        }
        delays.sort_unstable();
        Ok((delays[delays.len() / 2], delays[(delays.len() - 1) * 99 / 100]))
    }
}

fn make_tenant(client: &mut Client, name: &str) -> Result<()> {
    let answer = client.json("POST", "/api/v1/tenants", &json!({ "name": name }))?;
    ensure!(answer.status < 300, "{}", answer.text());
    Ok(())
}

fn send(client: &mut Client, channel: &str, number: usize, query: &str) -> Result<()> {
    let body = json!({
        "channels": [channel],
        "contacts": [{ "full_name": "Ada Lovelace", "addresses": [{ "kind": "slack", "address": "#ops" }] }],
        "object": { "name": "db1.example.com!disk /var", "tags": { "host": "db1", "service": "disk" } },
        "event": { "message": format!("bench {number} DISK CRITICAL - free space: /var 1234 MB"), "severity": "crit" },
    });
    let answer = client.json("POST", &format!("/api/v1/notifications{query}"), &body)?;
    ensure!(matches!(answer.status, 200 | 202), "{}: {}", answer.status, answer.text());
    Ok(())
}

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let receipts = Receipts::default();
    let receiver = receipts.start()?;
    let site = Site::new(&bench.built)?;
    let policy = json!({ "attempts_at_once_max": IN_FLIGHT });
    site.channel("local", "ops", &receiver.url("/hook"), &policy)?;
    site.channel("local", "held", &receiver.url("/hook"), &json!({ "per_minute_max": 1 }))?;
    site.burst("ops", 500, "?wait=30s")?;

    let accepted = median(&mut [
        rate(DELIVERIES, site.burst("held", DELIVERIES, "")?),
        rate(DELIVERIES, site.burst("held", DELIVERIES, "")?),
        rate(DELIVERIES, site.burst("held", DELIVERIES, "")?),
    ]);
    bench.row("accepted durably over REST, 64 callers", format!("{accepted}/s"), "", true);
    let delivered = median(&mut [
        rate(DELIVERIES, site.burst("ops", DELIVERIES, "?wait=30s")?),
        rate(DELIVERIES, site.burst("ops", DELIVERIES, "?wait=30s")?),
        rate(DELIVERIES, site.burst("ops", DELIVERIES, "?wait=30s")?),
    ]);
    let peak = site.serving().peak_kib()? / 1024;
    bench.row("accepted to delivered, 64 in flight", format!("{delivered}/s, peak {peak} MiB"), "", true);
    for per_second in [200, usize::try_from(delivered / 2)?.max(1)] {
        let (middle, late) = site.steady("ops", per_second, STEADY, &receipts)?;
        let text = format!("p50 {:.1} ms, p99 {:.1} ms", millis(middle), millis(late));
        let what = if per_second == 200 { "at 200 a second" } else { "at half of the maximum" };
        bench.row(what, text, "", true);
    }
    trouble(bench, &site, &receipts)?;
    many(bench)
}

/// One tenant whose receiver hangs, with a full queue.
fn trouble(bench: &mut Bench, site: &Site, receipts: &Receipts) -> Result<()> {
    let (_, before) = site.steady("ops", 200, STEADY, receipts)?;
    let silent = Receiver::start(|_| Reply::hang())?;
    make_tenant(&mut site.serving().operator(), "trouble")?;
    site.channel("trouble", "ops", &silent.url("/hook"), &json!({ "attempts_at_once_max": 64 }))?;
    let mut client = site.client("trouble");
    for number in 0..1_000 {
        send(&mut client, "ops", number, "")?;
    }
    let (_, during) = site.steady("ops", 200, STEADY, receipts)?;
    let ratio = during.as_secs_f64() / before.as_secs_f64();
    let text = format!("p99 {:.1} ms beside {:.1} ms: {ratio:.2}", millis(during), millis(before));
    bench.row("beside a tenant whose receiver hangs", text, "≤ 1.25", ratio <= 1.25);
    Ok(())
}

/// Many tenants and channels, none of which does anything.
fn many(bench: &mut Bench) -> Result<()> {
    let mut site = Site::new(&bench.built)?;
    let mut client = site.serving().operator();
    for tenant in 0..TENANTS {
        let name = format!("t{tenant}");
        make_tenant(&mut client, &name)?;
        let mut own = site.client(&name);
        for channel in 0..CHANNELS_EACH {
            let body = json!({
                "name": format!("c{channel}"), "plugin": "slack", "secrets": { "webhook_url": "http://127.0.0.1:9/hook" },
            });
            let answer = own.json("POST", "/api/v1/channels", &body)?;
            ensure!(answer.status == 201, "{}", answer.text());
        }
    }
    site.restart()?;
    thread::sleep(Duration::from_secs(2));
    let (took, mib) = (site.serving().started_in, site.serving().resident_kib()? / 1024);
    let text = format!("{:.2} s, {mib} MiB", took.as_secs_f64());
    bench.row(
        "10,000 channels over 1,000 tenants: start, idle memory",
        text,
        "< 5 s, < 400 MiB",
        took < Duration::from_secs(5) && mib < 400,
    );
    Ok(())
}

/// Half of what it can do, for so many minutes: memory and open files stay flat after the first tenth.
#[expect(clippy::print_stdout, reason = "it is looked at while it runs")]
pub(crate) fn soak(built: &Built, minutes: u64) -> Result<()> {
    let receipts = Receipts::default();
    let receiver = receipts.start()?;
    let site = Site::new(built)?;
    site.channel("local", "ops", &receiver.url("/hook"), &json!({ "attempts_at_once_max": IN_FLIGHT }))?;
    let most = rate(DELIVERIES, site.burst("ops", DELIVERIES, "?wait=30s")?);
    let per_second = usize::try_from(most / 2)?.max(1);
    println!("{most}/s at most; soaks at {per_second}/s for {minutes} minutes");
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let mut seen = Vec::new();
    while Instant::now() < end {
        let (middle, late) = site.steady("ops", per_second, STEADY, &receipts)?;
        let (kib, files) = (site.serving().resident_kib()?, site.serving().open_files()?);
        println!(
            "{} MiB, {files} open files, p50 {:.1} ms, p99 {:.1} ms",
            kib / 1024,
            millis(middle),
            millis(late)
        );
        seen.push((kib, files));
    }
    // Allocators and caches fill up in the first tenth.
    let settled = &seen[seen.len() / 10..];
    let (first, last) = (settled.first().context("nothing was seen")?, settled.last().context("nothing")?);
    ensure!(last.0 * 10 <= first.0 * 11, "memory grew from {} to {} KiB", first.0, last.0);
    ensure!(last.1 <= first.1 + 16, "open files grew from {} to {}", first.1, last.1);
    println!("flat: {} to {} KiB, {} to {} open files", first.0, last.0, first.1, last.1);
    Ok(())
}

fn rate(count: usize, took: Duration) -> u64 {
    u64::try_from(count as u128 * 1_000_000 / took.as_micros().max(1)).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
