//! Values that bound a read, as text of the very type and precision of their column.
//!
//! A bound outside what a type can hold would be refused; here it bounds nothing, or leaves nothing.

use super::types::{Native, Wire};
use crate::{Cell, ConnectorError, ErrorKind, Moment, Result, Watermark, cell, cursor};

/// 0001-01-01 and 9999-12-31 in days since 1970-01-01: the days BigQuery's types hold.
const DAYS: (i128, i128) = (-719_162, 2_932_896);
/// Microseconds in a day.
const DAY: i128 = 86_400_000_000;
/// The longest cell of a row key that is bound.
const LONGEST: usize = 64 * 1024;

/// Which end of the interval a bound closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Rows at or above it.
    Lower,
    /// Rows at or below it.
    Upper,
}

/// What a bound means for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Every value is inside.
    Everything,
    /// No value is inside.
    Nothing,
    /// A value of the column's own type.
    At {
        /// The value's text.
        value: String,
        /// Whether it is the bound itself; else it is the nearest value inside.
        exact: bool,
    },
}

/// A watermark as a bound on its column.
///
/// # Errors
/// `Config` when it is not of the column's kind.
pub fn cursor(native: &Native, watermark: &Watermark, side: Side) -> Result<Bound> {
    let wrong = || {
        let message = format!("{:?} is no value of a cursor of type {}", watermark.text, native.shown);
        ConnectorError::new(ErrorKind::Config, message)
    };
    // Every cursor is a whole number of units; a bound between two is moved to the one inside.
    let (number, between, (lowest, highest)) = match (&native.wire, watermark.cell().ok_or_else(wrong)?) {
        (Wire::Int, Cell::Int(value)) => (value, false, (i128::from(i64::MIN), i128::from(i64::MAX))),
        (Wire::Date, Cell::Date(days)) => (i128::from(days), false, DAYS),
        (Wire::DateTime, Cell::Naive(moment)) | (Wire::Timestamp, Cell::Zoned(moment)) => {
            let micros = i128::from(moment.seconds) * 1_000_000 + i128::from(moment.nanos / 1_000);
            (micros, moment.nanos % 1_000 != 0, (DAYS.0 * DAY, (DAYS.1 + 1) * DAY - 1))
        }
        _ => return Err(wrong()),
    };
    let number = if between && side == Side::Lower { number + 1 } else { number };
    if number < lowest {
        return Ok(if side == Side::Lower { Bound::Everything } else { Bound::Nothing });
    }
    if number > highest {
        return Ok(if side == Side::Lower { Bound::Nothing } else { Bound::Everything });
    }
    Ok(Bound::At { value: text(&native.wire, number).ok_or_else(wrong)?, exact: !between })
}

/// The least value of a column that can be a cursor: all others are at or above it.
pub fn least(native: &Native) -> Option<String> {
    let number = match native.wire {
        Wire::Int => i128::from(i64::MIN),
        Wire::Date => DAYS.0,
        Wire::DateTime | Wire::Timestamp => DAYS.0 * DAY,
        _ => return None,
    };
    text(&native.wire, number)
}

fn text(wire: &Wire, number: i128) -> Option<String> {
    let mut out = String::new();
    match wire {
        Wire::Date => cell::write_date(&mut out, number.try_into().ok()?).ok()?,
        Wire::DateTime | Wire::Timestamp => {
            return moment(wire, Moment::from_micros(number.try_into().ok()?));
        }
        _ => out = number.to_string(),
    }
    Some(out)
}

fn moment(wire: &Wire, moment: Moment) -> Option<String> {
    let mut out = String::new();
    if *wire == Wire::DateTime {
        cell::write_moment(&mut out, moment, 'T').ok()?;
    } else {
        cell::write_moment(&mut out, moment, ' ').ok()?;
        out.push_str("+00:00");
    }
    Some(out)
}

