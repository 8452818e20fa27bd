//! The calendar: seconds since 1970 as a date and a time of day, and back.
//!
//! Written out because a calendar library brings ten times the code, most of it for its error texts.

pub(crate) const DAY_SECONDS: i64 = 86_400;

/// A date and a time of day, in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12
    pub(crate) month: i64,
    /// 1 to 31
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Civil {
    /// The date and time so many seconds after the start of 1970.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        let (days, in_day) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        // Years that begin in March end with the leap day; 400 of them have 146097 days.
        let days = days + days_before(1970, 1, 1);
        let cycle = days.div_euclid(146_097);
        let in_cycle = days.rem_euclid(146_097);
        let year_of_cycle = (in_cycle - in_cycle / 1460 + in_cycle / 36_524 - in_cycle / 146_096) / 365;
        let in_year = in_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        // From March, five months have 153 days: 31, 30, 31, 30, 31.
        let from_march = (5 * in_year + 2) / 153;
        let month = (from_march + 2) % 12 + 1;
        Self {
            year: cycle * 400 + year_of_cycle + i64::from(month <= 2),
            month,
            day: in_year - (153 * from_march + 2) / 5 + 1,
            hour: in_day / 3600,
            minute: in_day / 60 % 60,
            second: in_day % 60,
        }
    }

    /// Seconds since the start of 1970; `None` if there is no such date or time.
    pub(crate) fn to_seconds(self) -> Option<i64> {
        let Self { year, month, day, hour, minute, second } = self;
        let days = days_before(year, month, day) - days_before(1970, 1, 1);
        let seconds = days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
        // Only what exists comes back as it was: 31 June does not.
        (Self::from_seconds(seconds) == self).then_some(seconds)
    }

    /// From Sunday, as 0.
    pub(crate) fn weekday(self) -> i64 {
        // 1 March of the year 0 was a Wednesday.
        (days_before(self.year, self.month, self.day) + 3).rem_euclid(7)
    }

    /// From 1 January, as 1.
    pub(crate) fn year_day(self) -> i64 {
        days_before(self.year, self.month, self.day) - days_before(self.year, 1, 1) + 1
    }
}

/// The days from 1 March of the year 0 to a date.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * from_march + 2) / 5
        + day
        - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_hundred_years_is_as_the_library_has_it() {
        let mut date = jiff::civil::date(1599, 12, 30);
        while date < jiff::civil::date(2401, 3, 2) {
            let seconds = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
            let civil = Civil::from_seconds(seconds + 3661);
            let want = (date.year().into(), date.month().into(), date.day().into(), 1, 1, 1);
            assert_eq!((civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second), want);
            assert_eq!(civil.weekday(), i64::from(date.weekday().to_sunday_zero_offset()), "{date}");
            assert_eq!(civil.year_day(), i64::from(date.day_of_year()), "{date}");
            assert_eq!(civil.to_seconds(), Some(seconds + 3661), "{date}");
            date = date.tomorrow().unwrap();
        }
    }

    #[test]
    fn what_does_not_exist_has_no_seconds() {
        let check = |year, month, day, hour, is_good: bool| {
            let civil = Civil { year, month, day, hour, minute: 0, second: 0 };
            assert_eq!(civil.to_seconds().is_some(), is_good, "{civil:?}");
        };
        check(2024, 2, 29, 0, true);
        check(2023, 2, 29, 0, false);
        check(1900, 2, 29, 0, false);
        check(2000, 2, 29, 0, true);
        check(2026, 6, 31, 0, false);
        check(2026, 13, 1, 0, false);
        check(2026, 0, 1, 0, false);
        check(2026, 1, 0, 0, false);
        check(2026, 1, 1, 24, false);
        check(0, 1, 1, 0, true);
        check(1, 1, 1, 0, true);
    }
}
