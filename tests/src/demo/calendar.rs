//! Days and times as warehouses write them.

use std::time::{SystemTime, UNIX_EPOCH};

use connector::{Cell, Moment};

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

    /// `2026-02-28`.
    pub fn text(self) -> String {
        Cell::Date(i32::try_from(self.0).expect("a day within five million years")).to_string()
    }

    /// Its calendar year.
    pub fn year(self) -> i64 {
        self.text()[..4].parse().expect("a year of four digits")
    }
}

/// `2026-02-28 10:00:00`, for seconds since the epoch.
pub fn time_text(seconds: i64) -> String {
    Cell::Naive(Moment { seconds, nanos: 0 }).to_string()
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
        assert_eq!(
            (Day::of(951_782_400).text(), Day::of(951_782_400).year()),
            ("2000-02-29".to_owned(), 2000)
        );
        assert_eq!(time_text(1_795_176_061), "2026-11-20 12:01:01");
    }

    #[test]
    fn knows_the_weekday() {
        assert_eq!(Day::of(0).weekday(), 3, "the epoch was a Thursday");
        assert_eq!(Day::of(1_795_176_061).weekday(), 4, "a Friday");
    }
}
