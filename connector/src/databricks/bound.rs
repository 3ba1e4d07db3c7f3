//! Values that bound a read, as typed parameters of the very type and precision of their column.
//!
//! Sources: "Parameters" of the Statement Execution API (values are text, `DECIMAL` needs its digits, a `TIMESTAMP`
//! without an offset would take the session's zone); times are whole microseconds.

use super::types::{Form, Native};
use crate::{Cell, ConnectorError, ErrorKind, Moment, Result, Watermark, cell, cursor};

/// The longest cell of a row key that is bound.
const LONGEST: usize = 1 << 20;

/// Which end of the interval a bound closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Rows at or above it.
    Lower,
    /// Rows at or below it.
    Upper,
}

/// A value with the type it is bound as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The type's name.
    pub kind: String,
    /// The value's text.
    pub value: String,
}

/// What a bound means for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every value is inside.
    Everything,
    /// No value is inside.
    Nothing,
    /// Values up to one of the column's own type.
    At {
        /// The value.
        bound: Bound,
        /// Whether it is the bound itself; else it is the nearest value inside.
        exact: bool,
    },
}

/// A watermark as a bound on its column.
///
/// # Errors
/// `Config` when it is not of the column's kind.
pub fn cursor(native: &Native, watermark: &Watermark, side: Side) -> Result<Reach> {
    let wrong = || {
        let message = format!("{:?} is no value of a cursor of type {}", watermark.text, native.name);
        ConnectorError::new(ErrorKind::Config, message)
    };
    let value = watermark.cell().ok_or_else(wrong)?;
    // Every cursor is a whole number of units; a bound between two is moved to the one inside.
    let (number, between) = match (native.form, &value) {
        (Form::Int, Cell::Int(value)) => (*value, false),
        (Form::Date, Cell::Date(days)) => (i128::from(*days), false),
        (Form::Zoned, Cell::Zoned(moment)) | (Form::Naive, Cell::Naive(moment)) => (
            i128::from(moment.seconds) * 1_000_000 + i128::from(moment.nanos / 1_000),
            moment.nanos % 1_000 != 0,
        ),
        _ => return Err(wrong()),
    };
    let number = if between && side == Side::Lower { number + 1 } else { number };
    let Ok(number) = i64::try_from(number) else {
        let below = number < 0;
        return Ok(if below == (side == Side::Lower) { Reach::Everything } else { Reach::Nothing });
    };
    let bound = match native.form {
        Form::Date => date(number),
        Form::Zoned => moment("TIMESTAMP", Moment::from_micros(number)),
        Form::Naive => moment("TIMESTAMP_NTZ", Moment::from_micros(number)),
        _ => Some(Bound { kind: "BIGINT".to_owned(), value: number.to_string() }),
    };
    Ok(Reach::At { bound: bound.ok_or_else(wrong)?, exact: !between })
}

/// A row key's cell, from its text; nothing when it cannot be compared safely.
pub fn key(native: &Native, text: &str) -> Option<Bound> {
    if text.len() > LONGEST || (text.is_empty() && native.nullable) {
        return None; // an empty text of a nullable column may be a null
    }
    let plain = |kind: &str| Some(Bound { kind: kind.to_owned(), value: text.to_owned() });
    match native.form {
        Form::Int => text.parse::<i64>().ok().and_then(|_| plain("BIGINT")),
        Form::Decimal => plain(&native.name),
        Form::Bool => matches!(text, "true" | "false").then(|| plain("BOOLEAN"))?,
        Form::Text | Form::Json => plain("STRING"),
        Form::Other if native.binary() => plain("STRING"),
        Form::Date => date(cursor::parse_days(text)?),
        Form::Zoned => moment("TIMESTAMP", cursor::parse_moment(text.strip_suffix('Z')?)?),
        Form::Naive => moment("TIMESTAMP_NTZ", cursor::parse_moment(text)?),
        // NaN has no place in an order, and of other types it is not known how they compare.
        Form::Float | Form::Other => None,
    }
}

fn date(days: i64) -> Option<Bound> {
    let mut value = String::new();
    cell::write_date(&mut value, days).ok()?;
    Some(Bound { kind: "DATE".to_owned(), value: signed(value) })
}

