//! One cell of `jsonv2` into its column.
//!
//! Source: "Getting the data from the results" in the documentation of Snowflake's SQL API: numbers as decimal text,
//! days since 1970, seconds with nine decimals, offsets of zones in minutes plus 1440.

use std::fmt::Write as _;

use super::types::Native;
use crate::{Column, Data, Moment, decimal};

/// Appends a cell's text. What is no value of the type is kept as it is, as unreadable.
pub fn push(column: &mut Column, native: &Native, text: &str) {
    let taken = match (column.values(), native) {
        (Data::Text(texts), Native::Time(_)) => clock(text, texts.buffer()).then(|| texts.close()),
        (Data::Text(texts) | Data::Json(texts), _) => {
            texts.push(text);
            Some(())
        }
        (Data::Int(values), _) => integer(text).and_then(|it| it.try_into().ok()).map(|it| values.push(it)),
        (Data::Wide(values), _) => integer(text).map(|it| values.push(it)),
        (Data::Decimal(texts), _) => number(text, texts.buffer()).then(|| texts.close()),
        (Data::Float(values), _) => float(text).map(|it| values.push(it)),
        (Data::Bool(values), _) => truth(text).map(|it| values.push(it)),
        (Data::Date(values), _) => text.parse().ok().map(|it| values.push(it)),
        (Data::Naive(values), _) => moment(text).map(|it| values.push(it)),
        (Data::Zoned(values), Native::Tz(_)) => zoned(text).map(|it| values.push(it)),
        (Data::Zoned(values), _) => moment(text).map(|it| values.push(it)),
    };
    match taken {
        Some(()) => column.pushed(),
        None => column.push_unreadable(text),
    }
}

/// An integer; also one written as a decimal without a fraction.
fn integer(text: &str) -> Option<i128> {
    // Below 19 digits the arithmetic of 64 bits is enough, and several times faster.
    if text.len() <= 18 {
        if let Ok(small) = text.parse::<i64>() {
            return Some(i128::from(small));
        }
    } else if let Ok(large) = text.parse() {
        return Some(large);
    }
    decimal::canonicalize(text)?.parse().ok()
}

/// Appends a decimal in canonical form.
fn number(text: &str, out: &mut String) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // The way Snowflake writes nearly all of them, which only lacks the cutting of zeros.
    if let Some((whole, fraction)) = digits.split_once('.')
        && let Some(last) = fraction.bytes().rposition(|byte| byte != b'0')
        && (whole == "0" || !whole.starts_with('0') && !whole.is_empty())
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        out.push_str(&text[..text.len() - (fraction.len() - last - 1)]);
        return true;
    }
    decimal::canonicalize_into(text, out)
}

/// A float; infinities and NaN in any case.
fn float(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Seconds since 1970 with up to nine decimals; the sign is that of both halves.
fn moment(text: &str) -> Option<Moment> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let padding = 10_u32.pow(9 - fraction.len() as u32);
    let nanos = if fraction.is_empty() { 0 } else { fraction.parse::<u32>().ok()? * padding };
    Some(match (negative, nanos) {
        (false, _) => Moment { seconds, nanos },
        (true, 0) => Moment { seconds: -seconds, nanos },
        (true, _) => Moment { seconds: -seconds - 1, nanos: 1_000_000_000 - nanos },
    })
}

/// A moment in UTC and the offset of its zone, which does not change the instant.
fn zoned(text: &str) -> Option<Moment> {
    let (utc, offset) = text.split_once(' ')?;
    let offset: i32 = offset.parse().ok()?;
    (0..=2_880).contains(&offset).then(|| moment(utc))?
}

