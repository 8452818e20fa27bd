//! A sandbox, a channel and a notification to try things with.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sandbell_broker::{Egress, EgressSettings};
use sandbell_domain::{
    Attempt, Channel, Config, Contact, Delivery, Event, Failure, Grants, Lease, Limits, LogLevel, Mode,
    Notification, NotificationId, Object, Outcome, Source, TenantId,
};
use sandbell_sandbox::{OpenChannel, Plugin, Sandbox, Settings};
use tokio::runtime::Handle;

use crate::guest::Guest;

pub(crate) fn settings() -> Settings {
    Settings {
        cache_dir: None,
        compiler: PathBuf::from(env!("CARGO_BIN_EXE_attempt-cost")),
        attempts_max: 8,
        log_level: LogLevel::Debug,
    }
}

pub(crate) fn sandbox() -> Sandbox {
    sandbox_with(settings())
}

pub(crate) fn sandbox_with(settings: Settings) -> Sandbox {
    let egress = Egress::new(
        Handle::current(),
        EgressSettings { user_agent: "tests".to_owned(), now: || jiff::Timestamp::UNIX_EPOCH },
    )
    .unwrap();
    Sandbox::new(settings, Arc::new(egress)).unwrap()
}

/// Limits that end a loop soon, on however busy a machine.
pub(crate) fn limits() -> Limits {
    Limits { cpu: Duration::from_millis(100), set_config: Duration::from_secs(30), ..Limits::default() }
}

pub(crate) fn open(sandbox: &Sandbox, plugin: &Plugin, limits: Limits) -> OpenChannel {
    open_granted(sandbox, plugin, limits, Grants::default())
}

pub(crate) fn open_granted(
    sandbox: &Sandbox,
    plugin: &Plugin,
    limits: Limits,
    grants: Grants,
) -> OpenChannel {
    let mut channel = Channel::carried(TenantId::local(), "test", plugin.digest(), Config::default(), grants);
    channel.limits = limits;
    sandbox.open(plugin, channel).unwrap()
}

pub(crate) fn lease() -> Lease {
    let tenant = TenantId::local();
    let notification = Notification {
        id: NotificationId::of(&[b"test"]),
        tenant,
        contact: Contact::default(),
        object: Object { name: "db1".to_owned(), ..Object::default() },
        incident: None,
        event: Event {
            time: "2026-11-24T12:00:00Z".to_owned(),
            kind: "state".to_owned(),
            severity: None,
            title: None,
            username: String::new(),
            message: "down".to_owned(),
        },
        links: Vec::new(),
        extra: Vec::new(),
        source: Source { system: "api".to_owned(), payload: "{}".to_owned() },
    };
    let channel = sandbell_domain::ChannelId::of(&[b"test"]);
    Lease { delivery: Delivery::new(channel, Arc::new(notification)), attempt_number: NonZeroU32::MIN }
}

/// Loads, opens and tries once.
pub(crate) async fn try_once(guest: &Guest) -> Attempt {
    try_with(guest, limits()).await
}

pub(crate) async fn try_with(guest: &Guest, limits: Limits) -> Attempt {
    let sandbox = sandbox();
    let plugin = sandbox.load(&guest.build()).await.unwrap();
    sandbox.attempt(&open(&sandbox, &plugin, limits), &lease(), Mode::Send).await
}

/// How an attempt ended, on one line.
pub(crate) fn outcome(attempt: &Attempt) -> String {
    match &attempt.outcome {
        Outcome::Delivered { receipt } => format!("delivered {receipt:?}"),
        Outcome::Failed(Failure { kind, code, detail, retry_after: _ }) => {
            format!("{} [{code}] {detail}", kind.as_str())
        }
    }
}
