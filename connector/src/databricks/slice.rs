//! The statement that sums up a table's slices.
//!
//! Sources: "sum", "try_sum", "div", "unix_date" and "DECIMAL type" of Databricks' SQL reference: a sum of decimals has
//! ten digits more than its column, and never over 38; `try_sum` is null where they do not suffice; `div` cuts towards
//! zero.

use super::bound::{self, Reach, Side};
use super::dialect::{Expected, cursor_column, quote, table_name};
use super::statement::Statement;
use super::types::{Form, Native};
use crate::slice::{BLOCK, Sums};
use crate::{Result, SliceRequest, TableRef};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Digits of a decimal whose sum has at most 38.
const SAFE: u8 = 28;

/// The statement and the columns it gives; `chosen` are the cursor and the values. Nothing when no row can say anything
/// within the bounds.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, or a bound is not of its kind.
pub fn statement(
    request: &SliceRequest,
    table: &TableRef,
    chosen: &[Expected],
) -> Result<Option<(Vec<Expected>, Statement)>> {
    let cursor = cursor_column(&request.as_read(), chosen)?;
    let name = quote(&cursor.name);
    let mut conditions = vec![format!("{name} IS NOT NULL")];
    let mut parameters = Vec::new();
    for (key, sign, mark, side) in
        [("lower", ">=", &request.from, Side::Lower), ("upper", "<=", &request.until, Side::Upper)]
    {
        match bound::cursor(&cursor.native, mark, side)? {
            Reach::Nothing => return Ok(None),
            Reach::Everything => {}
            Reach::At { bound, .. } => {
                conditions.push(format!("{name} {sign} :{key}"));
                parameters.push((key.to_owned(), bound));
            }
        }
    }
    let made = |name: &str, kind: &str| Expected { name: name.to_owned(), native: Native::parse(kind, true) };
    let mut columns = vec![made("slice", "BIGINT"), cursor.clone()];
    let greatest = cursor.native.selected(&format!("max({name})"));
    let values = chosen[1..].iter().map(|value| {
        columns.extend([made("filled", "BIGINT"), made("sum", "DECIMAL")]);
        let name = quote(&value.name);
        let sum = sum(&value.native, &name);
        (name, sum)
    });
    let sums = Sums::new(&number(cursor.native.form, &name), &greatest, "count", values);
    let Some(Sums { list, filled }) = sums else { return Ok(None) };
    conditions.push(filled);
    let sql = format!(
        "SELECT {list} FROM {} WHERE {} GROUP BY 1 ORDER BY 1",
        table_name(table),
        conditions.join(" AND ")
    );
    Ok(Some((columns, Statement { sql, parameters })))
}

/// The slice of a cursor. The session's time zone, which is the workspace's choice, has no part in it.
fn number(form: Form, name: &str) -> String {
    // Rounded down, as slices are.
    let blocks = |value: &str, width: i64| {
        format!("({value} DIV {width}) - (CASE WHEN {value} % {width} < 0 THEN 1 ELSE 0 END)")
    };
    match form {
        Form::Date => format!("unix_date({name})"),
        Form::Naive => format!("unix_date(CAST({name} AS DATE))"),
        Form::Zoned => blocks(&format!("unix_micros({name})"), DAY),
        _ => blocks(&format!("CAST({name} AS BIGINT)"), BLOCK),
    }
}

/// The exact sum of a column, or null.
fn sum(native: &Native, name: &str) -> String {
    match native.form {
        // A sum of integers has 64 bits.
        Form::Int => format!("sum(CAST({name} AS DECIMAL(20,0)))"),
        Form::Decimal if digits(native) <= SAFE => format!("sum({name})"),
        Form::Decimal => format!("try_sum({name})"),
        _ => "CAST(NULL AS DECIMAL(38,0))".to_owned(),
    }
}

/// How many digits a decimal type has, such as `DECIMAL(12,2)`.
fn digits(native: &Native) -> u8 {
    let inner = native.name.split_once('(').map(|(_, inner)| inner);
    let digits = inner.and_then(|inner| inner.split([',', ')']).next()?.trim().parse().ok());
    digits.unwrap_or(if inner.is_none() { 10 } else { 38 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, Cursor, CursorKind, RunTag, Watermark};

    fn expected(name: &str, native: &str) -> Expected {
        Expected { name: name.to_owned(), native: Native::parse(native, true) }
    }

    #[test]
    fn a_statement_gives_a_row_for_each_slice() {
        let mark = |text: &str| Watermark { kind: CursorKind::Zoned, text: text.to_owned() };
        let table = TableRef { catalog: None, schema: None, name: "t".to_owned() };
        let request = SliceRequest {
            table: table.clone(),
            cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Zoned },
            values: vec!["n".to_owned(), "d".to_owned(), "f".to_owned()],
            from: mark("2026-03-01T00:00:00Z"),
            until: mark("2026-03-02T00:00:00Z"),
            tag: RunTag::default(),
            cost: Cost::default(),
        };
        let chosen = [
            expected("at", "timestamp"),
            expected("n", "int"),
            expected("d", "decimal(38,9)"),
            expected("f", "double"),
        ];
        let made = statement(&request, &table, &chosen).expect("a statement").expect("rows are possible");
        assert_eq!(
            made.1.sql,
            "SELECT (unix_micros(`at`) DIV 86400000000) - (CASE WHEN unix_micros(`at`) % 86400000000 < 0 THEN 1 \
             ELSE 0 END), unix_micros(max(`at`)), count(`n`), sum(CAST(`n` AS DECIMAL(20,0))), count(`d`), \
             try_sum(`d`), count(`f`), CAST(NULL AS DECIMAL(38,0)) FROM `t` WHERE `at` IS NOT NULL AND `at` >= :lower \
             AND `at` <= :upper AND (`n` IS NOT NULL OR `d` IS NOT NULL OR `f` IS NOT NULL) GROUP BY 1 ORDER BY 1"
        );
        assert_eq!((made.0.len(), made.1.parameters.len()), (8, 2));
    }

    #[test]
    fn decimals_that_might_not_fit_their_sum_are_added_up_with_care() {
        for (kind, wanted) in [
            ("DECIMAL(28,2)", "sum(x)"),
            ("decimal", "sum(x)"),
            ("DECIMAL( 29 , 0 )", "try_sum(x)"),
            ("DECIMAL(38,37)", "try_sum(x)"),
        ] {
            assert_eq!(sum(&Native::parse(kind, true), "x"), wanted, "{kind}");
        }
    }
}