/// Appends a time of day, given as seconds since midnight, as `10:00:00.5`.
fn clock(text: &str, out: &mut String) -> bool {
    let Some(time) = moment(text).filter(|time| (0..86_400).contains(&time.seconds)) else { return false };
    let second = time.seconds;
    // Writing to a string cannot fail.
    let _written = write!(out, "{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    if time.nanos != 0 {
        let _written = write!(out, ".{:09}", time.nanos);
        out.truncate(out.trim_end_matches('0').len());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;

    fn shown(native: &Native, text: &str) -> String {
        let mut column = Column::new("c", native.kind(), native.wide());
        push(&mut column, native, text);
        match column.cell(0) {
            Cell::Unreadable(raw) => format!("unreadable {raw}"),
            cell => cell.to_string(),
        }
    }

    #[test]
    fn pitfall_14_numbers_keep_every_digit() {
        let nines = "9".repeat(38);
        for (native, text, wanted) in [
            (Native::Fixed(38, 0), nines.as_str(), nines.as_str()),
            (Native::Fixed(38, 0), "-12", "-12"),
            (Native::Fixed(38, 0), "12.00", "12"),
            (Native::Fixed(18, 0), "-999999999999999999", "-999999999999999999"),
            (Native::Fixed(18, 0), "12.5", "unreadable 12.5"),
            (Native::Fixed(38, 0), "1e3", "1000"),
            (Native::Fixed(38, 0), "", "unreadable "),
            (Native::Fixed(12, 2), "12.30", "12.3"),
            (Native::Fixed(12, 2), "-0.00", "0"),
            (Native::Fixed(12, 2), "-0.10", "-0.1"),
            (Native::Fixed(12, 2), "100", "100"),
            (Native::Fixed(12, 2), "007.50", "7.5"),
            (Native::Fixed(12, 2), ".5", "0.5"),
            (
                Native::Fixed(38, 37),
                "1.0000000000000000000000000000000000001",
                "1.0000000000000000000000000000000000001",
            ),
            (Native::Fixed(12, 2), "1.2.3", "unreadable 1.2.3"),
            (Native::Decfloat, "1.5E-7", "0.00000015"),
            (Native::Real, "1.5e300", &1.5e300_f64.to_string()),
            (Native::Real, "NaN", "NaN"),
            (Native::Real, "-INF", "-inf"),
        ] {
            assert_eq!(shown(&native, text), wanted, "{native:?} {text}");
        }
    }

    #[test]
    fn pitfall_07_times_keep_every_digit_and_their_sign() {
        for (native, text, wanted) in [
            (Native::Ntz(9), "1611871777.123456789", "2021-01-28 22:09:37.123456789"),
            (Native::Ntz(9), "-0.500000000", "1969-12-31 23:59:59.5"),
            (Native::Ntz(9), "-1.000000000", "1969-12-31 23:59:59"),
            (Native::Ntz(3), "-1.250", "1969-12-31 23:59:58.75"),
            (Native::Ltz(9), "0", "1970-01-01T00:00:00Z"),
            (Native::Tz(9), "1611871777.123456789 960", "2021-01-28T22:09:37.123456789Z"),
            (Native::Tz(9), "1611871777.123456789", "unreadable 1611871777.123456789"),
            (Native::Tz(9), "1 9999", "unreadable 1 9999"),
            (Native::Ntz(9), "1.1234567891", "unreadable 1.1234567891"),
            (Native::Ntz(9), "--1", "unreadable --1"),
            (Native::Ntz(9), "1.-5", "unreadable 1.-5"),
            (Native::Date, "-1", "1969-12-31"),
            (Native::Date, "20512", "2026-02-28"),
            (Native::Time(9), "36000.500000000", "10:00:00.5"),
            (Native::Time(0), "86399", "23:59:59"),
            (Native::Time(0), "86400", "unreadable 86400"),
        ] {
            assert_eq!(shown(&native, text), wanted, "{native:?} {text}");
        }
    }

    #[test]
    fn other_cells_are_as_they_come() {
        for (native, text, wanted) in [
            (Native::Text, "null", "null"),
            (Native::Json, "null", "null"),
            (Native::Json, "{\"a\": undefined}", "{\"a\": undefined}"),
            (Native::Binary, "00FF", "00FF"),
            (Native::Boolean, "TRUE", "true"),
            (Native::Boolean, "0", "false"),
            (Native::Boolean, "yes", "unreadable yes"),
        ] {
            assert_eq!(shown(&native, text), wanted, "{native:?} {text}");
        }
    }
}
