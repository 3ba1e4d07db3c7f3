//! Bounds of a cursor as PostgreSQL reads them, also where its types end sooner than ours.

use super::dialect::Wire;
use crate::cell::civil;
use crate::{Cell, Moment, Watermark};

/// 4713-01-01 BC, after which every date and timestamp can be written.
const FIRST_SECOND: i64 = -210_863_520_000;
/// 294277-01-01, before which every timestamp can be written.
const END_SECOND: i64 = 9_224_318_016_000;

/// The text of a lower bound.
pub fn lower(mark: &Watermark) -> String {
    text(mark, true)
}

/// The text of an upper bound.
pub fn upper(mark: &Watermark) -> String {
    text(mark, false)
}

fn text(mark: &Watermark, lower: bool) -> String {
    match mark.cell() {
        Some(Cell::Date(days)) => time(Moment { seconds: i64::from(days) * 86_400, nanos: 0 }, false),
        Some(Cell::Naive(moment) | Cell::Zoned(moment)) => time(whole_micros(moment, lower), true),
        _ => mark.text.clone(),
    }
}

/// The type to read a bound as: the column's own, unless it cannot hold the value.
pub fn read_as<'a>(mark: &Watermark, wire: Option<Wire>, native: &'a str) -> &'a str {
    match (mark.cell(), wire) {
        // Compared as numbers: no index is used, and none is needed, as no row or every row qualifies.
        (Some(Cell::Int(value)), Some(wire)) if !holds(wire, value) => "numeric",
        _ => native,
    }
}

fn holds(wire: Wire, value: i128) -> bool {
    match wire {
        Wire::Int2 => i16::try_from(value).is_ok(),
        Wire::Int4 => i32::try_from(value).is_ok(),
        _ => i64::try_from(value).is_ok(),
    }
}

/// PostgreSQL would round finer digits to the nearest; a closed interval of microseconds begins above and ends below.
fn whole_micros(moment: Moment, up: bool) -> Moment {
    let finer = moment.nanos % 1_000;
    let down = Moment { nanos: moment.nanos - finer, ..moment };
    if finer == 0 || !up {
        return down;
    }
    let nanos = i128::from(down.seconds) * 1_000_000_000 + i128::from(down.nanos) + 1_000;
    Moment::from_nanos(nanos)
}

/// A time in UTC with its era; an instant and a wall-clock time are written alike, as the session is in UTC.
fn time(moment: Moment, clock: bool) -> String {
    if moment.seconds < FIRST_SECOND {
        return "-infinity".to_owned();
    }
    if clock && moment.seconds >= END_SECOND {
        return "infinity".to_owned();
    }
    let (year, month, day) = civil(moment.seconds.div_euclid(86_400));
    let (year, era) = if year <= 0 { (1 - year, " BC") } else { (year, "") };
    let date = format!("{year:04}-{month:02}-{day:02}");
    if !clock {
        return format!("{date}{era}");
    }
    let second = moment.seconds.rem_euclid(86_400);
    let (hour, minute, micros) = (second / 3_600, second / 60 % 60, moment.nanos / 1_000);
    format!("{date} {hour:02}:{minute:02}:{:02}.{micros:06}{era}", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CursorKind;

    fn zoned(text: &str) -> Watermark {
        Watermark::parse(CursorKind::Zoned, text).expect("an instant")
    }

    #[test]
    fn pitfall_07_finer_digits_never_move_a_bound_inwards() {
        let mark = zoned("2026-02-28T23:59:59.999999001Z");
        assert_eq!(lower(&mark), "2026-03-01 00:00:00.000000");
        assert_eq!(upper(&mark), "2026-02-28 23:59:59.999999");
        let exact = zoned("2026-02-28T23:59:59.123456Z");
        assert_eq!(lower(&exact), upper(&exact));
    }

    #[test]
    fn far_years_are_written_with_their_era() {
        for (text, written) in [
            ("-0043-03-15T00:00:00Z", "0044-03-15 00:00:00.000000 BC"),
            ("0000-12-31T23:59:59.5Z", "0001-12-31 23:59:59.500000 BC"),
            ("-9999-01-01T00:00:00Z", "-infinity"),
            ("294276-12-31T23:59:59.999999Z", "294276-12-31 23:59:59.999999"),
            ("294277-01-01T00:00:00Z", "infinity"),
        ] {
            assert_eq!(lower(&zoned(text)), written);
        }
    }

    #[test]
    fn integers_past_the_column_are_compared_as_numbers() {
        let mark = Watermark::parse(CursorKind::Int, "40000").expect("an integer");
        assert_eq!(lower(&mark), "40000");
        assert_eq!(read_as(&mark, Some(Wire::Int2), "int2"), "numeric");
        assert_eq!(read_as(&mark, Some(Wire::Int4), "int4"), "int4");
    }
}
