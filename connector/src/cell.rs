//! One value of one row, borrowed from its batch, exactly as the system holds it.

use std::fmt;

/// An instant (UTC) or a wall-clock time without a zone, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment {
    /// Whole seconds since 1970-01-01 00:00:00, negative before.
    pub seconds: i64,
    /// Nanoseconds within the second, below 1 000 000 000.
    pub nanos: u32,
}

impl Moment {
    /// Makes a moment from microseconds since 1970-01-01 00:00:00.
    pub const fn from_micros(micros: i64) -> Self {
        Self { seconds: micros.div_euclid(1_000_000), nanos: (micros.rem_euclid(1_000_000) * 1_000) as u32 }
    }

    /// Makes a moment from nanoseconds since 1970-01-01 00:00:00.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self {
            seconds: nanos.div_euclid(1_000_000_000) as i64,
            nanos: nanos.rem_euclid(1_000_000_000) as u32,
        }
    }

    /// Microseconds since 1970-01-01 00:00:00, finer digits cut towards the past; `None` past the range of `i64`.
    pub fn micros(self) -> Option<i64> {
        self.seconds.checked_mul(1_000_000)?.checked_add(i64::from(self.nanos / 1_000))
    }

    /// Nanoseconds since 1970-01-01 00:00:00, saturating at the ends of `i64` (years 1677 and 2262).
    pub fn nanos_saturating(self) -> i64 {
        let wide = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos);
        wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

/// One value. `Decimal` is canonical decimal text: no exponent, no leading plus, no trailing zeros, `0` for zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of up to 128 bits.
    Int(i128),
    /// A binary float, possibly not finite.
    Float(f64),
    /// An exact decimal of any size, as canonical text.
    Decimal(&'a str),
    /// Text.
    Text(&'a str),
    /// A calendar day, as days since 1970-01-01.
    Date(i32),
    /// A wall-clock time without a zone.
    Naive(Moment),
    /// An instant.
    Zoned(Moment),
    /// A JSON document as text; JSON `null` is the text `null`, not [`Cell::Null`].
    Json(&'a str),
    /// A value that cannot be represented (NaN in a decimal column, an infinite date, …), as raw text.
    Unreadable(&'a str),
}

impl Cell<'_> {
    /// Tells whether the cell is SQL NULL.
    pub fn null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text by which a position names this cell of the row key; `None` when the cell has no value to stand at.
    pub fn key(&self) -> Option<String> {
        (!matches!(self, Self::Null | Self::Unreadable(_))).then(|| self.to_string())
    }
}

/// Days since 1970-01-01 as a calendar day. Proleptic Gregorian, any year.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    // Howard Hinnant's civil_from_days, "chrono-Compatible Low-Level Date Algorithms".
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// A calendar day as days since 1970-01-01; the inverse of [`civil`]. The day must exist.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = i64::from((month + 9) % 12);
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Writes a day as `2026-02-28`.
pub(crate) fn write_date(out: &mut impl fmt::Write, days: i64) -> fmt::Result {
    let (year, month, day) = civil(days);
    if year < 0 {
        write!(out, "-{:04}", -year)?
    } else {
        write!(out, "{year:04}")?
    }
    write!(out, "-{month:02}-{day:02}")
}

/// Writes a moment as `2026-02-28 23:59:59.123456789`, without needless zeros after the point.
pub(crate) fn write_moment(out: &mut impl fmt::Write, moment: Moment, between: char) -> fmt::Result {
    write_date(out, moment.seconds.div_euclid(86_400))?;
    let second = moment.seconds.rem_euclid(86_400);
    write!(out, "{between}{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)?;
    if moment.nanos != 0 {
        let digits = format!("{:09}", moment.nanos);
        write!(out, ".{}", digits.trim_end_matches('0'))?;
    }
    Ok(())
}

impl fmt::Display for Cell<'_> {
    /// Writes the value as people and files read it; a null writes nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Decimal(text) | Self::Text(text) | Self::Json(text) | Self::Unreadable(text) => {
                f.write_str(text)
            }
            Self::Date(days) => write_date(f, i64::from(*days)),
            Self::Naive(moment) => write_moment(f, *moment, ' '),
            Self::Zoned(moment) => {
                write_moment(f, *moment, 'T')?;
                f.write_str("Z")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_civil_agree_over_eight_centuries() {
        for days in (-150_000..150_000).step_by(13) {
            let (year, month, day) = civil(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(days_from_civil(2026, 2, 28), 20_512);
    }

    #[test]
    fn moments_keep_every_digit() {
        let moment = Moment::from_nanos(-1);
        assert_eq!(Cell::Naive(moment).to_string(), "1969-12-31 23:59:59.999999999");
        assert_eq!(moment.micros(), Some(-1));
        assert_eq!(Cell::Zoned(Moment::from_micros(1_500_000)).to_string(), "1970-01-01T00:00:01.5Z");
    }
}
