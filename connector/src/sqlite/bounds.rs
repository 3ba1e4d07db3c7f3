//! Where a read begins and ends, as SQLite compares it.

use futures::StreamExt;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::catalog::Described;
use super::client::{explain, explain_at};
use super::decode::{self, Stored};
use super::dialect::{Affinity, Value, bind, column, quote};
use super::layout::{self, End, Layout};
use crate::{
    Cell, Column, ConnectorError, CursorKind, ErrorKind, Position, ReadRequest, Result, TableRef, Type,
    Watermark,
};

/// The days four-digit years can tell.
const DAYS: std::ops::RangeInclusive<i32> = -719_528..=2_932_896;

/// The interval of a read.
pub struct Bounds {
    /// The closed lower bound: the cursor, and the key when it is known as stored. Empty for none.
    pub lower: Vec<Value>,
    /// The closed upper bound of the cursor; without one there are no rows.
    pub upper: Option<Value>,
    /// How a column of times writes them.
    pub layout: Option<Layout>,
}

/// The error for a column whose times have several layouts.
pub fn mixed(table: &TableRef, column: &str, text: &str) -> ConnectorError {
    let message = format!(
        "column {column:?} of {table} cannot be the cursor: {text:?} is not in the one layout of days or times that sorts as text"
    );
    ConnectorError::new(ErrorKind::Config, message).hint(
        "write all its values alike, such as 2026-02-28T10:00:00Z or 2026-02-28 10:00:00, or choose another column",
    )
}

