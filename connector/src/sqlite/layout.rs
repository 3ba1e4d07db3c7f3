//! Times kept as text: their value, and whether their layout sorts as text.
//!
//! SQLite has no type for times and compares their text. That is right only while all texts of a column have one
//! layout in which an earlier time is a smaller text.

use std::fmt::Write;

use crate::Moment;
use crate::cell::{civil, days_from_civil, write_moment};

/// 0000-01-01 and the last second of 9999, the years four digits can tell.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// How a column writes its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What stands between day and time: a blank or `T`.
    between: char,
    /// Whether there are seconds.
    seconds: bool,
    /// Digits after the point.
    digits: usize,
    /// What follows: nothing, `Z`, `+00:00`, …
    zone: String,
    /// Minutes east of UTC.
    offset: i64,
}

/// Which end of an interval a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The smallest text of a time not before it.
    Lower,
    /// The greatest text of a time not after it.
    Upper,
}

/// Reads a day such as `2026-02-28`; nothing else may follow.
pub fn date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) =
        (digits(&bytes[..4])?, digits(&bytes[5..7])? as u32, digits(&bytes[8..])? as u32);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    (civil(days) == (year, month, day)).then_some(days)
}

/// Reads a time such as `2026-02-28 10:00:00.5` or `2026-02-28T10:00:00Z`; with a zone the moment is in UTC.
pub fn time(text: &str) -> Option<(Moment, Layout)> {
    let days = date(text.get(..10)?)?;
    let bytes = text.as_bytes();
    let between = char::from(*bytes.get(10)?);
    if !matches!(between, ' ' | 'T') || *bytes.get(13)? != b':' {
        return None;
    }
    let (hour, minute) = (digits(bytes.get(11..13)?)?, digits(bytes.get(14..16)?)?);
    let mut at = 16;
    let seconds = bytes.get(at) == Some(&b':');
    let mut second = 0;
    let mut nanos = 0;
    let mut count = 0;
    if seconds {
        second = digits(bytes.get(17..19)?)?;
        at = 19;
        if bytes.get(at) == Some(&b'.') {
            count = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&count) {
                return None;
            }
            nanos = digits(&bytes[at + 1..=at + count])? * 10_i64.pow(9 - count as u32);
            at += 1 + count;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let zone = text.get(at..)?;
    let offset = offset(zone)?;
    let seconds_since = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60;
    let moment = Moment { seconds: seconds_since, nanos: nanos as u32 };
    Some((moment, Layout { between, seconds, digits: count, zone: zone.to_owned(), offset }))
}

/// Minutes east of UTC, 0 for no zone at all.
fn offset(zone: &str) -> Option<i64> {
    let zone = zone.strip_prefix(' ').unwrap_or(zone);
    let (sign, rest) = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'+') => (1, &zone[1..]),
        Some(b'-') => (-1, &zone[1..]),
        Some(_) => return matches!(zone, "Z" | "z" | "UTC").then_some(0),
    };
    let rest = rest.as_bytes();
    let (hours, minutes) = match rest.len() {
        2 => (digits(rest)?, 0),
        4 => (digits(&rest[..2])?, digits(&rest[2..])?),
        5 if rest[2] == b':' => (digits(&rest[..2])?, digits(&rest[3..])?),
        _ => return None,
    };
    (hours <= 15 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

impl Layout {
    /// Tells whether the times have a zone.
    pub fn zoned(&self) -> bool {
        !self.zone.is_empty()
    }

    /// Tells whether texts of both layouts sort together in the order of their times.
    pub fn sorts_with(&self, other: &Self) -> bool {
        self.between == other.between
            && self.seconds == other.seconds
            && self.zone == other.zone
            && (self.digits == other.digits || !self.fixed())
    }

    /// Whether the number of digits matters: `…00Z` sorts after `…00.5Z`, but `…00+00:00` before `…00.5+00:00`.
    fn fixed(&self) -> bool {
        self.zone.bytes().next().is_some_and(|byte| byte > b'.')
    }

    /// The text to compare with at one end of an interval, and whether it is that very time.
    pub fn bound(&self, moment: Moment, end: End) -> (String, bool) {
        let wanted = (i128::from(moment.seconds) + i128::from(self.offset) * 60) * 1_000_000_000
            + i128::from(moment.nanos);
        let unit = match (self.seconds, self.fixed()) {
            (false, _) => 60_000_000_000,
            (true, true) => 10_i128.pow(9 - self.digits as u32),
            (true, false) => 1,
        };
        let whole = match end {
            End::Lower => -(-wanted).div_euclid(unit) * unit,
            End::Upper => wanted.div_euclid(unit) * unit,
        };
        let local = Moment::from_nanos(whole);
        let local = if local.seconds < FIRST {
            Moment { seconds: FIRST, nanos: 0 }
        } else if local.seconds > LAST {
            Moment { seconds: LAST, nanos: 999_999_999 }
        } else {
            local
        };
        let mut text = String::with_capacity(40);
        let day = Moment { nanos: 0, ..local };
        write_moment(&mut text, day, self.between).expect("writing to a String cannot fail");
        if !self.seconds {
            text.truncate(16);
        } else if self.fixed() {
            if self.digits > 0 {
                let nanos = format!("{:09}", local.nanos);
                write!(text, ".{}", &nanos[..self.digits]).expect("writing to a String cannot fail");
            }
        } else if end == End::Upper {
            write!(text, ".{:09}", local.nanos).expect("writing to a String cannot fail");
        } else if local.nanos != 0 {
            let nanos = format!("{:09}", local.nanos);
            write!(text, ".{}", nanos.trim_end_matches('0')).expect("writing to a String cannot fail");
        }
        text.push_str(&self.zone);
        (text, whole == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;

    fn layout(text: &str) -> Layout {
        time(text).expect("a time").1
    }

    #[test]
    fn times_are_read_with_every_digit() {
        for (text, utc) in [
            ("2026-02-28 10:00:00", "2026-02-28 10:00:00"),
            ("2026-02-28T10:00:00.123456789Z", "2026-02-28 10:00:00.123456789"),
            ("2026-02-28 10:00", "2026-02-28 10:00:00"),
            ("2026-02-28 10:00:00.50+05:30", "2026-02-28 04:30:00.5"),
            ("2026-02-28T10:00:00-0800", "2026-02-28 18:00:00"),
            ("2026-02-28 10:00:00 UTC", "2026-02-28 10:00:00"),
        ] {
            let (moment, _) = time(text).expect(text);
            assert_eq!(Cell::Naive(moment).to_string(), utc);
        }
        for text in [
            "2026-02-30 10:00:00",
            "2026-02-28",
            "2026-02-28 24:00:00",
            "2026-02-28 10:00:00.",
            "2026-02-28 10:00:00.1234567891",
            "2026-02-28 10:00:00 CET",
            "28.02.2026 10:00",
            "2026-02-28 1é:00:00",
        ] {
            assert!(time(text).is_none(), "{text}");
        }
    }

    #[test]
    fn pitfall_09_layouts_that_do_not_sort_are_told_apart() {
        for (a, b, sorts) in [
            ("2026-02-28 10:00:00", "2026-02-28 10:00:00.5", true),
            ("2026-02-28T10:00:00+00:00", "2026-02-28T10:00:00.5+00:00", true),
            ("2026-02-28T10:00:00Z", "2026-02-28T10:00:00.5Z", false),
            ("2026-02-28T10:00:00Z", "2026-02-28 10:00:00Z", false),
            ("2026-02-28T10:00:00+01:00", "2026-02-28T10:00:00+02:00", false),
        ] {
            assert_eq!(layout(a).sorts_with(&layout(b)), sorts, "{a} {b}");
        }
    }

    #[test]
    fn pitfall_07_bounds_take_in_every_text_of_their_time() {
        let half = time("2026-02-28 10:00:00.5").expect("a time").0;
        for text in ["2026-02-28 10:00:00.5", "2026-02-28 10:00:00.500", "2026-02-28 10:00:00.500000000"] {
            let layout = layout("2026-02-28 10:00:00.5");
            assert!(layout.bound(half, End::Lower).0.as_str() <= text);
            assert!(layout.bound(half, End::Upper).0.as_str() >= text);
        }
        let offset = layout("2026-02-28T10:00:00.500+02:00");
        let (lower, same) = offset.bound(half, End::Lower);
        assert_eq!((lower.as_str(), same), ("2026-02-28T12:00:00.5+02:00", true));
        assert!(lower.as_str() <= "2026-02-28T12:00:00.500+02:00");
        let whole = layout("2026-02-28T10:00:00Z");
        assert_eq!(whole.bound(half, End::Lower), ("2026-02-28T10:00:01Z".to_owned(), false));
        assert_eq!(whole.bound(half, End::Upper), ("2026-02-28T10:00:00Z".to_owned(), false));
        let ends = Moment { seconds: i64::MAX, nanos: 0 };
        assert_eq!(whole.bound(ends, End::Upper).0, "9999-12-31T23:59:59Z");
    }
}
