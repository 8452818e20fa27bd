//! A sandbox, an open slack channel and a lease to try.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use sandbell_broker::{Egress, EgressSettings};
use sandbell_domain::{
    Address, Approval, Channel, Config, Contact, Delivery, Event, Incident, Lease, LogLevel, Notification,
    NotificationId, Object, Severity, Source, TenantId, approve, grant::TlsMaterial,
};
use sandbell_sandbox::{OpenChannel, Sandbox, Settings};
use serde_json::json;
use tokio::runtime::Handle;

/// What both sides call themselves.
pub(crate) const USER_AGENT: &str = "sandbell-bench";

/// Attempts that may run at once: more than any benchmark has in flight.
const ATTEMPTS_MAX: u32 = 128;

pub(crate) fn sandbox(cache: &Path) -> Result<Sandbox> {
    let egress = Egress::new(
        Handle::current(),
        EgressSettings { user_agent: USER_AGENT.to_owned(), now: || jiff::Timestamp::UNIX_EPOCH },
    )?;
    let settings = Settings {
        cache_dir: Some(cache.to_owned()),
        compiler: std::env::current_exe()?,
        attempts_max: ATTEMPTS_MAX,
        log_level: LogLevel::Info,
    };
    Ok(Sandbox::new(settings, Arc::new(egress))?)
}

/// The slack channel with `url` as its webhook, approved for the loopback.
pub(crate) async fn slack(sandbox: &Sandbox, component: &Path, url: &str) -> Result<OpenChannel> {
    let bytes = std::fs::read(component)?;
    let inspected = sandbox.inspect(&bytes).await?;
    let plugin = sandbox.load(&bytes).await?;
    let config = Config::from_json(&inspected.info.config_attrs, &json!({ "webhook_url": url }))?;
    let approval = Approval {
        digest: inspected.digest,
        wants: inspected.info.wants.clone(),
        allow: Vec::new(),
        networks: vec!["127.0.0.1".parse()?],
        ca_file: None,
        client_certificate_file: None,
        client_key_file: None,
        proxy: None,
        approved_at: jiff::Timestamp::UNIX_EPOCH,
        approved_by: "bench".to_owned(),
    };
    let grants = approve(&inspected.info.wants, &config, &approval, &TlsMaterial::default())?;
    let mut channel = Channel::carried(TenantId::local(), "slack", inspected.digest, config, grants);
    channel.limits.attempts_at_once_max = ATTEMPTS_MAX as usize;
    Ok(sandbox.open(&plugin, channel)?)
}

pub(crate) fn lease(channel: &Channel) -> Lease {
    let notification = Notification {
        id: NotificationId::of(&[b"bench"]),
        tenant: TenantId::local(),
        contact: Contact {
            full_name: "Icinga Admin".to_owned(),
            addresses: vec![Address { kind: "slack".to_owned(), address: "#ops".to_owned() }],
        },
        object: Object {
            name: "dummy-809!random fortune".to_owned(),
            url: "http://localhost/icingaweb2/icingadb/service?name=random%20fortune&host.name=dummy-809"
                .to_owned(),
            tags: vec![
                ("host".to_owned(), "dummy-809".to_owned()),
                ("service".to_owned(), "random fortune".to_owned()),
            ],
        },
        incident: Some(Incident {
            id: 1437,
            url: "http://localhost/icingaweb2/notifications/incident?id=1437".to_owned(),
            severity: Some(Severity::Crit),
        }),
        event: Event {
            time: "2026-11-22T04:49:52.699Z".to_owned(),
            kind: String::new(),
            severity: None,
            title: None,
            username: String::new(),
            message: "Something <went> wrong & é".to_owned(),
        },
        links: Vec::new(),
        extra: Vec::new(),
        source: Source { system: "icinga".to_owned(), payload: "{}".to_owned() },
    };
    Lease { delivery: Delivery::new(channel.id, Arc::new(notification)), attempt_number: NonZeroU32::MIN }
}
