//! Days and times as text in the layouts Snowflake recognizes by itself (`AUTO`).

use super::encode::SECOND;

/// Nanoseconds in a day.
pub const DAY: i128 = 86_400 * SECOND;

/// A time as it was written: a wall clock, and an offset in minutes where one was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock in nanoseconds since 1970-01-01 00:00.
    pub wall: i128,
    /// Minutes east of UTC.
    pub offset: Option<i16>,
}

/// Days since 1970-01-01 of a day in the Gregorian calendar; none when there is no such day.
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (y, m) = (year - i64::from(month <= 2), (month + 9) % 12);
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (m * 153 + 2) / 5 + day - 1 - 719_468)
}

/// Year, month and day of a count of days since 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (of_year * 5 + 2) / 153;
    let (day, month) = (of_year - (m * 153 + 2) / 5 + 1, (m + 2) % 12 + 1);
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    (digits.contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Reads `YYYY-MM-DD`.
pub fn date(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, '-');
    let year = number(parts.next()?, 4..=4)?;
    days(year, number(parts.next()?, 1..=2)?, number(parts.next()?, 1..=2)?)
}

/// Reads `HH24:MI`, `HH24:MI:SS` or `HH24:MI:SS.FF`, as nanoseconds since midnight.
pub fn time(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, ':');
    let (hour, minute) = (number(parts.next()?, 1..=2)?, number(parts.next()?, 1..=2)?);
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(rest) => {
            let (second, fraction) = rest.split_once('.').unwrap_or((rest, ""));
            // Digits beyond nanoseconds are cut.
            let fraction = match fraction.len() {
                0 if rest.contains('.') => return None,
                0 => 0,
                1..=30 if fraction.bytes().all(|it| it.is_ascii_digit()) => {
                    number(&format!("{fraction:0<9}")[..9], 9..=9)?
                }
                _ => return None,
            };
            (number(second, 1..=2)?, fraction)
        }
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction)
}

/// Reads an offset: `Z`, `+HH:MM`, `+HHMM` or `+HH`, in minutes.
fn offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits = rest.replacen(':', "", 1);
    let (hours, minutes) = match digits.len() {
        1 | 2 => (number(&digits, 1..=2)?, 0),
        4 => (number(&digits[..2], 2..=2)?, number(&digits[2..], 2..=2)?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then(|| i16::try_from(sign * (hours * 60 + minutes)).ok())?
}

/// Reads a day with or without a time and an offset, or a count of seconds, milliseconds, microseconds or nanoseconds
/// since 1970 as a text of digits, told apart by its size as the service does.
pub fn timestamp(text: &str) -> Option<Moment> {
    let text = text.trim();
    if let Some(count) = text
        .strip_prefix('-')
        .or(Some(text))
        .filter(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
    {
        let count: i128 = count.parse().ok()?;
        let unit = match count {
            0..31_536_000_000 => SECOND,
            31_536_000_000..31_536_000_000_000 => 1_000_000,
            31_536_000_000_000..31_536_000_000_000_000 => 1_000,
            _ => 1,
        };
        return Some(Moment {
            wall: if text.starts_with('-') { -count } else { count } * unit,
            offset: Some(0),
        });
    }
    let (day, rest) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let day = i128::from(date(day)?) * DAY;
    if rest.is_empty() {
        return Some(Moment { wall: day, offset: None });
    }
    let zone = rest.find(['Z', '+', '-']);
    let (clock, zone) = zone.map_or((rest, ""), |at| (rest[..at].trim(), rest[at..].trim()));
    let offset = if zone.is_empty() { None } else { Some(offset(zone)?) };
    Some(Moment { wall: day + i128::from(time(clock)?), offset })
}

#[cfg(test)]
mod tests {
    use super::{DAY, Moment, civil, date, days, time, timestamp};

    #[test]
    fn days_and_their_names_agree() {
        for (text, count) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2024-02-29", 19_782), ("0001-01-01", -719_162)]
        {
            assert_eq!(date(text), Some(count), "{text}");
        }
        for count in (-719_162..2_932_896).step_by(97) {
            let (year, month, day) = civil(count);
            assert_eq!(days(year, month, day), Some(count));
        }
        for text in ["2023-02-29", "2024-13-01", "24-01-01", "2024-01-01x", ""] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn times_keep_nine_digits() {
        assert_eq!(time("23:59:59.123456789"), Some(86_399_123_456_789));
        assert_eq!(time("00:00:00.5"), Some(500_000_000));
        assert_eq!(time("00:00:00.1234567891"), Some(123_456_789));
        for text in ["24:00:00", "1:60", "x", "12", "12:00:00."] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_are_read_in_many_layouts() {
        let noon = DAY / 2;
        for text in ["1970-01-01 12:00", "1970-01-01T12:00:00", "1970-01-01 12:00:00.000"] {
            assert_eq!(timestamp(text), Some(Moment { wall: noon, offset: None }), "{text}");
        }
        for (text, minutes) in [("Z", 0), ("+05:30", 330), (" -0800", -480), (" +02", 120)] {
            let text = format!("1970-01-01 12:00:00{text}");
            assert_eq!(timestamp(&text), Some(Moment { wall: noon, offset: Some(minutes) }), "{text}");
        }
        assert_eq!(timestamp("1611871777123456789").map(|it| it.wall), Some(1_611_871_777_123_456_789));
        assert_eq!(timestamp("1611871777").map(|it| it.wall), Some(1_611_871_777_000_000_000));
        assert_eq!(timestamp("1970-01-01 25:00"), None);
    }
}
