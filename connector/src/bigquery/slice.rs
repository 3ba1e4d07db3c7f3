//! A table's slices, added up by BigQuery.
//!
//! Sources: "Aggregate functions", "Numeric types" and "Mathematical functions" of GoogleSQL: a sum of INT64 has 64 bits,
//! one of BIGNUMERIC 38 digits before the point and as many behind it, and one that needs more is an error; DIV cuts
//! towards zero.

use super::bound::{self, Bound, Side};
use super::catalog::Known;
use super::decode::{Decoder, First};
use super::dialect::{cursor_column, quote};
use super::job::{self, Order};
use super::pages::Pages;
use super::statement::{Parameter, Statement};
use super::types::{Field, Native, Wire};
use super::{PAGE_ROWS, Shared, sample};
use crate::slice::{BLOCK, Sums};
use crate::{Result, Slice, SliceRequest};

/// A value of BIGNUMERIC of which a billion can be added up.
const SAFE: &str = "BIGNUMERIC '100000000000000000000000000000'";

/// What the table holds slice by slice.
///
/// # Errors
/// What was refused, or what keeps the answer from being whole.
pub async fn slices(shared: &Shared, request: &SliceRequest) -> Result<Vec<Slice>> {
    let (known, _) = shared.table(&request.table, true).await?;
    let chosen = known.choose(&request.table, &request.columns())?;
    let Some((mut columns, statement)) = statement(request, &known, &chosen)? else { return Ok(Vec::new()) };
    let order = Order { tag: request.tag.clone(), rows: PAGE_ROWS, cost: request.cost.clone() };
    let ran = job::run(&shared.client, &statement, &order).await;
    let (job, page) = ran.map_err(|refusal| refusal.error)?;
    // Decimal digits are what both types are; a sum may be told as either.
    for (ours, came) in columns.iter_mut().zip(&page.reply.schema.fields) {
        let came = Native::of(came);
        if ours.wire == Wire::BigNumeric && came.wire == Wire::Numeric {
            *ours = came;
        }
    }
    sample::expect(&columns, &page.reply.schema.fields)?;
    let mut decoder = Decoder::new(columns, &request.as_read());
    let mut pages = Pages::new(shared.client.clone(), job, page, First::New)?;
    let mut slices = Vec::new();
    while pages.next(&mut decoder).await.map_err(|refusal| refusal.error)? {
        while let Some(batch) = decoder.full() {
            slices.extend(request.take(&batch)?);
        }
    }
    if let Some(batch) = decoder.rest() {
        slices.extend(request.take(&batch)?);
    }
    Ok(slices)
}

/// The statement and the columns it gives; `chosen` are the cursor and the values. Nothing when no row can say anything
/// within the bounds.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, a bound is not of its kind, or the table wants a
/// filter that is not asked for.
fn statement(
    request: &SliceRequest,
    known: &Known,
    chosen: &[Native],
) -> Result<Option<(Vec<Native>, Statement)>> {
    let cursor = cursor_column(&request.as_read(), chosen)?;
    let name = quote(&cursor.name);
    let mut parameters = Vec::new();
    let mut conditions = Vec::new();
    let mut bind = |key: &str, sign: &str, value: String| {
        let kind = cursor.parameter().unwrap_or("INT64");
        parameters.push(Parameter { name: key.to_owned(), kind, value });
        conditions.push(format!("{name} {sign} @{key}"));
    };
    let mut open = true;
    for (key, sign, mark, side) in
        [("from", ">=", &request.from, Side::Lower), ("until", "<=", &request.until, Side::Upper)]
    {
        match bound::cursor(cursor, mark, side)? {
            Bound::Nothing => return Ok(None),
            Bound::Everything => {}
            Bound::At { value, .. } => {
                open &= side != Side::Lower;
                bind(key, sign, value);
            }
        }
    }
    if known.wants_filter(&cursor.name)?
        && open
        && let Some(least) = bound::least(cursor)
    {
        bind("least", ">=", least);
    }
    conditions.push(format!("{name} IS NOT NULL"));
    let made = |kind: &str| Native::of(&Field::plain("", kind));
    let mut columns = vec![made("INT64"), cursor.clone()];
    let greatest = match cursor.wire {
        Wire::Picos => format!("CAST(MAX({name}) AS STRING)"),
        _ => format!("MAX({name})"),
    };
    let values = chosen[1..].iter().map(|value| {
        columns.extend([made("INT64"), made("BIGNUMERIC")]);
        let name = quote(&value.name);
        let sum = sum(value, &name);
        (name, sum)
    });
    let sums = Sums::new(&number(&cursor.wire, &name), &greatest, "COUNT", values);
    let Some(Sums { list, filled }) = sums else { return Ok(None) };
    conditions.push(filled);
    let sql = format!(
        "SELECT {list} FROM {} WHERE {} GROUP BY 1 ORDER BY 1",
        known.path.quoted(),
        conditions.join(" AND ")
    );
    Ok(Some((columns, Statement { sql, parameters, location: known.location.clone() })))
}