/// The smallest and the greatest cursor, and how times are written; checked to sort.
pub async fn ends(
    connection: &mut SqliteConnection,
    table: &TableRef,
    name: &str,
    kind: CursorKind,
) -> Result<Option<(Value, Value, Option<Layout>)>> {
    let (item, from) = (column(name), quote(&table.name));
    let sql = format!(
        "SELECT (SELECT min({item}) FROM main.{from} AS t), (SELECT max({item}) FROM main.{from} AS t)"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(explain_at(table))?;
    let end = |place: usize| Value::keep(name, Stored::of(row.try_get_raw(place).map_err(explain)?)?);
    let (least, most) = (end(0)?, end(1)?);
    if most == Value::Null {
        return Ok(None);
    }
    let mut layouts = Vec::new();
    for value in [&least, &most] {
        let text = match value {
            Value::Text(text) => text.clone(),
            Value::Int(value) => value.to_string(),
            Value::Real(value) => value.to_string(),
            Value::Null | Value::Blob(_) => "a blob".to_owned(),
        };
        let stored = matches!(value, Value::Text(_));
        match kind {
            CursorKind::Int => {}
            CursorKind::Date if stored && layout::date(&text).is_some() => {}
            CursorKind::Naive | CursorKind::Zoned => match layout::time(&text).filter(|_| stored) {
                Some((_, layout)) if layout.zoned() == (kind == CursorKind::Zoned) => {
                    layouts.push((layout, text))
                }
                _ => return Err(mixed(table, name, &text)),
            },
            CursorKind::Date => return Err(mixed(table, name, &text)),
        }
    }
    if let [(a, _), (b, text)] = layouts.as_slice()
        && !a.sorts_with(b)
    {
        return Err(mixed(table, name, text));
    }
    Ok(Some((least, most, layouts.pop().map(|(layout, _)| layout))))
}

/// Finds the bounds a request means.
///
/// # Errors
/// `Config` when they are of another kind than the cursor, or the column's texts do not sort.
pub async fn find(
    connection: &mut SqliteConnection,
    request: &ReadRequest,
    described: &Described,
) -> Result<Bounds> {
    let kind = request.cursor.kind;
    for mark in
        [request.from.as_ref().map(|from| &from.watermark), request.until.as_ref()].into_iter().flatten()
    {
        if mark.kind != kind || mark.cell().is_none() {
            let message = format!("{:?} is no bound for column {:?}", mark.text, request.cursor.column);
            return Err(ConnectorError::new(ErrorKind::Config, message));
        }
    }
    let Some((_, most, layout)) = ends(connection, &request.table, &request.cursor.column, kind).await?
    else {
        return Ok(Bounds { lower: Vec::new(), upper: None, layout: None });
    };
    let upper = match request.until.as_ref().and_then(|mark| bound(mark, layout.as_ref(), End::Upper)) {
        Some((until, _)) => smaller(until, most),
        None => most,
    };
    let mut lower = Vec::new();
    if let Some(from) = &request.from
        && let Some((value, same)) = bound(&from.watermark, layout.as_ref(), End::Lower)
    {
        let key = if same { key(connection, request, described, from, layout.as_ref()).await? } else { None };
        lower = key.unwrap_or_else(|| vec![value]);
    }
    Ok(Bounds { lower, upper: Some(upper), layout })
}

/// A watermark as the column writes it at one end of an interval, and whether it is that very value.
fn bound(mark: &Watermark, layout: Option<&Layout>, end: End) -> Option<(Value, bool)> {
    Some(match mark.cell()? {
        Cell::Int(value) => {
            let near = value.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            (Value::Int(near as i64), near == value)
        }
        Cell::Date(days) => {
            let near = days.clamp(*DAYS.start(), *DAYS.end());
            (Value::Text(Cell::Date(near).to_string()), near == days)
        }
        Cell::Naive(moment) | Cell::Zoned(moment) => {
            let (text, same) = layout?.bound(moment, end);
            (Value::Text(text), same)
        }
        _ => return None,
    })
}

/// The smaller of the bound asked for and the greatest cursor, in SQLite's order.
fn smaller(until: Value, most: Value) -> Value {
    let keep = match (&until, &most) {
        (Value::Int(until), Value::Int(most)) => most < until,
        (Value::Int(until), Value::Real(most)) => *most < *until as f64,
        (Value::Text(until), Value::Text(most)) => most < until,
        _ => false,
    };
    if keep { most } else { until }
}

/// The position's cursor and key as they are stored.
///
/// A position has texts; a column of integers or of text tells what is stored for each. For other columns the row
/// itself is looked up. When it is gone, all rows of its cursor are read again, which loses nothing.
async fn key(
    connection: &mut SqliteConnection,
    request: &ReadRequest,
    described: &Described,
    from: &Position,
    layout: Option<&Layout>,
) -> Result<Option<Vec<Value>>> {
    if from.key.is_empty() || from.key.len() != request.key.len() {
        return Ok(None);
    }
    let Some((lower, _)) = bound(&from.watermark, layout, End::Lower) else { return Ok(None) };
    let places = request.key.iter().map(|name| described.place(name)).collect::<Result<Vec<_>>>()?;
    let known = places.iter().zip(&from.key).map(|(place, text)| {
        match (described.table.columns[*place].kind, described.affinities[*place]) {
            (Type::Int, Affinity::Integer | Affinity::Numeric) => text.parse().ok().map(Value::Int),
            (Type::Text, Affinity::Text) => Some(Value::Text(text.clone())),
            _ => None,
        }
    });
    if let Some(known) = known.collect::<Option<Vec<_>>>() {
        return Ok(Some(std::iter::once(lower).chain(known).collect()));
    }
    let Some((upper, _)) = bound(&from.watermark, layout, End::Upper) else { return Ok(None) };
    let cursor = column(&request.cursor.column);
    let items: Vec<String> =
        std::iter::once(cursor.clone()).chain(request.key.iter().map(|name| column(name))).collect();
    let sql = format!(
        "SELECT {} FROM main.{} AS t WHERE {cursor} >= ? AND {cursor} <= ?",
        items.join(", "),
        quote(&request.table.name)
    );
    let bounds = [lower, upper];
    let mut rows = bind(sqlx::query(AssertSqlSafe(sql)), &bounds).fetch(connection);
    while let Some(row) = rows.next().await {
        let row = row.map_err(explain_at(&request.table))?;
        let mut found =
            vec![Value::keep(&request.cursor.column, Stored::of(row.try_get_raw(0).map_err(explain)?)?)?];
        for (index, (place, text)) in places.iter().zip(&from.key).enumerate() {
            let info = &described.table.columns[*place];
            let stored = Stored::of(row.try_get_raw(index + 1).map_err(explain)?)?;
            let mut shown = Column::new(info.name.as_str(), info.kind, false);
            decode::push(&mut shown, stored, request.cell_bytes);
            if shown.cell(0).to_string() != *text {
                break;
            }
            found.push(Value::keep(&info.name, stored)?);
        }
        if found.len() == items.len() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
