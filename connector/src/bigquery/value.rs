//! One cell's text into its column.
//!
//! Source: the cells' forms as Google's own Python client reads them (`_helpers.py`).

use super::types::Wire;
use crate::{Cell, Column, Data, Moment, cursor, decimal};

/// Appends a cell from its text; what cannot be read as its type is kept as it is, and what is longer than `most`
/// bytes is cut.
pub fn push(column: &mut Column, wire: &Wire, text: &str, most: usize) {
    if text.len() > most {
        return column.push_unreadable(&text[..text.floor_char_boundary(most)]);
    }
    let cell = match wire {
        Wire::Int => text.parse().ok().map(|value: i64| Cell::Int(value.into())),
        Wire::Float => float(text).map(Cell::Float),
        Wire::Bool => match text {
            "true" | "TRUE" | "True" => Some(Cell::Bool(true)),
            "false" | "FALSE" | "False" => Some(Cell::Bool(false)),
            _ => None,
        },
        Wire::Date => days(text).map(Cell::Date),
        Wire::DateTime => cursor::parse_moment(text).map(Cell::Naive),
        Wire::Timestamp => instant(text).map(Cell::Zoned),
        Wire::Numeric | Wire::BigNumeric => {
            if let Data::Decimal(values) = column.values()
                && decimal::canonicalize_into(text, values.buffer())
            {
                values.close();
                return column.pushed();
            }
            None
        }
        Wire::Json => Some(Cell::Json(text)),
        Wire::Text | Wire::Bytes | Wire::Time | Wire::Picos | Wire::Other | Wire::Record(_) => {
            Some(Cell::Text(text))
        }
    };
    column.push(cell.unwrap_or(Cell::Unreadable(text)));
}

/// A float from its text; not-a-number and the infinities have several names.
pub fn float(text: &str) -> Option<f64> {
    // Rust reads `NaN`, `inf` and `Infinity` in any case, with a sign or without.
    text.parse().ok()
}

fn days(text: &str) -> Option<i32> {
    cursor::parse_days(text)?.try_into().ok()
}

/// An instant: microseconds since 1970 as asked for, or seconds with a point or an exponent, which some services
/// give all the same. Digits only, never a float.
pub fn instant(text: &str) -> Option<Moment> {
    if let Ok(micros) = text.parse() {
        return Some(Moment::from_micros(micros));
    }
    if !text.contains(['.', 'e', 'E']) {
        return None;
    }
    let plain = decimal::canonicalize(text)?;
    let (negative, plain) = plain.strip_prefix('-').map_or((false, plain.as_str()), |rest| (true, rest));
    let (seconds, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    if fraction.len() > 9 {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    let nanos = seconds.parse::<i64>().ok().map(i128::from)? * 1_000_000_000 + nanos;
    Some(Moment::from_nanos(if negative { -nanos } else { nanos }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    fn shown(wire: &Wire, kind: Type, text: &str) -> String {
        let mut column = Column::new("v", kind, false);
        push(&mut column, wire, text, 64);
        format!("{:?}", column.cell(0))
    }

    #[test]
    fn pitfall_15_instants_keep_every_microsecond_by_integers_alone() {
        for (text, seconds, nanos) in [
            ("1714557600123456", 1_714_557_600, 123_456_000),
            ("-1", -1, 999_999_000),
            ("0", 0, 0),
            ("253402300799999999", 253_402_300_799, 999_999_000),
            ("-62135596800000000", -62_135_596_800, 0),
            // What comes when the answer ignores that integers were asked for.
            ("1.714557600123456E9", 1_714_557_600, 123_456_000),
            ("1714557600.999999", 1_714_557_600, 999_999_000),
            ("-1.0E-6", -1, 999_999_000),
            ("0.0", 0, 0),
        ] {
            assert_eq!(instant(text), Some(Moment { seconds, nanos }), "{text}");
        }
        for text in ["", "NaN", "2026-02-28", "1.0000000001E0", "9223372036854775808"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn pitfall_14_decimals_of_76_digits_stay_whole() {
        let (whole, fraction) = ("5".repeat(38), format!("{}1", "0".repeat(37)));
        let text = format!("-{whole}.{fraction}");
        let mut column = Column::new("v", Type::Decimal, false);
        push(&mut column, &Wire::BigNumeric, &text, 100);
        assert_eq!(column.cell(0), Cell::Decimal(&text));
        assert_eq!(shown(&Wire::Numeric, Type::Decimal, "12.340000000"), "Decimal(\"12.34\")");
        assert_eq!(shown(&Wire::Numeric, Type::Decimal, "NaN"), "Unreadable(\"NaN\")");
    }

    #[test]
    fn cells_are_what_their_text_says_or_kept_as_it_is() {
        for (wire, kind, text, wanted) in [
            (Wire::Int, Type::Int, "-9223372036854775808", "Int(-9223372036854775808)"),
            (Wire::Int, Type::Int, "1.0E3", "Unreadable(\"1.0E3\")"),
            (Wire::Float, Type::Float, "1.0E10", "Float(10000000000.0)"),
            (Wire::Float, Type::Float, "NaN", "Float(NaN)"),
            (Wire::Float, Type::Float, "-Infinity", "Float(-inf)"),
            (Wire::Float, Type::Float, "inf", "Float(inf)"),
            (Wire::Bool, Type::Bool, "true", "Bool(true)"),
            (Wire::Bool, Type::Bool, "yes", "Unreadable(\"yes\")"),
            (Wire::Date, Type::Date, "0001-01-01", "Date(-719162)"),
            (Wire::Date, Type::Date, "2026-02-30", "Unreadable(\"2026-02-30\")"),
            (
                Wire::DateTime,
                Type::Naive,
                "1970-01-01T00:00:01.5",
                "Naive(Moment { seconds: 1, nanos: 500000000 })",
            ),
            (Wire::Json, Type::Json, "null", "Json(\"null\")"),
            (Wire::Other, Type::Other, "[2026-01-01, UNBOUNDED)", "Text(\"[2026-01-01, UNBOUNDED)\")"),
        ] {
            assert_eq!(shown(&wire, kind, text), wanted, "{wire:?}");
        }
        let long = "é".repeat(40);
        assert_eq!(shown(&Wire::Text, Type::Text, &long), format!("{:?}", Cell::Unreadable(&long[..64])));
    }
}
