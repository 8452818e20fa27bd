//! Lengths of time, in the words of the configuration: `30s`, `5m`, `24h`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, schema::Schema};
use utoipa::{PartialSchema, ToSchema};

use super::text;
use crate::config::{BadDuration, duration_text, parse_duration};

/// A length of time, as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Wait(pub(crate) Duration);

/// What everybody writes. Several units in a row are taken, too.
const PATTERN: &str = "^[1-9][0-9]{0,2}(ms|s|m|h|d)$";

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration_text(self.0))
    }
}

impl From<Wait> for String {
    fn from(wait: Wait) -> Self {
        wait.to_string()
    }
}

impl TryFrom<String> for Wait {
    type Error = BadDuration;

    fn try_from(text: String) -> Result<Self, BadDuration> {
        parse_duration(&text).map(Self)
    }
}

impl PartialSchema for Wait {
    fn schema() -> RefOr<Schema> {
        text::string().pattern(Some(PATTERN)).description(Some("A length of time, e.g. `30s`.")).into()
    }
}

impl ToSchema for Wait {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Wait")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_reads_back() {
        for text in ["1ms", "30s", "90m", "999d"] {
            let wait: Wait = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(wait).unwrap(), text);
        }
        for bad in ["", "0s", "30", "1w", "-1s"] {
            assert!(serde_json::from_value::<Wait>(bad.into()).is_err(), "{bad}");
        }
    }
}
