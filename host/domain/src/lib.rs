//! Nouns and pure decisions: what a notification, a plugin, a grant and a delivery are.
//!
//! Nothing here does I/O, asks for the time or rolls dice, so every rule can be tested as a table.

pub mod approval;
pub mod channel;
pub mod config;
pub mod delivery;
pub mod escape;
pub mod grant;
pub mod id;
pub mod notification;
pub mod plugin;
pub mod retry;
pub mod route;
pub mod rule;
mod setting;
pub mod target;
pub mod tenant;

pub use approval::Approval;
pub use channel::{Channel, ChannelPolicy, Limits};
pub use config::{Config, ConfigError, Setting, SettingValue};
pub use delivery::{
    Attempt, Delivery, Exchange, Failure, FailureKind, Lease, LogLevel, LogLine, Mode, Outcome, Receipt,
    Usage,
};
pub use grant::{AmqpGrant, Grants, HttpGrant, MqttGrant, Refusal, SmtpGrant, approve};
pub use id::{ChannelId, DeliveryId, NotificationId, TenantId, TokenId};
pub use notification::{Address, Contact, Event, Incident, Link, Notification, Object, Severity, Source};
pub use plugin::{
    Capability, Choice, ConfigOption, DefaultValue, Digest, Localized, OptionKind, PluginInfo, Want,
};
pub use retry::{DeadReason, RetryPolicy, Verdict, judge};
pub use route::{Candidate, RouteError, Target, fan_out};
pub use rule::{AmqpRule, HostPattern, HttpRule, MqttRule, NamePattern, NetworkRule, PathPattern, SmtpRule};
pub use target::BadTarget;
pub use tenant::{Name, Scope, Tenant, Token};
