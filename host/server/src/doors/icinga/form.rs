//! What goes between a linked channel and its serving host: JSON over HTTP on a Unix socket of one machine.
//!
//! Both ends are the same program, of versions that can differ while one of them is upgraded: fields are only added.

use sandbell_domain::{ChannelId, DeliveryId, NotificationId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) const CONFIG: &str = "/icinga/v1/config";
pub(super) const NOTIFICATIONS: &str = "/icinga/v1/notifications";
/// With the delivery's id behind it.
pub(super) const DELIVERIES: &str = "/icinga/v1/deliveries/";

/// `POST` [`CONFIG`]: the params of `SetConfig` as they came.
#[derive(Serialize, Deserialize)]
pub(super) struct ConfigForm {
    pub(super) plugin: String,
    pub(super) config: Box<RawValue>,
}

/// The configuration was taken.
#[derive(Serialize, Deserialize)]
pub(super) struct TakenForm {
    pub(super) channel: ChannelId,
}

/// `POST` [`NOTIFICATIONS`]: the params of `SendNotification` as they came. The same `id` is the same notification.
#[derive(Serialize, Deserialize)]
pub(super) struct NotificationForm {
    pub(super) id: NotificationId,
    pub(super) channel: ChannelId,
    /// The daemon's word for this type of channel.
    pub(super) link: String,
    pub(super) params: Box<RawValue>,
}

/// The notification is on the disk.
#[derive(Serialize, Deserialize)]
pub(super) struct AcceptedForm {
    pub(super) delivery: DeliveryId,
}

/// `GET` [`DELIVERIES`]: what the daemon is told, once it is known or waiting has no end.
#[derive(Serialize, Deserialize)]
pub(super) struct ResultForm {
    /// Why it was given up. Absent: it was delivered, or will be tried again.
    pub(super) error: Option<String>,
}

/// Any answer that is no success.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RefusalForm {
    pub(super) code: RefusalCode,
    /// For people.
    pub(super) error: String,
}

/// What a linked channel has to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RefusalCode {
    /// The configuration must change.
    Config,
    /// The notification cannot be read.
    Notification,
    /// The channel is not there (any more): carry its configuration again.
    NoChannel,
    /// This user may not do this.
    NotAllowed,
    #[serde(other)]
    Failed,
}
