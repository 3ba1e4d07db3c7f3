//! BigQuery's names and statements (GoogleSQL).

use super::bound::{self, Bound, Side};
use super::catalog::Known;
use super::statement::{Parameter, Statement};
use super::types::{Native, Wire};
use crate::read::filter;
use crate::{ConnectorError, CursorKind, ErrorKind, NullCursors, Position, ReadRequest, Result};

/// Quotes a name exactly as it is.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// The column as the statement selects it. One that is converted keeps its name through its place in the list.
pub fn select_item(native: &Native) -> String {
    let name = quote(&native.name);
    match native.wire {
        // Its finest digits do not fit the integers that instants come as.
        Wire::Picos if !native.repeated => format!("CAST({name} AS STRING)"),
        _ => name,
    }
}

/// What rows are ordered by and compared with: the column, but for types that have no order of their own.
fn order_item(native: &Native) -> String {
    let name = quote(&native.name);
    let plain = native.parameter().is_some() || matches!(native.wire, Wire::Float | Wire::Picos);
    if !plain || native.repeated {
        return format!("TO_JSON_STRING({name})");
    }
    // A collation may call different texts equal, and then the order is not total.
    if native.collated { format!("COLLATE({name}, '')") } else { name }
}

/// A read as a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The statement; nothing when no row can be inside.
    pub statement: Option<Statement>,
    /// Whether it begins at the very row of the position, and not at the first that shares its cursor.
    pub exact: bool,
}

/// The statement of a read, of at most that many rows.
///
/// Rows without a cursor are first in BigQuery's own order, so that one statement gives them all.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, a bound is not of its kind, or the table wants
/// a filter that the read does not have.
pub fn read(
    request: &ReadRequest,
    known: &Known,
    columns: &[Native],
    key: &[Native],
    limit: Option<u64>,
) -> Result<Planned> {
    let cursor = cursor_column(request, columns)?;
    let kind = cursor.parameter().unwrap_or("INT64");
    let name = quote(&cursor.name);
    let nulls = request.nulls == NullCursors::First && cursor.nullable;
    let mut parameters = Vec::new();
    let mut bind = |name: &str, kind: &'static str, value: String| {
        parameters.push(Parameter { name: name.to_owned(), kind, value });
        format!("@{name}")
    };
    let mut inside = Vec::new();
    let (mut nothing, mut exact) = (false, false);
    let mut lower = None;
    if let Some(position) = &request.from {
        match bound::cursor(cursor, &position.watermark, Side::Lower)? {
            Bound::Nothing => nothing = true,
            Bound::Everything => {}
            Bound::At { value, exact: whole } => {
                let from = bind("from", kind, value);
                // By itself too, so that partitions are left out.
                inside.push(format!("{name} >= {from}"));
                if whole {
                    let (behind, total) = resume(position, key, &cursor.name, &mut bind);
                    exact = total;
                    inside.extend(behind.map(|behind| format!("({name} > {from} OR {behind})")));
                }
                lower = Some(from);
            }
        }
    }
    if let Some(until) = &request.until {
        match bound::cursor(cursor, until, Side::Upper)? {
            Bound::Nothing => nothing = true,
            Bound::Everything => {}
            Bound::At { value, .. } => inside.push(format!("{name} <= {}", bind("until", kind, value))),
        }
    }
    if known.wants_filter(&cursor.name)? && lower.is_none() {
        let least = bound::least(cursor).map(|value| bind("least", kind, value));
        inside.extend(least.map(|least| format!("{name} >= {least}")));
    }
    let inside = (!nothing).then_some(inside.as_slice());
    let Some(filter) = filter(&name, cursor.nullable, nulls, inside) else {
        return Ok(Planned { statement: None, exact: true });
    };
    if nothing {
        parameters.clear();
    }
    let list: Vec<String> = columns.iter().map(select_item).collect();
    let order: Vec<String> = std::iter::once(name)
        .chain(key.iter().filter(|column| column.name != cursor.name).map(order_item))
        .map(|item| format!("{item} ASC NULLS FIRST"))
        .collect();
    let limit = limit.map_or_else(String::new, |most| format!(" LIMIT {most}"));
    let sql = format!(
        "SELECT {} FROM {}{filter} ORDER BY {}{limit}",
        list.join(", "),
        known.path.quoted(),
        order.join(", ")
    );
    Ok(Planned { statement: Some(Statement { sql, parameters, location: known.location.clone() }), exact })
}

/// The column of the cursor among those read.
///
/// # Errors
/// `Config` when it is not among them; `Schema` when its type is another.
pub fn cursor_column<'a>(request: &ReadRequest, columns: &'a [Native]) -> Result<&'a Native> {
    let name = &request.cursor.column;
    let column = columns.iter().find(|column| column.name == *name).ok_or_else(|| {
        let message = format!("the cursor column {name:?} is not among the columns read");
        ConnectorError::new(ErrorKind::Config, message)
    })?;
    if CursorKind::of(column.kind()) == Some(request.cursor.kind) {
        return Ok(column);
    }
    let message = format!("column {name:?} is {} and cannot be this stream's cursor", column.shown);
    Err(ConnectorError::new(ErrorKind::Schema, message)
        .hint("choose a column of type INT64, DATE, DATETIME or TIMESTAMP"))
}

/// The condition, among rows that share the position's cursor, for those at or after its row key: the tuple compare
/// written out. Nulls, which come first, are before every value. Also tells whether all of the key is compared.
fn resume(
    position: &Position,
    key: &[Native],
    cursor: &str,
    bind: &mut impl FnMut(&str, &'static str, String) -> String,
) -> (Option<String>, bool) {
    if position.key.len() != key.len() {
        return (None, false);
    }
    let mut levels = Vec::new();
    // Without a key, rows that share a cursor cannot be told apart.
    let mut total = !key.is_empty();
    for (index, (column, text)) in key.iter().zip(&position.key).enumerate() {
        if column.name == cursor {
            continue;
        }
        // From the first cell that cannot be compared on, all rows with equal cells before it are read again.
        let (Some(kind), Some(value)) = (column.parameter(), bound::key(column, text)) else {
            total = false;
            break;
        };
        levels.push((order_item(column), bind(&format!("key{index}"), kind, value)));
    }
    let mut condition: Option<String> = None;
    for (name, value) in levels.into_iter().rev() {
        condition = Some(match condition {
            None => format!("{name} >= {value}"),
            Some(next) => format!("({name} > {value} OR ({name} = {value} AND {next}))"),
        });
    }
    (condition, total)
}

#[cfg(test)]
mod tests;
