//! One cell's text into its column.

use std::borrow::Cow;

use super::types::Form;
use crate::{Column, Data, Moment, cursor, decimal};

/// Appends a cell; one that is no value of its type is kept as unreadable.
pub fn push(column: &mut Column, form: Form, text: &str) {
    let pushed = match (column.values(), form) {
        (Data::Int(values), Form::Int) => put(values, text.parse().ok()),
        (Data::Decimal(values), Form::Decimal) => {
            let canonical = decimal::canonicalize_into(text, values.buffer());
            if canonical {
                values.close();
            }
            canonical
        }
        (Data::Float(values), Form::Float) => put(values, text.parse().ok()),
        (Data::Bool(values), Form::Bool) => put(values, text.parse().ok()),
        (Data::Text(values), Form::Text | Form::Other) | (Data::Json(values), Form::Json) => {
            values.push(text);
            true
        }
        (Data::Date(values), Form::Date) => {
            let days = cursor::parse_days(unsigned(text)).and_then(|days| i32::try_from(days).ok());
            put(values, days)
        }
        (Data::Zoned(values), Form::Zoned) => put(values, text.parse().ok().map(Moment::from_micros)),
        (Data::Naive(values), Form::Naive) => put(values, cursor::parse_moment(unsigned(text))),
        _ => false,
    };
    if pushed { column.pushed() } else { column.push_unreadable(text) }
}

/// Appends the beginning of a cell that is too long.
pub fn push_cut(column: &mut Column, text: &str, most: usize) {
    column.push_unreadable(&text[..text.floor_char_boundary(most)]);
}

fn put<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    value.is_some_and(|value| {
        values.push(value);
        true
    })
}

/// Years of more than four digits come with a sign.
fn unsigned(text: &str) -> &str {
    text.strip_prefix('+').unwrap_or(text)
}

/// The text behind a JSON string's inside; nothing when it is none.
pub fn unescaped(inside: &[u8], escaped: bool) -> Option<Cow<'_, str>> {
    if !escaped {
        return std::str::from_utf8(inside).ok().map(Cow::Borrowed);
    }
    let mut quoted = Vec::with_capacity(inside.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(inside);
    quoted.push(b'"');
    serde_json::from_slice::<String>(&quoted).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cell, Type};

    fn through(form: Form, kind: Type, text: &str) -> String {
        let mut column = Column::new("c", kind, false);
        push(&mut column, form, text);
        format!("{:?}", column.cell(0))
    }

    #[test]
    fn pitfall_14_no_digit_is_lost() {
        let digits = "-12345678901234567890123456789012345678";
        assert_eq!(through(Form::Decimal, Type::Decimal, digits), format!("Decimal({digits:?})"));
        assert_eq!(through(Form::Decimal, Type::Decimal, "1.50"), "Decimal(\"1.5\")");
        assert_eq!(through(Form::Float, Type::Float, "1.0E10"), "Float(10000000000.0)");
        assert_eq!(through(Form::Float, Type::Float, "NaN"), "Float(NaN)");
        assert_eq!(through(Form::Float, Type::Float, "-Infinity"), "Float(-inf)");
        assert_eq!(through(Form::Int, Type::Int, "9223372036854775807"), "Int(9223372036854775807)");
    }

    #[test]
    fn what_is_no_value_is_kept_as_it_came() {
        for (form, kind, text) in [
            (Form::Int, Type::Int, "9223372036854775808"),
            (Form::Decimal, Type::Decimal, "NaN"),
            (Form::Bool, Type::Bool, "yes"),
            (Form::Date, Type::Date, "2026-02-30"),
            (Form::Zoned, Type::Zoned, "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(through(form, kind, text), format!("Unreadable({text:?})"));
        }
    }

    #[test]
    fn pitfall_07_times_keep_their_microseconds() {
        let zoned = Cell::Zoned(Moment { seconds: 1_767_225_600, nanos: 123_456_000 });
        assert_eq!(through(Form::Zoned, Type::Zoned, "1767225600123456"), format!("{zoned:?}"));
        let naive = Cell::Naive(Moment { seconds: -1, nanos: 999_999_000 });
        assert_eq!(through(Form::Naive, Type::Naive, "1969-12-31 23:59:59.999999"), format!("{naive:?}"));
        let late = through(Form::Date, Type::Date, "+10000-01-01");
        assert_eq!(late, "Date(2932897)");
    }
}
