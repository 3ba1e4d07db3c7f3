//! The statement that sums up a table's slices.
//!
//! Source: "SUM", "DATEDIFF" and "Arithmetic operators" of Snowflake's SQL reference: a sum has 38 digits and the scale
//! of its column, and one that needs more is an error.

use super::columns::Expected;
use super::dialect::{Start, cursor_column, interval, quote, table_name};
use super::statement::Statement;
use super::types::Native;
use crate::slice::{BLOCK, Sums};
use crate::{Result, SliceRequest, TableRef};

/// Digits of a column whose sum over a billion rows has at most 38.
const SAFE: u8 = 29;

/// The statement; `chosen` are the cursor and the values. Nothing when no row can say anything within the bounds.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, or a bound is not of its kind.
pub fn statement(request: &SliceRequest, table: &TableRef, chosen: &[Expected]) -> Result<Option<Statement>> {
    let read = request.as_read();
    let cursor = cursor_column(&read, chosen)?;
    let mut values = Vec::new();
    let Some(mut conditions) = interval(&read, cursor, &[], Start::At, &mut values)? else { return Ok(None) };
    let name = quote(&cursor.name);
    if conditions.is_empty() {
        conditions.push(format!("{name} IS NOT NULL"));
    }
    let columns = chosen[1..].iter().map(|value| {
        let name = quote(&value.name);
        let sum = sum(&value.native, &name);
        (name, sum)
    });
    let sums = Sums::new(&number(&cursor.native, &name), &format!("MAX({name})"), "COUNT", columns);
    let Some(Sums { list, filled }) = sums else { return Ok(None) };
    conditions.push(filled);
    let sql = format!(
        "SELECT {list} FROM {} WHERE {} GROUP BY 1 ORDER BY 1",
        table_name(table),
        conditions.join(" AND ")
    );
    Ok(Some(Statement { sql, values }))
}

/// The slice of a cursor. Days are counted on the calendar: in UTC for instants, whatever their own offset.
fn number(native: &Native, name: &str) -> String {
    let days = |day: String| format!("DATEDIFF(DAY, DATE '1970-01-01', {day})");
    match native {
        Native::Date => days(name.to_owned()),
        Native::Ntz(_) => days(format!("CAST({name} AS DATE)")),
        // The session is in UTC.
        Native::Ltz(_) | Native::Tz(_) => days(format!("CAST(CAST({name} AS TIMESTAMP_LTZ) AS DATE)")),
        // A quotient has at least six digits behind the point, and this one needs five.
        _ => format!("CAST(FLOOR({name} / {BLOCK}) AS NUMBER(38,0))"),
    }
}

/// The exact sum of a column, or null: where a value is so large that few of them would have more digits than a sum
/// has, and the statement would fail, they are not added up.
fn sum(native: &Native, name: &str) -> String {
    match native {
        Native::Fixed(..=SAFE, _) => format!("SUM({name})"),
        Native::Fixed(_, scale) => {
            let limit = match SAFE.checked_sub(*scale) {
                Some(zeros) => format!("1{}", "0".repeat(usize::from(zeros))),
                None => format!("0.{}1", "0".repeat(usize::from(*scale - SAFE - 1))),
            };
            format!(
                "IFF(COUNT_IF(ABS({name}) >= {limit}) = 0, SUM(IFF(ABS({name}) < {limit}, {name}, NULL)), NULL)"
            )
        }
        _ => "CAST(NULL AS NUMBER(38,0))".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, Cursor, CursorKind, RunTag, Watermark};

    fn expected(name: &str, native: Native) -> Expected {
        Expected { name: name.to_owned(), native }
    }

    #[test]
    fn a_statement_gives_a_row_for_each_slice() {
        let mark = |text: &str| Watermark { kind: CursorKind::Zoned, text: text.to_owned() };
        let table = TableRef { catalog: Some("D".into()), schema: Some("s".into()), name: "t".into() };
        let request = SliceRequest {
            table: table.clone(),
            cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Zoned },
            values: vec!["n".to_owned(), "f".to_owned()],
            from: mark("2026-03-01T00:00:00Z"),
            until: mark("2026-03-02T00:00:00Z"),
            tag: RunTag::default(),
            cost: Cost::default(),
        };
        let chosen =
            [expected("at", Native::Tz(9)), expected("n", Native::Fixed(12, 2)), expected("f", Native::Real)];
        let made = statement(&request, &table, &chosen).expect("a statement").expect("rows are possible");
        assert_eq!(
            made.sql,
            "SELECT DATEDIFF(DAY, DATE '1970-01-01', CAST(CAST(\"at\" AS TIMESTAMP_LTZ) AS DATE)), MAX(\"at\"), \
             COUNT(\"n\"), SUM(\"n\"), COUNT(\"f\"), CAST(NULL AS NUMBER(38,0)) FROM \"D\".\"s\".\"t\" \
             WHERE \"at\" >= CAST(? AS TIMESTAMP_TZ(9)) AND \"at\" <= CAST(? AS TIMESTAMP_TZ(9)) \
             AND (\"n\" IS NOT NULL OR \"f\" IS NOT NULL) GROUP BY 1 ORDER BY 1"
        );
        assert_eq!(made.values, ["2026-03-01 00:00:00 +00:00", "2026-03-02 00:00:00 +00:00"]);
    }

    #[test]
    fn what_might_not_fit_a_sum_is_looked_at_first() {
        for (native, limit) in [
            (Native::Fixed(38, 0), "100000000000000000000000000000"),
            (Native::Fixed(38, 9), "100000000000000000000"),
            (Native::Fixed(38, 29), "1"),
            (Native::Fixed(38, 37), "0.00000001"),
        ] {
            assert!(sum(&native, "x").contains(&format!("COUNT_IF(ABS(x) >= {limit}) = 0")), "{native:?}");
        }
        assert_eq!(sum(&Native::Fixed(29, 29), "x"), "SUM(x)");
    }
}
