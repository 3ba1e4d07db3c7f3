//! The statement that sums up a table's slices.

use super::bound::{self, Bound, Side};
use super::decode::Expected;
use super::dialect::{cursor_column, quote, table_name};
use super::statement::Statement;
use super::types::{Projection, Wire};
use crate::slice::{BLOCK, Sums};
use crate::{CursorKind, Result, SliceRequest};

/// The statement; `chosen` are the cursor and the values. Nothing when no row can lie within the bounds.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, or a bound is not of its kind.
pub fn statement(request: &SliceRequest, chosen: &[Expected], merged: bool) -> Result<Option<Statement>> {
    let cursor = cursor_column(&request.as_read(), chosen)?;
    let name = quote(&cursor.name);
    let number = match request.cursor.kind {
        // Division cuts towards zero.
        CursorKind::Int => {
            format!("toInt64(intDiv({name}, {BLOCK})) - toInt64({name} < 0 AND {name} % {BLOCK} != 0)")
        }
        CursorKind::Date => format!("toInt64({name})"),
        CursorKind::Naive | CursorKind::Zoned => format!("toInt64(toDate32(toTimeZone({name}, 'UTC')))"),
    };
    let values = chosen[1..].iter().map(|value| {
        let name = quote(&value.name);
        let sum = sum(value, &name);
        (name, sum)
    });
    let sums = Sums::new(&number, &format!("max({name})"), "count", values);
    let Some(Sums { list, filled }) = sums else { return Ok(None) };
    let mut conditions = vec![filled];
    let mut parameters = Vec::new();
    for (key, sign, mark, side) in
        [("from", ">=", &request.from, Side::Lower), ("until", "<=", &request.until, Side::Upper)]
    {
        match bound::cursor(&cursor.native, mark, side)? {
            Bound::Nothing => return Ok(None),
            Bound::Everything => conditions.push(format!("{name} IS NOT NULL")),
            Bound::At { kind, value, .. } => {
                conditions.push(format!("{name} {sign} {{{key}:{kind}}}"));
                parameters.push((key.to_owned(), value));
            }
        }
    }
    let sql = format!(
        "SELECT {list} FROM {}{} WHERE {} GROUP BY {number} ORDER BY {number}",
        table_name(&request.table),
        if merged { " FINAL" } else { "" },
        conditions.join(" AND ")
    );
    Ok(Some(Statement { parameters, ..Statement::new(sql) }))
}

/// The exact sum of a column, or null. The server wraps around without a word when a sum leaves its type, so it is
/// added up in 256 bits, and values that have those already are not.
fn sum(column: &Expected, name: &str) -> String {
    match (&column.native.projection, &column.native.wire) {
        (Projection::Plain, Wire::Int(..=16) | Wire::UInt(..=16)) => format!("sum(toInt256({name}))"),
        (Projection::Plain, Wire::Decimal(..=16, scale)) => format!("sum(toDecimal256({name}, {scale}))"),
        _ => "CAST(NULL, 'Nullable(Int256)')".to_owned(),
    }
}
