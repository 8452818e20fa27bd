//! How the deliveries of a channel are tried.

use std::num::NonZeroU32;

use sandbell_domain::{ChannelPolicy, RetryPolicy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bad::{BadField, Pointer};
use super::wait::Wait;

/// How the deliveries of a channel are tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Policy)]
pub(crate) struct PolicyForm {
    retry: RetryForm,
    #[schema(value_type = u32, minimum = 1, maximum = 1000)]
    attempts_at_once_max: NonZeroU32,
    /// One after the other in the order of their acceptance.
    is_ordered: bool,
    /// Attempts that may begin in a minute; `null`: as many as there are.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100_000)]
    per_minute_max: Option<NonZeroU32>,
    /// The channel is disabled after so many failed attempts in a row; `null`: never.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    disable_after: Option<NonZeroU32>,
}

/// How long and how often a delivery is tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Retry)]
struct RetryForm {
    /// The longest wait before the second try; it doubles with every further one.
    wait_first: Wait,
    /// Where doubling ends.
    wait_max: Wait,
    /// No try begins later, counted from the acceptance.
    age_max: Wait,
    #[schema(value_type = u32, minimum = 1, maximum = 1000)]
    attempts_max: NonZeroU32,
}

impl PolicyForm {
    pub(super) fn check(&self, at: &Pointer) -> Result<(), BadField> {
        let Self { retry, attempts_at_once_max, is_ordered: _, per_minute_max, disable_after } = self;
        let RetryForm { wait_first: _, wait_max: _, age_max: _, attempts_max } = retry;
        let most = |at: Pointer, number: Option<NonZeroU32>, max: u32| match number {
            Some(number) if number.get() > max => {
                Err(BadField::new(at, format!("is {number}; at most {max} is allowed")))
            }
            Some(_) | None => Ok(()),
        };
        most(at.then("retry").then("attempts_max"), Some(*attempts_max), 1_000)?;
        most(at.then("attempts_at_once_max"), Some(*attempts_at_once_max), 1_000)?;
        most(at.then("per_minute_max"), *per_minute_max, 100_000)?;
        most(at.then("disable_after"), *disable_after, 1_000)
    }
}

impl Default for PolicyForm {
    fn default() -> Self {
        (&ChannelPolicy::default()).into()
    }
}

impl Default for RetryForm {
    fn default() -> Self {
        PolicyForm::default().retry
    }
}

impl From<&ChannelPolicy> for PolicyForm {
    fn from(policy: &ChannelPolicy) -> Self {
        let ChannelPolicy { retry, attempts_at_once_max, is_ordered, per_minute_max, disable_after } = policy;
        let RetryPolicy { wait_first, wait_max, age_max, attempts_max } = retry;
        Self {
            retry: RetryForm {
                wait_first: Wait(*wait_first),
                wait_max: Wait(*wait_max),
                age_max: Wait(*age_max),
                attempts_max: *attempts_max,
            },
            attempts_at_once_max: *attempts_at_once_max,
            is_ordered: *is_ordered,
            per_minute_max: *per_minute_max,
            disable_after: *disable_after,
        }
    }
}

impl From<PolicyForm> for ChannelPolicy {
    fn from(form: PolicyForm) -> Self {
        let PolicyForm { retry, attempts_at_once_max, is_ordered, per_minute_max, disable_after } = form;
        let RetryForm { wait_first, wait_max, age_max, attempts_max } = retry;
        Self {
            retry: RetryPolicy {
                wait_first: wait_first.0,
                wait_max: wait_max.0,
                age_max: age_max.0,
                attempts_max,
            },
            attempts_at_once_max,
            is_ordered,
            per_minute_max,
            disable_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn what_is_absent_has_its_default() {
        let policy = |json: Json| ChannelPolicy::from(serde_json::from_value::<PolicyForm>(json).unwrap());
        assert_eq!(policy(json!({})), ChannelPolicy::default());
        let wanted = ChannelPolicy {
            retry: RetryPolicy { attempts_max: NonZeroU32::MIN, ..RetryPolicy::default() },
            disable_after: NonZeroU32::new(3),
            ..ChannelPolicy::default()
        };
        assert_eq!(policy(json!({ "retry": { "attempts_max": 1 }, "disable_after": 3 })), wanted);
        assert_snapshot!(serde_json::to_string(&PolicyForm::default()).unwrap(), @r#"{"retry":{"wait_first":"5s","wait_max":"1h","age_max":"1d","attempts_max":20},"attempts_at_once_max":16,"is_ordered":false,"per_minute_max":null,"disable_after":null}"#);
        assert_eq!(policy(serde_json::to_value(PolicyForm::default()).unwrap()), ChannelPolicy::default());
    }
}
