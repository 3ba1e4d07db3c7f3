//! The column that orders a stream's rows, and how far it has been read.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::{Batch, Cell, ConnectorError, ErrorKind, Moment, Result, Type, cell};

/// What a cursor column holds. Text, floats, times of day and the like are refused: they do not order rows safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorKind {
    /// Integers.
    Int,
    /// Calendar days.
    Date,
    /// Wall-clock times without a zone.
    Naive,
    /// Instants.
    Zoned,
}

impl CursorKind {
    /// The kind for a column's type, if it can be a cursor at all.
    pub fn of(kind: Type) -> Option<Self> {
        match kind {
            Type::Int => Some(Self::Int),
            Type::Date => Some(Self::Date),
            Type::Naive => Some(Self::Naive),
            Type::Zoned => Some(Self::Zoned),
            _ => None,
        }
    }
}

/// A cursor column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The exact column name.
    pub column: String,
    /// What it holds.
    pub kind: CursorKind,
}

impl Cursor {
    /// The value in a batch of at most one row and of this column alone.
    pub(crate) fn only(&self, batch: &Batch) -> Result<Option<Watermark>> {
        let Some(column) = batch.columns.first().filter(|_| batch.rows() > 0) else { return Ok(None) };
        let mark = Watermark::of(self.kind, &column.cell(0));
        mark.map(Some).ok_or_else(|| {
            let message =
                format!("the greatest value of column {:?} cannot be read as a cursor", self.column);
            ConnectorError::new(ErrorKind::Config, message)
                .hint("mend the row that holds it, or choose another column")
        })
    }
}

/// One value of a cursor, as text with every digit the system gave. Ordered within one kind.
///
/// Texts: `-42`; `2026-02-28`; `2026-02-28 10:00:00.123456789`; the same with `T` and `Z` for instants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// What the text is.
    pub kind: CursorKind,
    /// The digits.
    pub text: String,
}

impl Watermark {
    /// Takes a cell of a cursor column; `None` when it is not of that kind.
    pub fn of(kind: CursorKind, value: &Cell<'_>) -> Option<Self> {
        let fits = matches!(
            (kind, value),
            (CursorKind::Int, Cell::Int(_))
                | (CursorKind::Date, Cell::Date(_))
                | (CursorKind::Naive, Cell::Naive(_))
                | (CursorKind::Zoned, Cell::Zoned(_))
        );
        fits.then(|| Self { kind, text: value.to_string() })
    }

    /// Reads a text of that kind, as written by [`Watermark::of`].
    pub fn parse(kind: CursorKind, text: &str) -> Option<Self> {
        let mark = Self { kind, text: text.to_owned() };
        mark.cell().map(|value| Self { kind, text: value.to_string() })
    }

    /// The value behind the text; `None` when the text is not of its kind.
    pub fn cell(&self) -> Option<Cell<'static>> {
        Some(match self.kind {
            CursorKind::Int => Cell::Int(self.text.parse().ok()?),
            CursorKind::Date => Cell::Date(parse_days(&self.text)?.try_into().ok()?),
            CursorKind::Naive => Cell::Naive(parse_moment(&self.text)?),
            CursorKind::Zoned => Cell::Zoned(parse_moment(self.text.strip_suffix('Z')?)?),
        })
    }

    /// The watermark lowered by a lookback: integer units, or microseconds for times, rounded up to days for dates.
    /// Stops at the smallest value of the kind.
    pub fn minus(&self, lookback: i64) -> Option<Self> {
        let value = match self.cell()? {
            Cell::Int(value) => Cell::Int(value.saturating_sub(i128::from(lookback))),
            Cell::Date(days) => {
                let back = (lookback + 86_400_000_000 - 1).div_euclid(86_400_000_000);
                Cell::Date(days.saturating_sub(i32::try_from(back).unwrap_or(i32::MAX)))
            }
            Cell::Naive(moment) => Cell::Naive(earlier(moment, lookback)),
            Cell::Zoned(moment) => Cell::Zoned(earlier(moment, lookback)),
            _ => return None,
        };
        Self::of(self.kind, &value)
    }

    /// A 64-bit number in the same order as the values: integers themselves, days, or nanoseconds since 1970.
    /// Saturates at the ends of `i64`, so it never reverses an order but may make far ends equal.
    pub fn rank(&self) -> Option<i64> {
        rank(&self.cell()?)
    }

    /// Compares by value; `None` for different kinds or unreadable text.
    pub fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self.cell()?, other.cell()?) {
            (Cell::Int(a), Cell::Int(b)) => Some(a.cmp(&b)),
            (Cell::Date(a), Cell::Date(b)) => Some(a.cmp(&b)),
            (Cell::Naive(a), Cell::Naive(b)) | (Cell::Zoned(a), Cell::Zoned(b)) => Some(a.cmp(&b)),
            _ => None,
        }
    }
}

