//! A tenant's configured use of a plugin, and what it may use up.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::{ChannelId, Config, Digest, Grants, RetryPolicy, TenantId};

/// A plugin, a configuration that it was given, and the powers that follow from both.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: ChannelId,
    pub tenant: TenantId,
    /// The plugin's name on this host, e.g. `slack`.
    pub kind: String,
    pub plugin: Digest,
    pub config: Config,
    pub grants: Grants,
    pub limits: Limits,
}

impl Channel {
    /// A channel whose configuration is carried by the source, as Icinga does. Its id follows from tenant, kind and
    /// settings (not from secrets, whose digest could be guessed), so the same configuration is the same channel.
    pub fn carried(tenant: TenantId, kind: &str, plugin: Digest, config: Config, grants: Grants) -> Self {
        let id = Self::carried_id(tenant, kind, &config, 0);
        Self { id, tenant, kind: kind.to_owned(), plugin, config, grants, limits: Limits::default() }
    }

    /// The id of a carried channel. Where several differ in their secrets only, `nth` tells them apart; the first is 0.
    pub fn carried_id(tenant: TenantId, kind: &str, config: &Config, nth: u32) -> ChannelId {
        let (identity, nth_bytes) = (config.identity(), nth.to_be_bytes());
        let parts: [&[u8]; 4] = [tenant.as_bytes(), kind.as_bytes(), &identity, &nth_bytes];
        ChannelId::of(if nth == 0 { &parts[..3] } else { &parts })
    }
}

/// How the deliveries of a channel are tried; a tenant may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPolicy {
    pub retry: RetryPolicy,
    pub attempts_at_once_max: NonZeroU32,
    /// One after the other in the order of their acceptance.
    pub is_ordered: bool,
    /// Attempts that may begin in a minute. Absent: as many as there are.
    pub per_minute_max: Option<NonZeroU32>,
    /// The channel is disabled after so many failed attempts in a row (Quay does so after 3). Absent: never.
    pub disable_after: Option<NonZeroU32>,
}

impl Default for ChannelPolicy {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            attempts_at_once_max: NonZeroU32::MIN.saturating_add(15),
            is_ordered: false,
            per_minute_max: None,
            disable_after: None,
        }
    }
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What one attempt of a channel may use; defaults and reasons after `reference/security.md` §3.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall clock of one attempt, everything included.
    pub attempt: Duration,
    /// Wall clock of `set-config`.
    pub set_config: Duration,
    /// CPU of the guest in one attempt; a loop without an end runs into it.
    pub cpu: Duration,
    /// Memory of the guest, summed over all of its memories.
    pub memory_bytes_max: usize,
    /// Elements of all tables of the guest.
    pub table_elements_max: usize,
    /// Calls from the guest to the host in one attempt.
    pub host_calls_max: u32,
    /// What a guest can make the host hold while one call is lifted.
    pub host_call_bytes_max: usize,
    pub http_requests_max: u32,
    pub http_request_bytes_max: usize,
    pub http_request_bytes_total_max: usize,
    /// After decompression.
    pub http_response_bytes_max: usize,
    pub http_response_bytes_total_max: usize,
    pub mails_max: u32,
    pub mail_recipients_max: usize,
    pub mail_bytes_max: usize,
    /// Messages to AMQP and MQTT brokers, together.
    pub publishes_max: u32,
    /// One message: its body, its headers and its names.
    pub publish_bytes_max: usize,
    pub log_lines_max: usize,
    pub log_bytes_max: usize,
    /// A text that a plugin returns: receipt, error, config error.
    pub result_bytes_max: usize,
    /// Attempts of one channel at the same time.
    pub attempts_at_once_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(30),
            set_config: Duration::from_secs(5),
            cpu: Duration::from_millis(500),
            memory_bytes_max: 64 * MIB,
            table_elements_max: 20_000,
            host_calls_max: 10_000,
            host_call_bytes_max: MIB,
            http_requests_max: 10,
            http_request_bytes_max: MIB,
            http_request_bytes_total_max: 5 * MIB,
            http_response_bytes_max: MIB,
            http_response_bytes_total_max: 5 * MIB,
            mails_max: 1,
            mail_recipients_max: 50,
            mail_bytes_max: 10 * MIB,
            publishes_max: 10,
            publish_bytes_max: 256 * KIB,
            log_lines_max: 200,
            log_bytes_max: 64 * KIB,
            result_bytes_max: 4 * KIB,
            attempts_at_once_max: 16,
        }
    }
}
