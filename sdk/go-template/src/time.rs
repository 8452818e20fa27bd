//! Go's `time.Time`, as far as a template can look into it.

use std::{fmt, sync::Arc};

use jiff::{Timestamp, Zoned, tz::Offset};

use crate::{CallError, Named, Params, Value, civil::Civil, layout};

/// The layout of Go's `Time.String`.
const STRING: &str = "2006-01-02 15:04:05.999999999 -0700 MST";
const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";
/// The start of the year 1, which is Go's zero time.
const ZERO_SECONDS: i64 = -62_135_596_800;

/// A point in time as seen in one zone.
///
/// A template can call the methods `Format`, `String`, `Unix`, `UnixMilli`, `UnixMicro`, `UnixNano`, `Year`,
/// `Month`, `Day`, `YearDay`, `Weekday`, `Hour`, `Minute`, `Second`, `Nanosecond`, `UTC`, `IsZero`, `Equal`, `Before`
/// and `After`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970 in UTC, and the nanoseconds after them, which are never negative.
    instant: (i64, i64),
    offset_seconds: i64,
    /// The zone's short name, such as `CET`; empty where only the offset is known.
    zone: Arc<str>,
}

impl Time {
    /// A point in time at an offset, with the zone's short name; `UTC` is what Go calls UTC.
    pub fn new(timestamp: Timestamp, offset: Offset, zone: &str) -> Self {
        let (second, nanosecond) = (timestamp.as_second(), i64::from(timestamp.subsec_nanosecond()));
        // Before 1970 the library counts both parts backwards.
        let instant =
            if nanosecond < 0 { (second - 1, nanosecond + 1_000_000_000) } else { (second, nanosecond) };
        Self { instant, offset_seconds: offset.seconds().into(), zone: zone.into() }
    }

    /// Reads RFC 3339, keeping the offset. `None` if the text is something else.
    ///
    /// [`Time::to_rfc3339`] writes the same text back if Go wrote this one: without zeros at the end of the fraction,
    /// and with `Z` for an offset of zero. Digits after the nanosecond are dropped.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once('T')?;
        let mut date = date.split('-');
        let civil = Civil {
            year: number(date.next()?, 4)?,
            month: number(date.next()?, 2)?,
            day: number(date.next()?, 2)?,
            hour: number(rest.get(0..2)?, 2)?,
            minute: number(rest.get(2..5)?.strip_prefix(':')?, 2)?,
            second: number(rest.get(5..8)?.strip_prefix(':')?, 2)?,
        };
        if date.next().is_some() {
            return None;
        }
        let (nanosecond, rest) = fraction(&rest[8..])?;
        let (offset_seconds, zone) = if rest == "Z" {
            (0, "UTC")
        } else {
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            let sign = match rest.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            (sign * (hours * 3600 + minutes * 60), "")
        };
        let second = civil.to_seconds()? - offset_seconds;
        Some(Self { instant: (second, nanosecond), offset_seconds, zone: zone.into() })
    }

    /// RFC 3339 with as many digits of the second as needed, as Go's JSON has it.
    pub fn to_rfc3339(&self) -> String {
        self.format(RFC3339_NANO)
    }

    /// Go's `Format`: the layout shows how 2 January 2006, 15:04:05 in `MST` would be written.
    pub fn format(&self, layout: &str) -> String {
        layout::format(layout, self.civil(), self.instant.1, self.offset_seconds, &self.zone)
    }

    fn civil(&self) -> Civil {
        Civil::from_seconds(self.instant.0 + self.offset_seconds)
    }

    /// What the method of this name takes; `None` if there is no such method here.
    pub(crate) fn method(name: &str) -> Option<Params> {
        match name {
            "Format" => Some(Params::strings(1)),
            "Equal" | "Before" | "After" => Some(Params::exactly(1)),
            "String" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "Year" | "Month" | "Day"
            | "YearDay" | "Weekday" | "Hour" | "Minute" | "Second" | "Nanosecond" | "UTC" | "IsZero" => {
                Some(Params::exactly(0))
            }
            _ => None,
        }
    }

    pub(crate) fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let civil = self.civil();
        let (second, nanosecond) = self.instant;
        let value = match (name, args) {
            ("Format", [Value::String(layout)]) => self.format(layout).into(),
            ("String", _) => self.to_string().into(),
            ("UTC", _) => Self { offset_seconds: 0, zone: "UTC".into(), ..self.clone() }.into(),
            ("IsZero", _) => Value::Bool(self.instant == (ZERO_SECONDS, 0)),
            ("Equal", [Value::Time(other)]) => Value::Bool(self.instant == other.instant),
            ("Before", [Value::Time(other)]) => Value::Bool(self.instant < other.instant),
            ("After", [Value::Time(other)]) => Value::Bool(self.instant > other.instant),
            ("Month", _) => named("time.Month", layout::month(civil), civil.month),
            ("Weekday", _) => named("time.Weekday", layout::weekday(civil), civil.weekday()),
            ("Unix", _) => Value::Int(second),
            ("UnixMilli", _) => Value::Int(second * 1_000 + nanosecond / 1_000_000),
            ("UnixMicro", _) => Value::Int(second * 1_000_000 + nanosecond / 1_000),
            // Beyond the years 1678 to 2262 it wraps, as in Go.
            ("UnixNano", _) => Value::Int(second.wrapping_mul(1_000_000_000).wrapping_add(nanosecond)),
            ("Year", _) => Value::Int(civil.year),
            ("Day", _) => Value::Int(civil.day),
            ("YearDay", _) => Value::Int(civil.year_day()),
            ("Hour", _) => Value::Int(civil.hour),
            ("Minute", _) => Value::Int(civil.minute),
            ("Second", _) => Value::Int(civil.second),
            ("Nanosecond", _) => Value::Int(nanosecond),
            _ => {
                let given = args.first().map(Value::type_name).unwrap_or_default();
                return Err(["wrong type for value; expected time.Time; got ", &given].concat().into());
            }
        };
        Ok(value)
    }
}