/// A row key's cell, from its text; nothing when it cannot be compared safely.
pub fn key(native: &Native, text: &str) -> Option<String> {
    native.parameter()?;
    if text.len() > LONGEST {
        return None;
    }
    match native.wire {
        Wire::DateTime => moment(&native.wire, cursor::parse_moment(text)?),
        Wire::Timestamp => moment(&native.wire, cursor::parse_moment(text.strip_suffix('Z')?)?),
        Wire::Int => text.parse::<i64>().ok().map(|value| value.to_string()),
        _ => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::CursorKind;

    fn native(kind: &str) -> Native {
        Native::of(&serde_json::from_value(json!({"name": "c", "type": kind})).expect("a field"))
    }

    fn at(value: &str, exact: bool) -> Bound {
        Bound::At { value: value.to_owned(), exact }
    }

    #[test]
    fn pitfall_07_bounds_have_the_columns_own_precision() {
        let zoned = "2026-02-28T10:00:00.123456789Z";
        let naive = "2026-02-28 10:00:00.123456";
        for (kind, cursor_kind, text, side, wanted) in [
            (
                "TIMESTAMP",
                CursorKind::Zoned,
                zoned,
                Side::Lower,
                at("2026-02-28 10:00:00.123457+00:00", false),
            ),
            (
                "TIMESTAMP",
                CursorKind::Zoned,
                zoned,
                Side::Upper,
                at("2026-02-28 10:00:00.123456+00:00", false),
            ),
            ("DATETIME", CursorKind::Naive, naive, Side::Lower, at("2026-02-28T10:00:00.123456", true)),
            ("DATE", CursorKind::Date, "2026-02-28", Side::Upper, at("2026-02-28", true)),
            ("INT64", CursorKind::Int, "-9223372036854775808", Side::Lower, at("-9223372036854775808", true)),
        ] {
            let watermark = Watermark { kind: cursor_kind, text: text.to_owned() };
            assert_eq!(cursor(&native(kind), &watermark, side).expect("a bound"), wanted, "{kind} {text}");
        }
    }

    #[test]
    fn pitfall_08_naive_and_zoned_bounds_are_not_mixed() {
        for (kind, cursor_kind, text) in [
            ("DATETIME", CursorKind::Zoned, "2026-02-28T10:00:00Z"),
            ("TIMESTAMP", CursorKind::Naive, "2026-02-28 10:00:00"),
            ("DATE", CursorKind::Naive, "2026-02-28 00:00:00"),
            ("STRING", CursorKind::Int, "7"),
        ] {
            let watermark = Watermark { kind: cursor_kind, text: text.to_owned() };
            assert!(cursor(&native(kind), &watermark, Side::Lower).is_err(), "{kind}");
        }
    }

    #[test]
    fn pitfall_05_a_bound_past_the_types_range_bounds_nothing() {
        for (kind, cursor_kind, text, side, wanted) in [
            ("INT64", CursorKind::Int, "-9223372036854775809", Side::Lower, Bound::Everything),
            ("INT64", CursorKind::Int, "9223372036854775808", Side::Lower, Bound::Nothing),
            ("DATE", CursorKind::Date, "0000-12-31", Side::Upper, Bound::Nothing),
            ("TIMESTAMP", CursorKind::Zoned, "0000-12-31T23:59:59Z", Side::Lower, Bound::Everything),
            ("TIMESTAMP", CursorKind::Zoned, "9999-12-31T23:59:59.9999999Z", Side::Lower, Bound::Nothing),
        ] {
            let watermark = Watermark { kind: cursor_kind, text: text.to_owned() };
            assert_eq!(cursor(&native(kind), &watermark, side).expect("a bound"), wanted, "{kind} {text}");
        }
        assert_eq!(least(&native("TIMESTAMP")).as_deref(), Some("0001-01-01 00:00:00+00:00"));
        assert_eq!(least(&native("STRING")), None);
    }

    #[test]
    fn cells_of_a_key_are_bound_in_their_own_type_or_not_at_all() {
        let bound = |kind: &str, text: &str| key(&native(kind), text);
        assert_eq!(
            bound("TIMESTAMP", "2026-02-28T10:00:00.5Z").as_deref(),
            Some("2026-02-28 10:00:00.5+00:00")
        );
        assert_eq!(bound("DATETIME", "2026-02-28 10:00:00.5").as_deref(), Some("2026-02-28T10:00:00.5"));
        assert_eq!(bound("STRING", "").as_deref(), Some(""));
        assert_eq!(bound("INT64", "1; DROP TABLE t"), None);
        assert_eq!(bound("FLOAT64", "1.5"), None);
        assert_eq!(bound("JSON", "{}"), None);
        assert_eq!(bound("STRING", &"x".repeat(LONGEST + 1)), None);
    }
}