fn moment(kind: &str, moment: Moment) -> Option<Bound> {
    let mut value = String::new();
    cell::write_moment(&mut value, moment, 'T').ok()?;
    if kind == "TIMESTAMP" {
        value.push('Z');
    }
    Some(Bound { kind: kind.to_owned(), value: signed(value) })
}

/// Years of more than four digits are read with a sign only.
fn signed(value: String) -> String {
    let long = value.find('-').is_some_and(|digits| digits > 4);
    if long { format!("+{value}") } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CursorKind;

    fn at(kind: &str, value: &str, exact: bool) -> Reach {
        Reach::At { bound: Bound { kind: kind.to_owned(), value: value.to_owned() }, exact }
    }

    fn bound(native: &str, kind: CursorKind, text: &str, side: Side) -> Reach {
        let watermark = Watermark { kind, text: text.to_owned() };
        cursor(&Native::parse(native, true), &watermark, side).expect("a bound of the column's kind")
    }

    #[test]
    fn pitfall_07_bounds_are_moved_inside_never_rounded() {
        let text = "2026-02-28T10:00:00.123456789Z";
        for (side, wanted) in [
            (Side::Lower, at("TIMESTAMP", "2026-02-28T10:00:00.123457Z", false)),
            (Side::Upper, at("TIMESTAMP", "2026-02-28T10:00:00.123456Z", false)),
        ] {
            assert_eq!(bound("timestamp", CursorKind::Zoned, text, side), wanted);
        }
        let exact = bound("timestamp", CursorKind::Zoned, "2026-02-28T10:00:00.123456Z", Side::Lower);
        assert_eq!(exact, at("TIMESTAMP", "2026-02-28T10:00:00.123456Z", true));
    }

    #[test]
    fn pitfall_08_naive_and_zoned_times_are_bound_as_what_they_are() {
        let naive = bound("timestamp_ntz", CursorKind::Naive, "2026-02-28 10:00:00.5", Side::Lower);
        assert_eq!(naive, at("TIMESTAMP_NTZ", "2026-02-28T10:00:00.5", true));
        let watermark = Watermark { kind: CursorKind::Naive, text: "2026-02-28 10:00:00".to_owned() };
        let error =
            cursor(&Native::parse("timestamp", true), &watermark, Side::Lower).expect_err("another kind");
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn pitfall_05_a_lookback_past_the_types_range_bounds_nothing() {
        let low = "-170141183460469231731687303715884105728";
        for (native, kind, text, side, wanted) in [
            ("bigint", CursorKind::Int, low, Side::Lower, Reach::Everything),
            ("bigint", CursorKind::Int, low, Side::Upper, Reach::Nothing),
            ("int", CursorKind::Int, "99999999999999999999", Side::Lower, Reach::Nothing),
            ("int", CursorKind::Int, "99999999999999999999", Side::Upper, Reach::Everything),
            ("tinyint", CursorKind::Int, "300", Side::Upper, at("BIGINT", "300", true)),
            ("date", CursorKind::Date, "9999-12-31", Side::Upper, at("DATE", "9999-12-31", true)),
            ("date", CursorKind::Date, "10000-01-01", Side::Lower, at("DATE", "+10000-01-01", true)),
            ("timestamp", CursorKind::Zoned, "900000-01-01T00:00:00Z", Side::Lower, Reach::Nothing),
        ] {
            assert_eq!(bound(native, kind, text, side), wanted, "{native} {text}");
        }
    }

    #[test]
    fn cells_of_a_key_that_cannot_be_compared_are_not_bound() {
        let key = |native: &str, nullable: bool, text: &str| {
            key(&Native::parse(native, nullable), text).map(|bound| (bound.kind, bound.value))
        };
        let is = |kind: &str, value: &str| Some((kind.to_owned(), value.to_owned()));
        assert_eq!(key("string", false, ""), is("STRING", ""));
        assert_eq!(key("string", true, ""), None);
        assert_eq!(key("double", false, "1.5"), None);
        assert_eq!(key("bigint", false, "1; DROP TABLE t"), None);
        assert_eq!(key("decimal(18,2)", false, "1.5"), is("DECIMAL(18,2)", "1.5"));
        assert_eq!(
            key("timestamp", false, "2026-02-28T10:00:00.5Z"),
            is("TIMESTAMP", "2026-02-28T10:00:00.5Z")
        );
        assert_eq!(key("interval day", false, "1"), None);
    }
}
