//! Values that bound a read: texts, cast by the statement to the very type and precision of their column.
//!
//! A bound outside what a type can hold would be refused; here it bounds nothing, or leaves nothing.

use super::types::Native;
use crate::{Cell, ConnectorError, ErrorKind, Moment, Result, Watermark, cell, cursor, decimal};

/// 0001-01-01 and 9999-12-31 in days since 1970-01-01: years of four digits, which every format reads.
const DAYS: (i128, i128) = (-719_162, 2_932_896);
/// The longest cell of a row key that is bound.
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
        /// How the statement takes it, with one question mark.
        sql: String,
        /// Its text.
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
        let message = format!("{:?} is no value of a cursor of type {native:?}", watermark.text);
        ConnectorError::new(ErrorKind::Config, message)
    };
    // Every cursor is a whole number of units; a bound between two is moved to the one inside.
    let (number, between, (lowest, highest)) = match (native, watermark.cell().ok_or_else(wrong)?) {
        (Native::Fixed(precision, 0), Cell::Int(value)) => {
            let most = 10_i128.pow(u32::from(*precision)) - 1;
            (value, false, (-most, most))
        }
        (Native::Date, Cell::Date(days)) => (i128::from(days), false, DAYS),
        (Native::Ntz(digits), Cell::Naive(moment))
        | (Native::Ltz(digits) | Native::Tz(digits), Cell::Zoned(moment)) => {
            let (unit, rest) = (unit(*digits), 10_u32.pow(9 - u32::from(*digits)));
            let ticks = i128::from(moment.seconds) * unit + i128::from(moment.nanos / rest);
            let range = (DAYS.0 * 86_400 * unit, (DAYS.1 + 1) * 86_400 * unit - 1);
            (ticks, moment.nanos % rest != 0, range)
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
    let value = match native {
        Native::Date => {
            let days = i32::try_from(number).map_err(|_| wrong())?;
            Cell::Date(days).to_string()
        }
        Native::Ntz(digits) | Native::Ltz(digits) | Native::Tz(digits) => {
            let unit = unit(*digits);
            let nanos = number.rem_euclid(unit) * (1_000_000_000 / unit);
            let moment = Moment { seconds: number.div_euclid(unit) as i64, nanos: nanos as u32 };
            written(native, moment).ok_or_else(wrong)?
        }
        _ => number.to_string(),
    };
    Ok(Bound::At { sql: taken(native).ok_or_else(wrong)?, value, exact: !between })
}

/// A row key's cell, from its text, as the statement takes it and as it is bound; nothing when it cannot be compared
/// safely.
pub fn key(native: &Native, text: &str) -> Option<(String, String)> {
    // An empty text may have been a null.
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let value = match native {
        Native::Fixed(..) => decimal::canonicalize(text)?,
        Native::Date => {
            cursor::parse_days(text)?;
            text.to_owned()
        }
        Native::Ntz(_) => written(native, cursor::parse_moment(text)?)?,
        Native::Ltz(_) | Native::Tz(_) => written(native, cursor::parse_moment(text.strip_suffix('Z')?)?)?,
        Native::Boolean | Native::Text | Native::Time(_) => text.to_owned(),
        // NaN has no place in an order; the others have none at all, or none that is known.
        _ => return None,
    };
    Some((taken(native)?, value))
}

/// How a statement takes a text as a value of the type.
fn taken(native: &Native) -> Option<String> {
    Some(match native {
        Native::Fixed(precision, scale) => format!("CAST(? AS NUMBER({precision},{scale}))"),
        Native::Text => "?".to_owned(),
        Native::Boolean => "CAST(? AS BOOLEAN)".to_owned(),
        Native::Date => "CAST(? AS DATE)".to_owned(),
        Native::Time(digits) => format!("CAST(? AS TIME({digits}))"),
        Native::Ntz(digits) => format!("CAST(? AS TIMESTAMP_NTZ({digits}))"),
        Native::Ltz(digits) => format!("CAST(? AS TIMESTAMP_LTZ({digits}))"),
        Native::Tz(digits) => format!("CAST(? AS TIMESTAMP_TZ({digits}))"),
        _ => return None,
    })
}

/// A time as text, with its offset where the type has one: no session's zone must change what it means.
fn written(native: &Native, moment: Moment) -> Option<String> {
    let mut text = String::new();
    cell::write_moment(&mut text, moment, ' ').ok()?;
    if !matches!(native, Native::Ntz(_)) {
        text.push_str(" +00:00");
    }
    Some(text)
}

/// Ticks in a second with that many digits.
fn unit(digits: u8) -> i128 {
    10_i128.pow(u32::from(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CursorKind;

    fn at(sql: &str, value: &str, exact: bool) -> Bound {
        Bound::At { sql: format!("CAST(? AS {sql})"), value: value.to_owned(), exact }
    }

    fn bound(native: &Native, kind: CursorKind, text: &str, side: Side) -> Bound {
        let watermark = Watermark { kind, text: text.to_owned() };
        cursor(native, &watermark, side).expect("a bound of the column's kind")
    }

    #[test]
    fn pitfall_07_bounds_have_the_columns_own_precision() {
        let text = "2026-02-28T10:00:00.123456789Z";
        let ltz = |digits| format!("TIMESTAMP_LTZ({digits})");
        for (digits, side, value, exact) in [
            (9, Side::Lower, "2026-02-28 10:00:00.123456789 +00:00", true),
            (3, Side::Lower, "2026-02-28 10:00:00.124 +00:00", false),
            (3, Side::Upper, "2026-02-28 10:00:00.123 +00:00", false),
            (0, Side::Lower, "2026-02-28 10:00:01 +00:00", false),
        ] {
            let found = bound(&Native::Ltz(digits), CursorKind::Zoned, text, side);
            assert_eq!(found, at(&ltz(digits), value, exact));
        }
    }

    #[test]
    fn pitfall_08_naive_and_zoned_times_are_bound_apart() {
        let naive = bound(&Native::Ntz(9), CursorKind::Naive, "2026-02-28 10:00:00", Side::Lower);
        assert_eq!(naive, at("TIMESTAMP_NTZ(9)", "2026-02-28 10:00:00", true));
        let zoned = bound(&Native::Tz(9), CursorKind::Zoned, "2026-02-28T10:00:00Z", Side::Upper);
        assert_eq!(zoned, at("TIMESTAMP_TZ(9)", "2026-02-28 10:00:00 +00:00", true));
        let mixed = Watermark { kind: CursorKind::Naive, text: "2026-02-28 10:00:00".to_owned() };
        assert!(cursor(&Native::Ltz(9), &mixed, Side::Lower).is_err());
    }

    #[test]
    fn pitfall_05_a_lookback_past_the_types_range_bounds_nothing() {
        for (native, kind, text, side, wanted) in [
            (Native::Fixed(2, 0), CursorKind::Int, "-100", Side::Lower, Bound::Everything),
            (Native::Fixed(2, 0), CursorKind::Int, "-100", Side::Upper, Bound::Nothing),
            (Native::Fixed(2, 0), CursorKind::Int, "99", Side::Upper, at("NUMBER(2,0)", "99", true)),
            (
                Native::Fixed(38, 0),
                CursorKind::Int,
                "170141183460469231731687303715884105727",
                Side::Upper,
                Bound::Everything,
            ),
            (Native::Date, CursorKind::Date, "-0001-01-01", Side::Lower, Bound::Everything),
            (Native::Date, CursorKind::Date, "0001-01-01", Side::Lower, at("DATE", "0001-01-01", true)),
            (Native::Date, CursorKind::Date, "9999-12-31", Side::Upper, at("DATE", "9999-12-31", true)),
            (Native::Ntz(9), CursorKind::Naive, "10000-01-01 00:00:00", Side::Lower, Bound::Nothing),
        ] {
            assert_eq!(bound(&native, kind, text, side), wanted, "{native:?} {text}");
        }
    }

    #[test]
    fn cells_of_a_key_that_cannot_be_compared_are_not_bound() {
        let text = |sql: &str, value: &str| Some((sql.to_owned(), value.to_owned()));
        assert_eq!(key(&Native::Text, "x"), text("?", "x"));
        assert_eq!(key(&Native::Text, ""), None);
        assert_eq!(key(&Native::Fixed(38, 2), "1.50"), text("CAST(? AS NUMBER(38,2))", "1.5"));
        assert_eq!(key(&Native::Fixed(38, 0), "0; DROP TABLE t"), None);
        assert_eq!(key(&Native::Real, "1.5"), None);
        assert_eq!(key(&Native::Json, "{}"), None);
        let time = text("CAST(? AS TIMESTAMP_TZ(3))", "2026-02-28 10:00:00.5 +00:00");
        assert_eq!(key(&Native::Tz(3), "2026-02-28T10:00:00.5Z"), time);
    }
}
