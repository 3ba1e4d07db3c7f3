//! Values that bound a read, as text of the very type and precision of their column.
//!
//! A bound outside what a type can hold, such as a lookback below zero of an unsigned column, would be refused or
//! silently wrapped by the server; here it bounds nothing, or leaves nothing.

use super::types::{Native, Projection, Wire};
use crate::{Cell, ConnectorError, ErrorKind, Moment, Result, Watermark, cell, cursor};

/// 1900-01-01 and 2299-12-31 in days since 1970-01-01: the days `Date32` and `DateTime64` are defined for.
const DAYS: (i128, i128) = (-25_567, 120_529);
/// The longest cell of a row key that is bound; servers take no longer values in an address.
const LONGEST: usize = 16 * 1024;

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
        /// The type's name.
        kind: String,
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
        let message = format!("{:?} is no value of a cursor of type {}", watermark.text, native.bare);
        ConnectorError::new(ErrorKind::Config, message)
    };
    let value = watermark.cell().ok_or_else(wrong)?;
    // Every cursor is a whole number of units; a bound between two is moved to the one inside.
    let (number, between, (lowest, highest)) = match (&native.wire, &value) {
        (Wire::Int(16), Cell::Int(value)) => (*value, false, (i128::MIN, i128::MAX)),
        (Wire::Int(bytes), Cell::Int(value)) if *bytes < 16 => {
            let half = 1_i128 << (bytes * 8 - 1);
            (*value, false, (-half, half - 1))
        }
        (Wire::UInt(bytes), Cell::Int(value)) if *bytes < 16 => (*value, false, (0, (1 << (bytes * 8)) - 1)),
        (Wire::Date, Cell::Date(days)) => (i128::from(*days), false, (0, i128::from(u16::MAX))),
        (Wire::Date32, Cell::Date(days)) => (i128::from(*days), false, DAYS),
        (Wire::DateTime, Cell::Zoned(moment)) => {
            (i128::from(moment.seconds), moment.nanos != 0, (0, i128::from(u32::MAX)))
        }
        (Wire::DateTime64(digits), Cell::Zoned(moment)) => {
            let (unit, rest) = (10_i128.pow(*digits), 10_u32.pow(9 - *digits));
            let ticks = i128::from(moment.seconds) * unit + i128::from(moment.nanos / rest);
            let highest = ((DAYS.1 + 1) * 86_400 * unit - 1).min(i128::from(i64::MAX));
            (ticks, moment.nanos % rest != 0, (DAYS.0 * 86_400 * unit, highest))
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
    let mut value = String::new();
    let unit = if let Wire::DateTime64(digits) = native.wire { 10_i128.pow(digits) } else { 1 };
    let written = match native.wire {
        Wire::Date | Wire::Date32 => cell::write_date(&mut value, number as i64),
        Wire::DateTime | Wire::DateTime64(_) => {
            let nanos = number.rem_euclid(unit) * (1_000_000_000 / unit);
            let moment = Moment { seconds: number.div_euclid(unit) as i64, nanos: nanos as u32 };
            cell::write_moment(&mut value, moment, ' ')
        }
        _ => {
            value = number.to_string();
            Ok(())
        }
    };
    written.map_err(|_| wrong())?;
    Ok(Bound::At { kind: parameter_type(native), value, exact: !between })
}

/// A row key's cell, from its text, as type and value; nothing when it cannot be compared safely.
pub fn key(native: &Native, text: &str) -> Option<(String, String)> {
    if text.len() > LONGEST || (text.is_empty() && native.nullable) {
        return None; // an empty text of a nullable column may be a null
    }
    if native.projection != Projection::Plain {
        return Some(("String".to_owned(), text.to_owned()));
    }
    let value = match &native.wire {
        // NaN has no place in an order, and Nothing no value.
        Wire::Float2 | Wire::Float4 | Wire::Float8 | Wire::Nothing => return None,
        Wire::DateTime | Wire::DateTime64(_) => {
            let mut value = String::new();
            cell::write_moment(&mut value, cursor::parse_moment(text.strip_suffix('Z')?)?, ' ').ok()?;
            value
        }
        Wire::FixedString(bytes) if text.len() > *bytes => return None,
        Wire::Enum(_, names) if !names.iter().any(|(_, name)| **name == *text) => return None,
        _ => text.to_owned(),
    };
    Some((parameter_type(native), value))
}

/// The type a value is bound as: the column's, with times in UTC.
fn parameter_type(native: &Native) -> String {
    match native.wire {
        Wire::DateTime => "DateTime('UTC')".to_owned(),
        Wire::DateTime64(digits) => format!("DateTime64({digits},'UTC')"),
        _ => native.bare.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CursorKind;

    fn at(kind: &str, value: &str, exact: bool) -> Bound {
        Bound::At { kind: kind.to_owned(), value: value.to_owned(), exact }
    }

    fn bound(native: &str, kind: CursorKind, text: &str, side: Side) -> Bound {
        let watermark = Watermark { kind, text: text.to_owned() };
        cursor(&Native::parse(native), &watermark, side).expect("a bound of the column's kind")
    }

    #[test]
    fn pitfall_07_bounds_have_the_columns_own_precision() {
        let text = "2026-02-28T10:00:00.123456789Z";
        for (native, side, wanted) in [
            ("DateTime64(9)", Side::Lower, at("DateTime64(9,'UTC')", "2026-02-28 10:00:00.123456789", true)),
            ("DateTime64(3)", Side::Lower, at("DateTime64(3,'UTC')", "2026-02-28 10:00:00.124", false)),
            ("DateTime64(3)", Side::Upper, at("DateTime64(3,'UTC')", "2026-02-28 10:00:00.123", false)),
            ("DateTime", Side::Lower, at("DateTime('UTC')", "2026-02-28 10:00:01", false)),
            ("DateTime('Asia/Kolkata')", Side::Upper, at("DateTime('UTC')", "2026-02-28 10:00:00", false)),
        ] {
            assert_eq!(bound(native, CursorKind::Zoned, text, side), wanted, "{native}");
        }
    }

    #[test]
    fn pitfall_05_a_lookback_past_the_types_range_bounds_nothing() {
        for (native, kind, text, side, wanted) in [
            ("UInt64", CursorKind::Int, "-5", Side::Lower, Bound::Everything),
            ("UInt64", CursorKind::Int, "-5", Side::Upper, Bound::Nothing),
            ("UInt8", CursorKind::Int, "256", Side::Lower, Bound::Nothing),
            ("UInt8", CursorKind::Int, "255", Side::Lower, at("UInt8", "255", true)),
            ("Int8", CursorKind::Int, "-128", Side::Lower, at("Int8", "-128", true)),
            ("Nullable(Int64)", CursorKind::Int, "7", Side::Upper, at("Int64", "7", true)),
            ("Date", CursorKind::Date, "1969-12-31", Side::Lower, Bound::Everything),
            ("Date32", CursorKind::Date, "1969-12-31", Side::Lower, at("Date32", "1969-12-31", true)),
            ("DateTime", CursorKind::Zoned, "2200-01-01T00:00:00Z", Side::Upper, Bound::Everything),
            ("DateTime64(9)", CursorKind::Zoned, "2263-01-01T00:00:00Z", Side::Lower, Bound::Nothing),
            ("DateTime64(6)", CursorKind::Zoned, "1800-01-01T00:00:00Z", Side::Lower, Bound::Everything),
        ] {
            assert_eq!(bound(native, kind, text, side), wanted, "{native} {text}");
        }
    }

    #[test]
    fn cells_of_a_key_that_cannot_be_compared_are_not_bound() {
        let key = |native: &str, text: &str| key(&Native::parse(native), text);
        assert_eq!(key("String", ""), Some(("String".to_owned(), String::new())));
        assert_eq!(key("Nullable(String)", ""), None);
        assert_eq!(key("Float64", "1.5"), None);
        assert_eq!(key("FixedString(2)", "abc"), None);
        assert_eq!(key("Map(String, String)", "{}"), Some(("String".to_owned(), "{}".to_owned())));
        let time = Some(("DateTime64(3,'UTC')".to_owned(), "2026-02-28 10:00:00.5".to_owned()));
        assert_eq!(key("DateTime64(3)", "2026-02-28T10:00:00.5Z"), time);
    }
}
