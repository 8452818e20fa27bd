//! A point in time as a date of the Gregorian calendar, in UTC.

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: usize,
    pub(crate) day: i64,
    of_day: i64,
}

/// Seconds since 1970 as a date (Hinnant's `civil_from_days`).
pub(crate) fn civil(unix_seconds: i64) -> Civil {
    // Counted from 0000-03-01, so that a leap day comes last.
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + days.div_euclid(146_097) * 400 + i64::from(month <= 2);
    let month = usize::try_from(month).unwrap_or(1);
    Civil { year, month, day, of_day: unix_seconds.rem_euclid(86_400) }
}

impl Civil {
    pub(crate) fn full_month_name(self) -> &'static str {
        MONTHS.get(self.month - 1).copied().unwrap_or_default()
    }

    pub(crate) fn month_name(self) -> &'static str {
        &self.full_month_name()[..3]
    }

    /// `12:23:56`
    pub(crate) fn clock(self) -> String {
        let Self { of_day, .. } = self;
        format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }

    /// `09:22 AM`
    pub(crate) fn half_day_clock(self) -> String {
        let hour = self.of_day / 3600;
        let half = if hour < 12 { "AM" } else { "PM" };
        format!("{:02}:{:02} {half}", (hour + 11) % 12 + 1, self.of_day / 60 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        for (seconds, want) in [
            (0, "1970 Jan 1 00:00:00 12:00 AM"),
            (1_585_225_436, "2020 Mar 26 12:23:56 12:23 PM"),
            (951_782_399, "2000 Feb 28 23:59:59 11:59 PM"),
            (951_782_400, "2000 Feb 29 00:00:00 12:00 AM"),
            (-1, "1969 Dec 31 23:59:59 11:59 PM"),
        ] {
            let it = civil(seconds);
            let text =
                format!("{} {} {} {} {}", it.year, it.month_name(), it.day, it.clock(), it.half_day_clock());
            assert_eq!(text, want);
        }
    }
}
