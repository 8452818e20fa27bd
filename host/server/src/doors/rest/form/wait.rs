//! Lengths of time as people write them: `30s`, `5m`, `24h`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, schema::Schema};
use utoipa::{PartialSchema, ToSchema};

use super::text;

/// A whole number of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Wait(pub(crate) Duration);

/// Units and what they are in milliseconds, largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// At most four digits, so that no length of time is beyond what a clock can be asked for.
const PATTERN: &str = "^[1-9][0-9]{0,3}(ms|s|m|h|d)$";

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no length of time; write 1 to 9999 and `ms`, `s`, `m`, `h` or `d`, e.g. `30s`")]
pub(crate) struct BadWait(String);

impl FromStr for Wait {
    type Err = BadWait;

    fn from_str(text: &str) -> Result<Self, BadWait> {
        let bad = || BadWait(sandbell_domain::escape::cut(&sandbell_domain::escape::line(text), 80));
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if !(1..=4).contains(&digits) || number.starts_with('0') {
            return Err(bad());
        }
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
        let number: u64 = number.parse().map_err(|_| bad())?;
        Ok(Self(Duration::from_millis(number * millis)))
    }
}

impl fmt::Display for Wait {
    /// In the largest unit in which it is whole. What does not fit into four digits is not lost, only longer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (name, unit) = UNITS.into_iter().find(|(_, unit)| millis % unit == 0).unwrap_or(("ms", 1));
        write!(f, "{}{name}", millis / unit)
    }
}

impl From<Wait> for String {
    fn from(wait: Wait) -> Self {
        wait.to_string()
    }
}

impl TryFrom<String> for Wait {
    type Error = BadWait;

    fn try_from(text: String) -> Result<Self, BadWait> {
        text.parse()
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
        let check = |text: &str, millis: u64| {
            let wait: Wait = text.parse().unwrap();
            assert_eq!(wait, Wait(Duration::from_millis(millis)), "{text}");
            assert_eq!(wait.to_string().parse(), Ok(wait), "{text}");
        };
        check("1ms", 1);
        check("30s", 30_000);
        check("90m", 5_400_000);
        check("24h", 86_400_000);
        check("9999d", 863_913_600_000);
        assert_eq!(Wait(Duration::from_hours(24)).to_string(), "1d");
        assert_eq!(Wait(Duration::from_secs(90)).to_string(), "90s");
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "0s", "05s", "s", "1", "1 s", "-1s", "1.5h", "10000s", "1w", "1S", "١s", "1s\n"] {
            assert!(bad.parse::<Wait>().is_err(), "{bad:?}");
        }
        assert_eq!(
            "1w\n".parse::<Wait>().unwrap_err().to_string(),
            r"`1w\n` is no length of time; write 1 to 9999 and `ms`, `s`, `m`, `h` or `d`, e.g. `30s`"
        );
    }
}
