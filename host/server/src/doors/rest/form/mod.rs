//! What goes over the wire: one form for each noun, strict where it comes in.
//!
//! Invariant: nothing here knows HTTP, so the command line reads and writes the same forms.

mod attempt; // what was tried, said and used up
mod bad; // a field that is wrong, and where it stands
mod channel; // a channel as it is written and as it is read
mod content; // what happened, to what
mod delivery; // how a delivery stands
mod host; // tenants, tokens, the audit log, the host itself
mod notification; // what happened, and who is told
mod plugin; // what is installed and what it may do
mod policy; // how deliveries are tried
mod standing; // how a channel's deliveries stand
mod text; // schemas of the texts that stand everywhere
mod tried; // a recorded try
mod unique; // objects that hold each key once
mod wait; // lengths of time

pub(crate) use attempt::{AttemptForm, FailureForm};
pub(crate) use bad::{BadField, Pointer, text as check_text};
pub(crate) use channel::{ChannelForm, ChannelInput, DisableForm, DraftForm, SecretForm, SecretInput};
pub(crate) use content::{Content, EventForm, Given, IncidentForm, LinkForm, ObjectForm};
pub(crate) use delivery::{DeliveryForm, DeliveryState};
pub(crate) use host::{
    AuditForm, StatusForm, TenantForm, TenantInput, TenantPatch, TokenForm, TokenInput, TokenMade,
};
pub(crate) use notification::{BATCH_MAX, BatchForm, ContactForm, NotificationForm, SampleForm};
pub(crate) use plugin::{ApprovalForm, ApprovalInput, PluginForm};
pub(crate) use policy::PolicyForm;
pub(crate) use standing::{ChannelStanding, CircuitForm, CircuitState};
pub(crate) use text::{
    any_tag, channel_id, dead_reason, dead_reason_or_null, delivery_id, entity_tag, name as name_schema,
    name_or_null, notification_id, time, time_or_null,
};
pub(crate) use tried::{TriedForm, VerdictForm};
pub(crate) use unique::Table;
pub(crate) use wait::Wait;
