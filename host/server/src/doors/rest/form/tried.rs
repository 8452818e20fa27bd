//! A recorded try of a delivery, and what became of the delivery after it.

use jiff::Timestamp;
use sandbell_domain::{DeadReason, Verdict};
use sandbell_store::AttemptRecord;
use serde::Serialize;
use utoipa::ToSchema;

use super::attempt::{AttemptForm, ExchangeForm, LogLineForm, OutcomeForm, UsageForm};
use super::text;

/// A recorded try of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tried)]
pub(crate) struct TriedForm {
    /// How often the delivery had been redriven.
    redrive: u32,
    /// Counted from the acceptance or the redrive.
    number: u32,
    #[schema(schema_with = text::time)]
    leased_at: Timestamp,
    #[schema(schema_with = text::time)]
    settled_at: Timestamp,
    verdict: VerdictForm,
    outcome: OutcomeForm,
    exchanges: Vec<ExchangeForm>,
    log: Vec<LogLineForm>,
    usage: UsageForm,
}

/// What became of a delivery after a try.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictForm {
    state: VerdictState,
    /// When it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::time, required = false)]
    retry_at: Option<Timestamp>,
    /// Why it is a dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::dead_reason, required = false)]
    reason: Option<DeadReason>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum VerdictState {
    Delivered,
    Retry,
    Dead,
}

impl From<&AttemptRecord> for TriedForm {
    fn from(record: &AttemptRecord) -> Self {
        let AttemptRecord { redrive, number, leased_at, settled_at, attempt, verdict } = record;
        let AttemptForm { dry_run: _, outcome, exchanges, log, usage } = AttemptForm::new(attempt, false);
        let (redrive, number, leased_at, settled_at) = (*redrive, number.get(), *leased_at, *settled_at);
        let verdict = (*verdict).into();
        Self { redrive, number, leased_at, settled_at, verdict, outcome, exchanges, log, usage }
    }
}

impl From<Verdict> for VerdictForm {
    fn from(verdict: Verdict) -> Self {
        let form = |state, retry_at, reason| Self { state, retry_at, reason };
        match verdict {
            Verdict::Delivered => form(VerdictState::Delivered, None, None),
            Verdict::RetryAt(at) => form(VerdictState::Retry, Some(at), None),
            Verdict::Dead(reason) => form(VerdictState::Dead, None, Some(reason)),
        }
    }
}
