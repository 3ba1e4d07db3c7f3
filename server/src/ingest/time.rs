//! A cell as a measurement time: microseconds since 1970, UTC.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use connector::cursor::{parse_days, parse_moment};
use connector::{Cell, Moment};

use super::reject::Reason;

/// 0001-01-01 and 9999-12-31 in microseconds: what every database and client can hold.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

/// Reads a cell as an instant. Times without a zone are in `zone`: one that the clocks skipped moves on by the gap,
/// one that occurred twice is the first. Digits finer than a microsecond are cut.
///
/// # Errors
/// Why the row must be rejected.
pub fn instant(cell: &Cell<'_>, zone: Option<Tz>) -> Result<i64, Reason> {
    let micros = match cell {
        Cell::Zoned(moment) => moment.micros(),
        Cell::Naive(moment) => return local(*moment, zone),
        Cell::Date(days) => return local(Moment { seconds: i64::from(*days) * 86_400, nanos: 0 }, zone),
        Cell::Text(text) => return parse(text.trim(), zone),
        _ => return Err(Reason::TimeUnreadable),
    };
    in_range(micros)
}

fn in_range(micros: Option<i64>) -> Result<i64, Reason> {
    micros.filter(|micros| (FIRST..=LAST).contains(micros)).ok_or(Reason::TimeOutOfRange)
}

fn local(moment: Moment, zone: Option<Tz>) -> Result<i64, Reason> {
    let zone = zone.ok_or(Reason::TimeUnreadable)?;
    let wall = in_range(moment.micros())?;
    if zone == Tz::UTC {
        return Ok(wall);
    }
    let naive = DateTime::from_timestamp_micros(wall).ok_or(Reason::TimeOutOfRange)?.naive_utc();
    in_range(Some(resolve(naive, zone).ok_or(Reason::TimeOutOfRange)?))
}

/// The instant of a wall-clock time in a zone: the first of two, or past a gap by the gap's length.
fn resolve(wall: NaiveDateTime, zone: Tz) -> Option<i64> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.timestamp_micros()),
        LocalResult::None => {
            // Read it with the offset in force three hours earlier: no gap is longer.
            let before = wall.checked_sub_signed(TimeDelta::hours(3))?;
            let at = zone.from_local_datetime(&before).earliest()?;
            at.checked_add_signed(TimeDelta::hours(3)).map(|at| at.timestamp_micros())
        }
    }
}

/// Reads ISO 8601 text: a day, or a day and time with an optional fraction and an optional zone (`Z`, `+05:30`).
fn parse(text: &str, zone: Option<Tz>) -> Result<i64, Reason> {
    if let Some(days) = parse_days(text) {
        return local(Moment { seconds: days * 86_400, nanos: 0 }, zone);
    }
    if let Some(moment) = parse_moment(text) {
        return local(moment, zone);
    }
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return in_range(parse_moment(rest.trim_end()).ok_or(Reason::TimeUnreadable)?.micros());
    }
    let at = text.rfind(['+', '-']).filter(|at| *at > 10).ok_or(Reason::TimeUnreadable)?;
    let moment = parse_moment(text[..at].trim_end()).ok_or(Reason::TimeUnreadable)?;
    let offset = offset_seconds(&text[at..]).ok_or(Reason::TimeUnreadable)?;
    in_range(moment.micros().and_then(|micros| micros.checked_sub(offset * 1_000_000)))
}

/// Reads `+05:30`, `+0530` or `+05` as seconds east of UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 =
        digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> Result<i64, Reason> {
        instant(&Cell::Text(text), Some(zone.parse().expect("a zone")))
    }

    #[test]
    fn pitfall_08_naive_times_are_read_in_the_stated_zone() {
        let utc = at("2026-01-15 12:00:00", "UTC").expect("a time");
        assert_eq!(at("2026-01-15 04:00:00", "America/Los_Angeles"), Ok(utc));
        assert_eq!(at("2026-01-15 17:30:00", "Asia/Kolkata"), Ok(utc));
        assert_eq!(at("2026-01-15T17:30:00+05:30", "America/Los_Angeles"), Ok(utc));
        assert_eq!(at("2026-01-15T12:00:00Z", "Asia/Kolkata"), Ok(utc));
        assert_eq!(at("2026-01-15 04:00:00-08", "UTC"), Ok(utc));
    }

    #[test]
    fn clock_changes_lose_and_double_nothing() {
        let skipped = at("2026-03-29 02:30:00", "Europe/Berlin").expect("moved on");
        assert_eq!(Ok(skipped), at("2026-03-29T01:30:00Z", "UTC"));
        let twice = at("2026-10-25 02:30:00", "Europe/Berlin").expect("the first");
        assert_eq!(Ok(twice), at("2026-10-25T00:30:00Z", "UTC"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "yesterday", "2026-13-01", "2026-02-30", "26-02-01", "2026-02-01T25:00:00Z", "1770000000"]
        {
            assert_eq!(at(text, "UTC"), Err(Reason::TimeUnreadable), "{text}");
        }
        let far = Moment { seconds: i64::MAX / 2_000_000, nanos: 0 };
        assert_eq!(instant(&Cell::Zoned(far), None), Err(Reason::TimeOutOfRange));
        assert_eq!(instant(&Cell::Naive(Moment::default()), None), Err(Reason::TimeUnreadable));
    }
}