/// The order-preserving 64-bit number of a cursor cell; `None` for cells that cannot be cursors.
pub fn rank(value: &Cell<'_>) -> Option<i64> {
    Some(match value {
        Cell::Int(value) => (*value).clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64,
        Cell::Date(days) => i64::from(*days),
        Cell::Naive(moment) | Cell::Zoned(moment) => moment.nanos_saturating(),
        _ => return None,
    })
}

/// Where a read stands: the last row's cursor and row key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The cursor.
    pub watermark: Watermark,
    /// The row key's cells as text, in key order; empty when only the cursor is known, as after a key with a null.
    #[serde(default)]
    pub key: Vec<String>,
}

fn earlier(moment: Moment, micros: i64) -> Moment {
    let nanos =
        i128::from(moment.seconds) * 1_000_000_000 + i128::from(moment.nanos) - i128::from(micros) * 1_000;
    Moment::from_nanos(nanos)
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    (digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// Reads `2026-02-28` as days since 1970-01-01; `None` unless the day exists.
pub fn parse_days(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut parts = text.splitn(3, '-');
    let year = sign * number(parts.next()?, 4..=6)?;
    let month = number(parts.next()?, 2..=2)? as u32;
    let day = number(parts.next()?, 2..=2)? as u32;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = cell::days_from_civil(year, month, day);
    (cell::civil(days) == (year, month, day)).then_some(days)
}

/// Reads `2026-02-28 10:00:00.5` (blank or `T` between) as a moment; `None` unless the time exists. No zone.
pub fn parse_moment(text: &str) -> Option<Moment> {
    let split = text.char_indices().skip(1).find(|(_, c)| *c == ' ' || *c == 'T')?.0;
    let days = parse_days(&text[..split])?;
    let (clock, fraction) = text[split + 1..].split_once('.').unwrap_or((&text[split + 1..], ""));
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2..=2)?;
    let minute = number(parts.next()?, 2..=2)?;
    let second = parts.next().map_or(Some(0), |text| number(text, 2..=2))?;
    if hour > 23 || minute > 59 || second > 59 || parts.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let mut padded = String::with_capacity(9);
    write!(padded, "{fraction:0<9}").ok()?;
    let nanos = number(&padded, 9..=9)? as u32;
    Some(Moment { seconds: days * 86_400 + hour * 3_600 + minute * 60 + second, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(text: &str) -> Watermark {
        Watermark::parse(CursorKind::Zoned, text).expect("a readable watermark")
    }

    #[test]
    fn pitfall_07_a_watermark_keeps_every_digit() {
        for text in
            ["2026-02-28T10:00:00.123456789Z", "1969-12-31T23:59:59.000000001Z", "9999-12-31T00:00:00Z"]
        {
            assert_eq!(zoned(text).text, text);
        }
        assert_eq!(Watermark::parse(CursorKind::Zoned, "2026-02-30T00:00:00Z"), None);
        assert_eq!(Watermark::parse(CursorKind::Zoned, "2026-02-28 00:00:00"), None);
    }

    #[test]
    fn pitfall_05_a_lookback_has_one_unit() {
        let mark = zoned("2026-03-01T00:00:00.000000001Z");
        assert_eq!(mark.minus(10_000_000).expect("a time").text, "2026-02-28T23:59:50.000000001Z");
        let day = Watermark::parse(CursorKind::Date, "2026-03-01").expect("a day");
        assert_eq!(day.minus(1).expect("a day").text, "2026-02-28");
        let int = Watermark::parse(CursorKind::Int, "5").expect("an integer");
        assert_eq!(int.minus(7).expect("an integer").text, "-2");
    }

    #[test]
    fn ranks_keep_the_order() {
        assert!(zoned("2026-02-28T10:00:00Z").rank() < zoned("2026-02-28T10:00:00.000000001Z").rank());
        assert_eq!(zoned("9999-12-31T00:00:00Z").rank(), Some(i64::MAX));
    }
}
