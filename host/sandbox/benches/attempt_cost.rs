//! What one attempt costs: `attempt-cost COMPONENT [CONFIG-JSON] [ROUNDS]` prints medians in microseconds.
//!
//! Everything is built and checked and nothing is sent, so brokers answer at once. Called with `compile-child` it is
//! the compiler, because a sandbox needs a program that is.

use std::error::Error;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sandbell_broker::{Egress, EgressSettings};
use sandbell_domain::{
    Address, Approval, Channel, ChannelId, Config, Contact, Delivery, Event, Lease, Limits, LogLevel, Mode,
    Notification, NotificationId, Object, Outcome, Source, TenantId, approve, grant::TlsMaterial,
};
use sandbell_sandbox::{Sandbox, Settings, compile_child};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("compile-child") => compile_child(),
        Some(component) => {
            let config = arguments.next().unwrap_or_else(|| "{}".to_owned());
            let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(2_000);
            match measure(component, &config, rounds) {
                Ok(table) => {
                    print(&table);
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    print(&format!("{error}\n"));
                    ExitCode::FAILURE
                }
            }
        }
        None => {
            print("usage: attempt-cost COMPONENT [CONFIG-JSON] [ROUNDS]\n");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn print(text: &str) {
    print!("{text}");
}

#[tokio::main]
async fn measure(component: &str, config: &str, rounds: u32) -> Result<String, Box<dyn Error>> {
    let bytes = std::fs::read(component)?;
    let egress = Egress::new(
        tokio::runtime::Handle::current(),
        EgressSettings { user_agent: "bench".to_owned(), now: || Timestamp::UNIX_EPOCH },
    )?;
    let settings = Settings {
        cache_dir: None,
        compiler: std::env::current_exe()?,
        attempts_max: 64,
        log_level: LogLevel::Info,
    };
    let started = Instant::now();
    let sandbox = Sandbox::new(settings, Arc::new(egress))?;
    let sandbox_new = started.elapsed();
    let started = Instant::now();
    let plugin = sandbox.load(&bytes).await?;
    let compiled = started.elapsed();
    let inspected = sandbox.inspect(&bytes).await?;
    let tenant = TenantId::local();
    let config = Config::from_json(&inspected.info.config_attrs, &serde_json::from_str(config)?)?;
    let approval = Approval {
        digest: inspected.digest,
        wants: inspected.info.wants.clone(),
        allow: Vec::new(),
        networks: Vec::new(),
        ca_file: None,
        client_certificate_file: None,
        client_key_file: None,
        proxy: None,
        approved_at: Timestamp::UNIX_EPOCH,
        approved_by: "bench".to_owned(),
    };
    let grants = approve(&inspected.info.wants, &config, &approval, &TlsMaterial::default())?;
    let mut channel = Channel::carried(tenant, "bench", inspected.digest, config, grants);
    channel.limits = Limits::default();
    let channel = sandbox.open(&plugin, channel)?;
    let lease = lease(tenant);

    let mut start = Vec::new();
    for _ in 0..rounds {
        start.push(sandbox.instantiate(&channel).await?);
    }
    let mut whole = Vec::new();
    for _ in 0..rounds {
        let started = Instant::now();
        let attempt = sandbox.attempt(&channel, &lease, Mode::DryRun).await;
        whole.push((started.elapsed(), attempt.usage.cpu));
        if let Outcome::Failed(failure) = attempt.outcome {
            return Err(format!("the attempt failed: {failure} ({})", failure.code).into());
        }
    }
    let median = |mut durations: Vec<Duration>| {
        durations.sort_unstable();
        durations[durations.len() / 2].as_secs_f64() * 1e6
    };
    let (wall, cpu): (Vec<_>, Vec<_>) = whole.into_iter().unzip();
    Ok(format!(
        "sandbox             {:>10.1} µs\ncompile             {:>10.1} µs\nstore and instance  {:>10.1} µs\n\
         attempt, wall       {:>10.1} µs\nattempt, guest CPU  {:>10.1} µs\n",
        sandbox_new.as_secs_f64() * 1e6,
        compiled.as_secs_f64() * 1e6,
        median(start),
        median(wall),
        median(cpu),
    ))
}

fn lease(tenant: TenantId) -> Lease {
    let notification = Notification {
        id: NotificationId::of(&[b"bench"]),
        tenant,
        contact: Contact {
            full_name: "Ada".to_owned(),
            addresses: vec![Address { kind: "email".to_owned(), address: "ada@example.com".to_owned() }],
        },
        object: Object {
            name: "db1!load".to_owned(),
            url: "https://icinga.example.com/db1".to_owned(),
            tags: vec![("host".to_owned(), "db1".to_owned()), ("service".to_owned(), "load".to_owned())],
        },
        incident: None,
        event: Event {
            time: "2026-11-24T12:00:00Z".to_owned(),
            kind: "state".to_owned(),
            severity: None,
            title: None,
            username: String::new(),
            message: "load is 42".to_owned(),
        },
        links: Vec::new(),
        extra: Vec::new(),
        source: Source { system: "api".to_owned(), payload: "{}".to_owned() },
    };
    Lease {
        delivery: Delivery::new(ChannelId::of(&[b"bench"]), Arc::new(notification)),
        attempt_number: NonZeroU32::MIN,
    }
}