/// Go's `Time.String`: `2026-11-22 04:49:53.181747244 +0000 UTC`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format(STRING))
    }
}

/// In UTC.
impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self::new(timestamp, Offset::UTC, "UTC")
    }
}

/// In the zone of the value, with the short name that the zone has at that time.
impl From<&Zoned> for Time {
    fn from(zoned: &Zoned) -> Self {
        let info = zoned.time_zone().to_offset_info(zoned.timestamp());
        Self::new(zoned.timestamp(), info.offset(), info.abbreviation())
    }
}

/// A value of a type like `time.Month`: a number with a name.
fn named(type_name: &'static str, text: &str, number: i64) -> Value {
    Named { type_name, text: text.into(), value: Value::Int(number), json_is_text: false }.into()
}

/// A decimal number of exactly so many digits.
fn number(digits: &str, count: usize) -> Option<i64> {
    let is_good = digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_good { digits.parse().ok() } else { None }
}

/// The nanoseconds of a fraction at the start, and what follows; without a fraction, none.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = digits.split_at(length);
    let kept = &digits[..length.min(9)];
    let scale = u32::try_from(9 - kept.len()).ok()?;
    Some((number(kept, kept.len().max(1))? * 10i64.pow(scale), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_wrote_comes_back() {
        let check = |text: &str| assert_eq!(Time::parse_rfc3339(text).unwrap().to_rfc3339(), text);
        check("2026-11-22T04:49:53.181747244Z");
        check("2026-11-22T04:49:52.699Z");
        check("2026-11-22T04:49:52Z");
        check("2026-11-22T04:49:52.000000001+05:30");
        check("2026-01-01T00:00:00.1-11:00");
        check("1969-12-31T23:59:59.999999999Z");
        check("0001-01-01T00:00:00Z");
        check("9999-12-31T23:59:59Z");
        check("2024-02-29T12:00:00+01:00");
    }

    #[test]
    fn rfc3339_is_read_strictly() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(Time::parse_rfc3339(text).map(|time| time.to_rfc3339()).as_deref(), want, "{text}");
        };
        check("2026-11-22T04:49:52.500Z", Some("2026-11-22T04:49:52.5Z"));
        check("2026-11-22T04:49:52+00:00", Some("2026-11-22T04:49:52Z"));
        check("2026-11-22T04:49:52.1234567891Z", Some("2026-11-22T04:49:52.123456789Z"));
        check("", None);
        check("2026-11-22", None);
        check("2026-11-22 04:49:52Z", None);
        check("2026-11-22T04:49:52", None);
        check("2026-11-22T04:49Z", None);
        check("2026-11-22T04:49:52.Z", None);
        check("2026-11-22T4:49:52Z", None);
        check("2026-11-22-01T04:49:52Z", None);
        check("2026-02-30T04:49:52Z", None);
        check("2026-11-22T24:00:00Z", None);
        check("2026-11-22T04:60:00Z", None);
        check("2026-11-22T04:49:60Z", None);
        check("2026-11-22T04:49:52+24:00", None);
        check("2026-11-22T04:49:52+01:60", None);
        check("2026-11-22T04:49:52+0100", None);
        check("2026-11-22T04:49:52*01:00", None);
        check("2026-11-22T04:49:52Zx", None);
        check("+026-11-22T04:49:52Z", None);
        check("2026-11-22T04:é9:52Z", None);
    }

    #[test]
    fn times_of_the_library_keep_their_zone() {
        let timestamp: Timestamp = "1969-12-31T23:59:59.25Z".parse().unwrap();
        assert_eq!(Time::from(timestamp).to_string(), "1969-12-31 23:59:59.25 +0000 UTC");
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let zoned = jiff::civil::date(2026, 7, 1).at(12, 0, 0, 0).to_zoned(zone).unwrap();
        assert_eq!(Time::from(&zoned).to_string(), "2026-07-01 12:00:00 +0200 CEST");
    }
}
