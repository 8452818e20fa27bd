//! Go's `time.Time`, as far as a template can look into it.

use std::{fmt, sync::Arc};

use jiff::{Timestamp, Zoned, civil::DateTime, tz::Offset};

use crate::{CallError, Named, Params, Value, layout};

/// The layout of Go's `Time.String`.
const STRING: &str = "2006-01-02 15:04:05.999999999 -0700 MST";
const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

/// A point in time as seen in one zone.
///
/// A template can call the methods `Format`, `String`, `Unix`, `UnixMilli`, `UnixMicro`, `UnixNano`, `Year`,
/// `Month`, `Day`, `YearDay`, `Weekday`, `Hour`, `Minute`, `Second`, `Nanosecond`, `UTC`, `IsZero`, `Equal`, `Before`
/// and `After`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    timestamp: Timestamp,
    offset: Offset,
    /// The zone's short name, such as `CET`; empty where only the offset is known.
    zone: Arc<str>,
}

impl Time {
    /// A point in time at an offset, with the zone's short name; `UTC` is what Go calls UTC.
    pub fn new(timestamp: Timestamp, offset: Offset, zone: &str) -> Self {
        Self { timestamp, offset, zone: zone.into() }
    }

    /// Reads RFC 3339, keeping the offset. `None` if the text is something else.
    ///
    /// Go writes it back with [`Time::to_rfc3339`]; that is the same text if Go wrote this one.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
        let (offset, time) = (pieces.to_numeric_offset()?, pieces.time()?);
        let timestamp = offset.to_timestamp(pieces.date().to_datetime(time)).ok()?;
        Some(Self::new(timestamp, offset, if text.ends_with(['Z', 'z']) { "UTC" } else { "" }))
    }

    /// RFC 3339 with as many digits of the second as needed, as Go's JSON has it.
    pub fn to_rfc3339(&self) -> String {
        self.format(RFC3339_NANO)
    }

    /// Go's `Format`: the layout shows how 2 January 2006, 15:04:05 in `MST` would be written.
    pub fn format(&self, layout: &str) -> String {
        layout::format(layout, self.civil(), self.offset.seconds(), &self.zone)
    }

    fn civil(&self) -> DateTime {
        self.offset.to_datetime(self.timestamp)
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
        let number = match (name, args) {
            ("Format", [Value::String(layout)]) => return Ok(self.format(layout).into()),
            ("String", _) => return Ok(self.to_string().into()),
            ("UTC", _) => return Ok(Self::new(self.timestamp, Offset::UTC, "UTC").into()),
            // Go's zero time is the first second of the year 1.
            ("IsZero", _) => {
                return Ok(Value::Bool(
                    self.timestamp.as_second() == -62_135_596_800 && civil.subsec_nanosecond() == 0,
                ));
            }
            ("Equal", [Value::Time(other)]) => return Ok(Value::Bool(self.timestamp == other.timestamp)),
            ("Before", [Value::Time(other)]) => return Ok(Value::Bool(self.timestamp < other.timestamp)),
            ("After", [Value::Time(other)]) => return Ok(Value::Bool(self.timestamp > other.timestamp)),
            ("Month", _) => return Ok(layout::month(civil.month())),
            ("Weekday", _) => return Ok(layout::weekday(civil.weekday().to_sunday_zero_offset())),
            ("Unix", _) => self.timestamp.as_second(),
            ("UnixMilli", _) => self.timestamp.as_millisecond(),
            ("UnixMicro", _) => self.timestamp.as_microsecond(),
            ("UnixNano", _) => i64::try_from(self.timestamp.as_nanosecond()).unwrap_or(i64::MAX),
            ("Year", _) => civil.year().into(),
            ("Day", _) => civil.day().into(),
            ("YearDay", _) => civil.day_of_year().into(),
            ("Hour", _) => civil.hour().into(),
            ("Minute", _) => civil.minute().into(),
            ("Second", _) => civil.second().into(),
            ("Nanosecond", _) => civil.subsec_nanosecond().into(),
            _ => {
                let given = args.first().map(Value::type_name).unwrap_or_default();
                return Err(["wrong type for value; expected time.Time; got ", &given].concat().into());
            }
        };
        Ok(Value::Int(number))
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
pub(crate) fn named(type_name: &'static str, text: &str, number: i64) -> Value {
    Named { type_name, text: text.into(), value: Value::Int(number), json_is_text: false }.into()
}
