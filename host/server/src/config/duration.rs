//! `30s`: a number and its unit, and as many of them as one likes.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// The longest that makes sense: what is longer is a slip of the pen.
const MAX: Duration = Duration::from_hours(10 * 366 * 24);

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`", sandbell_domain::escape::line(.0))]
pub(crate) struct BadDuration(String);

pub(crate) fn parse(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.chars().take(80).collect());
    let mut rest = text;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
        let unit = &rest[digits..digits + letters];
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
        millis = number.checked_mul(*factor).and_then(|part| millis.checked_add(part)).ok_or_else(bad)?;
        rest = &rest[digits + letters..];
    }
    let duration = Duration::from_millis(millis);
    if duration.is_zero() || duration > MAX { Err(bad()) } else { Ok(duration) }
}

/// In the largest unit that leaves no rest.
pub(crate) fn text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, factor) =
        UNITS.into_iter().rev().find(|(_, factor)| millis.is_multiple_of(*factor)).unwrap_or(UNITS[0]);
    format!("{}{unit}", millis / factor)
}

pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        let check = |given: &str, want: u64| {
            assert_eq!(parse(given).unwrap(), Duration::from_millis(want), "{given}");
        };
        check("500ms", 500);
        check("30s", 30_000);
        check("1h30m", 5_400_000);
        check("7d", 604_800_000);
        for bad in ["", "0s", "30", "s", "1.5s", "-1s", "1w", "30 s", "99999999999999999999s", "4000d", "1é"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse("soon\n").unwrap_err().to_string(),
            "`soon\\n` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`"
        );
    }

    #[test]
    fn it_is_written_in_its_largest_unit() {
        for given in ["500ms", "30s", "90s", "5m", "1h", "7d"] {
            let duration = parse(given).unwrap();
            assert_eq!(parse(&text(duration)), Ok(duration));
        }
        assert_eq!(text(Duration::from_secs(90)), "90s");
        assert_eq!(text(Duration::from_hours(48)), "2d");
    }
}