/// The slice of a cursor.
fn number(wire: &Wire, name: &str) -> String {
    match wire {
        Wire::Date => format!("UNIX_DATE({name})"),
        Wire::DateTime => format!("UNIX_DATE(DATE({name}))"),
        Wire::Timestamp | Wire::Picos => format!("UNIX_DATE(DATE({name}, 'UTC'))"),
        _ => format!("DIV({name}, {BLOCK}) - IF(MOD({name}, {BLOCK}) < 0, 1, 0)"),
    }
}

/// The exact sum of a column, or null.
fn sum(native: &Native, name: &str) -> String {
    match native.wire {
        _ if native.repeated => "CAST(NULL AS BIGNUMERIC)".to_owned(),
        Wire::Int | Wire::Numeric => format!("SUM(CAST({name} AS BIGNUMERIC))"),
        // Where some are so large that few of them would be more than a sum can be, they are not added up.
        Wire::BigNumeric => {
            let fits = format!("{name} BETWEEN -{SAFE} AND {SAFE}");
            format!("IF(COUNTIF(NOT ({fits})) = 0, SUM(IF({fits}, {name}, NULL)), NULL)")
        }
        _ => "CAST(NULL AS BIGNUMERIC)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bigquery::catalog;
    use crate::{Cost, Cursor, CursorKind, RunTag, TableRef, Watermark};

    #[test]
    fn a_statement_gives_a_row_for_each_slice() {
        let mark = |text: &str| Watermark { kind: CursorKind::Zoned, text: text.to_owned() };
        let field = |name: &str, kind: &str| json!({"name": name, "type": kind, "mode": "NULLABLE"});
        let fields =
            [field("at", "TIMESTAMP"), field("n", "INT64"), field("b", "BIGNUMERIC"), field("f", "FLOAT64")];
        let known = catalog::told("t", json!({"schema": {"fields": fields}, "type": "TABLE"}));
        let values: Vec<String> = ["n", "b", "f"].map(str::to_owned).into();
        let request = SliceRequest {
            table: TableRef { catalog: None, schema: None, name: "t".to_owned() },
            cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Zoned },
            values,
            from: mark("2026-03-01T00:00:00Z"),
            until: mark("2026-03-02T00:00:00Z"),
            tag: RunTag::default(),
            cost: Cost::default(),
        };
        let chosen = known.choose(&request.table, &request.columns()).expect("columns");
        let made = statement(&request, &known, &chosen).expect("a statement").expect("rows are possible");
        let list = "SELECT UNIX_DATE(DATE(`at`, 'UTC')), MAX(`at`), COUNT(`n`), SUM(CAST(`n` AS BIGNUMERIC)), \
             COUNT(`b`), IF(COUNTIF(NOT (`b` BETWEEN -BIGNUMERIC '100000000000000000000000000000' AND BIGNUMERIC \
             '100000000000000000000000000000')) = 0, SUM(IF(`b` BETWEEN -BIGNUMERIC '100000000000000000000000000000' \
             AND BIGNUMERIC '100000000000000000000000000000', `b`, NULL)), NULL), COUNT(`f`), \
             CAST(NULL AS BIGNUMERIC) FROM ";
        let rest = " WHERE `at` >= @from AND `at` <= @until AND `at` IS NOT NULL AND (`n` IS NOT NULL OR `b` IS NOT \
             NULL OR `f` IS NOT NULL) GROUP BY 1 ORDER BY 1";
        assert!(made.1.sql.starts_with(list) && made.1.sql.ends_with(rest), "{}", made.1.sql);
        assert_eq!((made.0.len(), made.1.parameters.len()), (8, 2));
    }
}
