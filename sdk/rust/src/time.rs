//! Points in time, as far as a message needs them: no clock, no time zones, no calendar beyond the Gregorian.
//!
//! They are seconds since 1970-01-01T00:00:00Z, without leap seconds.

/// Seconds since 1970 of RFC 3339, e.g. `2024-07-12T12:47:30.123+02:00`; fractions of seconds are dropped.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|char: char| char.is_ascii_digit()),
        None => rest,
    };
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (sign, hours_minutes) = zone.split_at_checked(1)?;
            let (hours, minutes) = hours_minutes.split_once(':')?;
            let seconds = digits(hours, 2)? * 3600 + digits(minutes, 2)? * 60;
            if sign == "-" { -seconds } else { (sign == "+").then_some(seconds)? }
        }
    };
    let mut date = date.splitn(3, '-');
    let year: i64 = digits(date.next()?, 4)?;
    let (month, day) = (digits(date.next()?, 2)?, digits(date.next()?, 2)?);
    moment(year, month, day, clock, offset)
}

/// Parses an HTTP date in the form that is sent today (IMF-fixdate, RFC 9110 §5.6.7).
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day = digits(words.next()?, 2)?;
    let name = words.next()?;
    let month = (1..).zip(MONTHS).find(|(_, month)| *month == name)?.0;
    let year = digits(words.next()?, 4)?;
    let clock = words.next()?;
    if words.next()? != "GMT" || words.next().is_some() {
        return None;
    }
    moment(year, month, day, clock, 0)
}

fn moment(year: i64, month: i64, day: i64, clock: &str, offset: i64) -> Option<i64> {
    let mut clock = clock.splitn(3, ':');
    let (hour, minute, second) =
        (digits(clock.next()?, 2)?, digits(clock.next()?, 2)?, digits(clock.next()?, 2)?);
    let is_valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let of_day = hour * 3600 + minute * 60 + second;
    is_valid.then(|| days_since_1970(year, month, day) * 86_400 + of_day - offset)
}

/// Exactly `count` digits and nothing else.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Counts from a year that begins in March, so that a leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days_before_month = (153 * month + 2) / 5;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    365 * year + leap_days + days_before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_becomes_seconds() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-07-12T12:47:30+02:00", Some(1_720_781_250)),
            ("2024-07-12T10:47:30.181747244Z", Some(1_720_781_250)),
            ("2024-02-29T23:59:59-00:30", Some(1_709_252_999)),
            ("1969-12-31t23:59:59z", Some(-1)),
            ("2000-03-01T00:00:00Z", Some(951_868_800)),
            ("2024-13-01T00:00:00Z", None),
            ("2024-07-12T24:00:00Z", None),
            ("2024-07-12T12:47:30", None),
            ("2024-07-12T12:47:30*02:00", None),
            ("+024-07-12T12:47:30Z", None),
            ("yesterday", None),
            ("é024-07-12T12:47:30Z", None),
            ("", None),
        ] {
            assert_eq!(parse_rfc3339(text), want, "{text}");
        }
    }

    #[test]
    fn http_dates_become_seconds() {
        for (text, want) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("tomorrow", None),
        ] {
            assert_eq!(parse_http_date(text), want, "{text}");
        }
    }
}
