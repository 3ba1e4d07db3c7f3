//! Days and times as warehouses write them.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day, in UTC, of a number of seconds since the Unix epoch.
    pub fn of(seconds: i64) -> Self {
        Self(seconds.div_euclid(DAY))
    }

    /// So many days later, or earlier when negative.
    pub fn plus(self, days: i64) -> Self {
        Self(self.0 + days)
    }

    /// Days from another day to this one.
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The seconds since the epoch of its midnight in UTC.
    pub fn midnight(self) -> i64 {
        self.0 * DAY
    }

    /// The day of the week, Monday being 0.
    pub fn weekday(self) -> usize {
        usize::try_from((self.0 + 3).rem_euclid(7)).expect("a remainder of 7")
    }

    /// Year, month and day of the month.
    fn parts(self) -> (i64, i64, i64) {
        // Years start in March here, so that the leap day comes last.
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// `2026-02-28`.
    pub fn text(self) -> String {
        let (year, month, day) = self.parts();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Its calendar year.
    pub fn year(self) -> i64 {
        self.parts().0
    }
}

/// `2026-02-28 10:00:00`, for seconds since the epoch.
pub fn time_text(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(DAY);
    format!("{} {:02}:{:02}:{:02}", Day::of(seconds).text(), of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// The present, in seconds since the epoch.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("seconds fit 64 bits")
}

#[cfg(test)]
mod tests {
    use super::{Day, time_text};

    #[test]
    fn writes_days_and_times() {
        assert_eq!(Day::of(0).text(), "1970-01-01");
        assert_eq!(Day::of(951_782_400).text(), "2000-02-29");
        assert_eq!(Day::of(951_782_400).plus(1).text(), "2000-03-01");
        assert_eq!(time_text(1_795_176_061), "2026-11-20 12:01:01");
    }

    #[test]
    fn knows_the_weekday() {
        assert_eq!(Day::of(0).weekday(), 3, "the epoch was a Thursday");
        assert_eq!(Day::of(1_795_176_061).weekday(), 4, "a Friday");
    }
}
