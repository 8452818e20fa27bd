//! A delivery, one try of it, and how the try ended.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, DeliveryId, Notification, TenantId};

/// One notification, one contact, one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The same on every try: the plugin passes it on as an idempotency key.
    pub id: DeliveryId,
    pub tenant: TenantId,
    pub channel: ChannelId,
    pub notification: Arc<Notification>,
}

impl Delivery {
    /// The id follows from notification, channel and contact, so accepting twice makes nothing new.
    pub fn new(channel: ChannelId, notification: Arc<Notification>) -> Self {
        let contact = serde_json::to_vec(&notification.contact).expect("texts always serialise");
        let id = DeliveryId::of(&[notification.id.as_bytes(), channel.as_bytes(), &contact]);
        Self { id, tenant: notification.tenant, channel, notification }
    }
}

/// The right to try a delivery.
#[derive(Clone, Debug)]
pub struct Lease {
    pub delivery: Delivery,
    pub attempt_number: NonZeroU32,
}

/// Whether an attempt reaches the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Send,
    /// Everything is built, checked and recorded; nothing is sent.
    DryRun,
}

/// One try: how it ended and what can be told of it. Secrets are masked in every text.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub outcome: Outcome,
    /// What was said to the world, in order.
    pub exchanges: Vec<Exchange>,
    pub log: Vec<LogLine>,
    pub usage: Usage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered { receipt: Receipt },
    Failed(Failure),
}

/// What the provider gave in return.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub provider_id: Option<String>,
    pub detail: Option<String>,
    pub links: Vec<crate::Link>,
}

/// Why an attempt failed. `code` is stable, `detail` is for people; both are safe to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    pub kind: FailureKind,
    pub code: String,
    pub detail: String,
    pub retry_after: Option<Duration>,
}

/// Whose move it is after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Trying again can help.
    Transient,
    /// Trying again cannot help.
    Permanent,
    /// The channel's configuration must change.
    Misconfigured,
    /// A power was used that nobody granted.
    Denied,
    /// The plugin broke down or broke a limit of memory, calls or size.
    Trapped,
    /// The plugin used up its time.
    TimedOut,
}

impl FailureKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Misconfigured => "misconfigured",
            Self::Denied => "denied",
            Self::Trapped => "trapped",
            Self::TimedOut => "timed-out",
        }
    }
}

/// One brokered conversation, as it was on the wire with secrets masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    Http(HttpExchange),
    Smtp(SmtpExchange),
    Publish(PublishExchange),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpExchange {
    pub method: String,
    pub url: String,
    /// In wire order, with those that the host adds.
    pub headers: Vec<(String, String)>,
    /// Cut at 64 KiB.
    pub body: Vec<u8>,
    /// Absent if no answer came or nothing was sent.
    pub answer: Option<HttpAnswer>,
    pub error: Option<String>,
    pub duration: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Cut at 4 KiB.
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpExchange {
    /// `host:port`, and how it is encrypted.
    pub server: String,
    pub login: Option<String>,
    pub from: String,
    pub to: Vec<String>,
    /// The MIME message as handed to the server. Cut at 64 KiB.
    pub message: Vec<u8>,
    /// The server's last reply.
    pub answer: Option<String>,
    pub error: Option<String>,
    pub duration: Duration,
}

/// A message to an AMQP or MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishExchange {
    /// The kind of power that it used.
    pub capability: crate::Capability,
    /// `amqps://mq.example.com:5671/shop`.
    pub broker: String,
    pub login: Option<String>,
    /// `exchange:alerts key:db`, or `topic:alerts/db` and how it is sent.
    pub place: String,
    pub headers: Vec<(String, String)>,
    /// Cut at 64 KiB.
    pub body: Vec<u8>,
    /// How the broker took it over, in the protocol's words.
    pub answer: Option<String>,
    pub error: Option<String>,
    pub duration: Duration,
}

/// One line that a plugin wrote, escaped and with secrets masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What an attempt cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub wall: Duration,
    /// Of the guest and of the host on its behalf, by the clock of the thread that ran them; waiting is free.
    pub cpu: Duration,
    pub memory_peak_bytes: usize,
    pub host_calls: u32,
    pub sent_bytes: usize,
    pub received_bytes: usize,
}
