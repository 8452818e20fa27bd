//! How a delivery stands.

use jiff::Timestamp;
use sandbell_domain::{ChannelId, DeadReason, DeliveryId, Name, NotificationId};
use sandbell_store::{State, StateKind, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attempt::FailureForm;
use super::text;

/// One notification, one contact, one channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryForm {
    #[schema(schema_with = text::delivery_id)]
    pub(crate) id: DeliveryId,
    #[schema(schema_with = text::notification_id)]
    pub(crate) notification: NotificationId,
    /// The channel's name; `null` if the channel was deleted since.
    #[schema(schema_with = text::name_or_null)]
    pub(crate) channel: Option<Name>,
    #[schema(schema_with = text::channel_id)]
    pub(crate) channel_id: ChannelId,
    pub(crate) state: DeliveryState,
    /// Waiting: when it may be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::time, required = false)]
    due_at: Option<Timestamp>,
    /// Leased: when another may take it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::time, required = false)]
    lease_expires_at: Option<Timestamp>,
    /// Delivered or dead: since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::time, required = false)]
    settled_at: Option<Timestamp>,
    /// Dead: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::dead_reason, required = false)]
    reason: Option<DeadReason>,
    #[schema(schema_with = text::time)]
    accepted_at: Timestamp,
    /// Since the acceptance or the last redrive, a running one included.
    attempts: u32,
    redrives: u32,
    /// How often whoever tried it was lost without a word.
    lapses: u32,
    /// Of the last try that failed.
    failure: Option<FailureForm>,
}

/// `waiting` to be tried, `leased` by whoever tries it, `delivered`, or `dead`: not tried again until someone redrives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryState {
    Waiting,
    Leased,
    Delivered,
    Dead,
}

impl From<StateKind> for DeliveryState {
    fn from(kind: StateKind) -> Self {
        match kind {
            StateKind::Waiting => Self::Waiting,
            StateKind::Leased => Self::Leased,
            StateKind::Delivered => Self::Delivered,
            StateKind::Dead => Self::Dead,
        }
    }
}

impl From<DeliveryState> for StateKind {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Leased => Self::Leased,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Dead => Self::Dead,
        }
    }
}

impl DeliveryForm {
    /// `channel` is what the channel is called now.
    pub(crate) fn new(status: &Status, channel: Option<Name>) -> Self {
        let Status {
            delivery,
            tenant: _,
            channel: channel_id,
            notification,
            state,
            accepted_at,
            attempts,
            redrives,
            lapses,
            last_failure,
        } = status;
        let (mut due_at, mut lease_expires_at, mut settled_at, mut dead) = (None, None, None, None);
        match *state {
            State::Waiting { due_at: at } => due_at = Some(at),
            State::Leased { expires_at } => lease_expires_at = Some(expires_at),
            State::Delivered { at } => settled_at = Some(at),
            State::Dead { reason, at } => {
                settled_at = Some(at);
                dead = Some(reason);
            }
        }
        Self {
            id: *delivery,
            notification: *notification,
            channel,
            channel_id: *channel_id,
            state: state.kind().into(),
            due_at,
            lease_expires_at,
            settled_at,
            reason: dead,
            accepted_at: *accepted_at,
            attempts: *attempts,
            redrives: *redrives,
            lapses: *lapses,
            failure: last_failure.as_ref().map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_domain::TenantId;

    use super::*;

    #[test]
    fn a_state_brings_what_belongs_to_it_and_nothing_else() {
        let shown = |state| {
            let status = Status {
                delivery: DeliveryId::of(&[b"d"]),
                tenant: TenantId::local(),
                channel: ChannelId::of(&[b"c"]),
                notification: NotificationId::of(&[b"n"]),
                state,
                accepted_at: Timestamp::UNIX_EPOCH,
                attempts: 1,
                redrives: 0,
                lapses: 0,
                last_failure: None,
            };
            let json = serde_json::to_value(DeliveryForm::new(&status, None)).unwrap();
            let words = ["state", "due_at", "lease_expires_at", "settled_at", "reason"];
            let shown: Vec<_> =
                words.iter().filter_map(|word| Some(format!("{word}={}", json.get(word)?))).collect();
            shown.join(" ")
        };
        let at = Timestamp::UNIX_EPOCH;
        assert_snapshot!(shown(State::Waiting { due_at: at }), @r#"state="waiting" due_at="1970-01-01T00:00:00Z""#);
        assert_snapshot!(shown(State::Leased { expires_at: at }), @r#"state="leased" lease_expires_at="1970-01-01T00:00:00Z""#);
        assert_snapshot!(shown(State::Delivered { at }), @r#"state="delivered" settled_at="1970-01-01T00:00:00Z""#);
        assert_snapshot!(shown(State::Dead { reason: DeadReason::TooOld, at }), @r#"state="dead" settled_at="1970-01-01T00:00:00Z" reason="too-old""#);
    }
}
