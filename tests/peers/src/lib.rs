//! The peers that Sandbell talks to in tests, demo and bench; all of them real, all on free loopback ports.
//!
//! A peer shares no code with Sandbell: it is started, asked what it saw, and stopped when it is dropped. It is plain
//! threads and `std`.

mod built;
mod client;
mod http;
mod icinga;
mod mosquitto;
mod postfix;
mod rabbitmq;
mod serving;
mod tls;

pub use built::Built;
pub use client::{Answer, At, Client};
pub use http::{Receiver, Reply, Request};
pub use icinga::{Daemon, Dialect, example_request};
pub use mosquitto::{MOSQUITTO_USER, Mosquitto, Subscriber};
pub use postfix::{Postfix, RECIPIENT, REFUSED, USER};
pub use rabbitmq::{RABBITMQ_USER, RABBITMQ_VHOST, RabbitMq};
pub use serving::{Serving, Signal};
pub use tls::Authority;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a peer may take to start or to show what arrived.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.port())
}

/// Asks until the answer is there; for what other processes do, which no channel can announce.
pub fn wait_for<T>(what: &str, ask: impl FnMut() -> Option<T>) -> Result<T> {
    wait_for_at_most(PATIENCE, what, ask)
}

/// As [`wait_for`], for what takes longer than most.
pub fn wait_for_at_most<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if start.elapsed() > patience {
            bail!("{what} did not happen within {} s", patience.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
