//! The statement that sums up a table's slices.

use super::bound;
use super::dialect::{ReadColumn, Wire, column_name, comment, looked_up, table_name};
use crate::slice::{BLOCK, Sums};
use crate::{CursorKind, SliceRequest, Type, Watermark};

/// The COPY statement and the columns it gives; `chosen` are the cursor and the values. It looks up the bounds of the
/// read of the same rows. Nothing when no value is asked for.
pub fn statement(request: &SliceRequest, chosen: &[ReadColumn]) -> Option<(Vec<ReadColumn>, String)> {
    let made = |name: &str, wire: Wire, kind: Type| ReadColumn {
        name: name.to_owned(),
        native: String::new(),
        wire,
        kind,
    };
    let (cursor, values) = chosen.split_first().expect("the cursor is asked for first");
    let name = column_name(&cursor.name);
    // The bounds leave out the infinite days and times, which are in no slice.
    let number = match request.cursor.kind {
        CursorKind::Int => format!("floor({name}::numeric / {BLOCK})::int8"),
        CursorKind::Date => format!("({name} - DATE '1970-01-01')::int8"),
        CursorKind::Naive | CursorKind::Zoned => format!("floor(extract(epoch FROM {name}) / 86400)::int8"),
    };
    let mut columns = vec![made("slice", Wire::Int8, Type::Int), cursor.clone()];
    let values = values.iter().map(|value| {
        columns.extend([made("filled", Wire::Int8, Type::Int), made("sum", Wire::Numeric, Type::Decimal)]);
        let name = column_name(&value.name);
        let exact = matches!(value.wire, Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Numeric);
        let sum = if exact { format!("sum({name}::numeric)") } else { "NULL::numeric".to_owned() };
        (name, sum)
    });
    let Sums { list, filled } = Sums::new(&number, &format!("max({name})"), "count", values)?;
    let bound = |setting: &str, mark: &Watermark| {
        looked_up(setting, bound::read_as(mark, Some(cursor.wire), &cursor.native))
    };
    let statement = format!(
        "COPY {}(SELECT {list} FROM {} AS t WHERE {name} >= {} AND {name} <= {} AND {filled} GROUP BY 1 ORDER BY 1) \
         TO STDOUT (FORMAT binary)",
        comment(&request.tag),
        table_name(&request.table),
        bound("from", &request.from),
        bound("until", &request.until),
    );
    Some((columns, statement))
}
