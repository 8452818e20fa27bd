//! The status codes that mean success, as Icinga's webhook reads and prints them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// In the order of the form; where the form says nothing of its own, every success counts for Diun and Quay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StatusCodes(Vec<RangeInclusive<i64>>);

/// A text between commas that is no number; worded as Go's `strconv.Atoi` does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadCode(String);

impl StatusCodes {
    /// 200 to 299.
    pub(crate) fn success() -> Self {
        Self(vec![200..=299])
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|codes| codes.contains(&i64::from(status)))
    }
}

impl FromStr for StatusCodes {
    type Err = BadCode;

    /// `200,0204,+202`, as Icinga, and also `200-299`; no spaces, and not empty.
    fn from_str(text: &str) -> Result<Self, BadCode> {
        let codes = |text: &str| match text.split_once('-').filter(|(first, _)| !first.is_empty()) {
            Some((first, last)) => Some(first.parse().ok()?..=last.parse().ok()?),
            None => text.parse().ok().map(|code: i64| code..=code),
        };
        let read = |text: &str| codes(text).ok_or_else(|| BadCode(text.to_owned()));
        text.split(',').map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for StatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |codes: &RangeInclusive<i64>| {
            if codes.start() == codes.end() {
                codes.start().to_string()
            } else {
                format!("{}-{}", codes.start(), codes.end())
            }
        };
        let codes: Vec<_> = self.0.iter().map(text).collect();
        write!(f, "[{}]", codes.join(" "))
    }
}

impl fmt::Display for BadCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(code) = self;
        write!(
            f,
            "cannot convert status code {code:?} to int: strconv.Atoi: parsing {code:?}: invalid syntax"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_as_go_reads_them() {
        let check = |text: &str, want: &str| {
            let read =
                text.parse::<StatusCodes>().map_or_else(|error| error.to_string(), |codes| codes.to_string());
            assert_eq!(read, want);
        };
        check("200", "[200]");
        check("200,204,0202,+201", "[200 204 202 201]");
        let bad = |code: &str| {
            format!(
                "cannot convert status code \"{code}\" to int: strconv.Atoi: parsing \"{code}\": invalid syntax"
            )
        };
        check("", &bad(""));
        check("200-299,304", "[200-299 304]");
        check("200-", &bad("200-"));
        check("-1", "[-1]");
        check("200, 204", &bad(" 204"));
        check("2xx", &bad("2xx"));
        check("200,", &bad(""));
    }
}
