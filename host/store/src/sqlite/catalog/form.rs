//! The stored form of a policy, and names as they are read back.

use std::num::NonZeroU32;
use std::time::Duration;

use sandbell_domain::{ChannelPolicy, Name, RetryPolicy};
use serde::{Deserialize, Serialize};

use crate::sqlite::fault::Fault;

/// A type of its own, so that a change of the domain's cannot change what lies on the disk unnoticed.
#[derive(Serialize, Deserialize)]
pub(super) struct PolicyV1 {
    wait_first: Duration,
    wait_max: Duration,
    age_max: Duration,
    attempts_max: NonZeroU32,
    attempts_at_once_max: NonZeroU32,
    is_ordered: bool,
    per_minute_max: Option<NonZeroU32>,
    disable_after: Option<NonZeroU32>,
}

impl From<ChannelPolicy> for PolicyV1 {
    fn from(policy: ChannelPolicy) -> Self {
        let ChannelPolicy { retry, attempts_at_once_max, is_ordered, per_minute_max, disable_after } = policy;
        let RetryPolicy { wait_first, wait_max, age_max, attempts_max } = retry;
        Self {
            wait_first,
            wait_max,
            age_max,
            attempts_max,
            attempts_at_once_max,
            is_ordered,
            per_minute_max,
            disable_after,
        }
    }
}

impl From<PolicyV1> for ChannelPolicy {
    fn from(form: PolicyV1) -> Self {
        let PolicyV1 {
            wait_first,
            wait_max,
            age_max,
            attempts_max,
            attempts_at_once_max,
            is_ordered,
            per_minute_max,
            disable_after,
        } = form;
        let retry = RetryPolicy { wait_first, wait_max, age_max, attempts_max };
        Self { retry, attempts_at_once_max, is_ordered, per_minute_max, disable_after }
    }
}

/// A column that holds a name.
pub(super) fn name(text: &str) -> Result<Name, Fault> {
    text.parse().map_err(|_| Fault::Value("a name that names nothing"))
}
