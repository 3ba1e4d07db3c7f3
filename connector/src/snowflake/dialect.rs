//! Snowflake's names and statements.

use super::bound::{self, Bound, Side};
use super::config::Config;
use super::decode::Expected;
use super::statement::Statement;
use super::types::Native;
use crate::read::filter;
use crate::{ConnectorError, CursorKind, ErrorKind, NullCursors, Position, ReadRequest, Result, TableRef};

/// Quotes a name exactly as it is.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a user's name. People write it in any case, and signing in takes it so; a plain one is in upper case.
pub fn quote_user(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    if name.bytes().all(plain) { quote(&name.to_uppercase()) } else { quote(name) }
}

/// A table with its database and schema; the connection's are meant where none is named.
///
/// # Errors
/// `Config` when there are none.
pub fn full(table: &TableRef, config: &Config) -> Result<TableRef> {
    let whole = TableRef {
        catalog: table.catalog.clone().or_else(|| config.database.clone()),
        schema: table.schema.clone().or_else(|| config.schema.clone()),
        name: table.name.clone(),
    };
    if whole.catalog.is_some() && whole.schema.is_some() {
        return Ok(whole);
    }
    let message = format!("the table {table} is named without its database and schema");
    Err(ConnectorError::new(ErrorKind::Config, message)
        .hint("choose the table again, or give the connection a database and a schema"))
}

/// Quotes a table's full name.
pub fn table_name(table: &TableRef) -> String {
    let parts = [&table.catalog, &table.schema].into_iter().flatten().chain([&table.name]);
    parts.map(|part| quote(part)).collect::<Vec<_>>().join(".")
}

/// The column as the statement selects it.
pub fn select_item(column: &Expected) -> String {
    let name = quote(&column.name);
    match column.native {
        Native::Shape => format!("ST_ASGEOJSON({name})"),
        Native::Vector => format!("CAST({name} AS ARRAY)"),
        Native::Other => format!("TO_VARCHAR({name})"),
        _ => name,
    }
}

/// Where a read begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the position: its row comes again.
    At,
    /// At the position too, whose row has been given out: it must be the one that is named, as it comes again. Comparing
    /// with `>` would leave out rows that the key's collation takes for equal, and rows that share a key.
    Again,
}

/// The statement of a read: one, so that a poll that finds nothing costs one. Nothing when no row can be inside the
/// bounds.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, or a bound is not of its kind.
pub fn read(
    request: &ReadRequest,
    table: &TableRef,
    columns: &[Expected],
    key: &[Expected],
    nullable: bool,
    start: Start,
) -> Result<Option<Statement>> {
    let cursor = cursor_column(request, columns)?;
    let name = quote(&cursor.name);
    let nulls = nullable && request.nulls == NullCursors::First;
    let mut values = Vec::new();
    let inside = interval(request, cursor, key, start, &mut values)?;
    let Some(filter) = filter(&name, nullable, nulls, inside.as_deref()) else { return Ok(None) };
    let list: Vec<String> = columns.iter().map(select_item).collect();
    let first = format!("{name} ASC{}", if nulls { " NULLS FIRST" } else { "" });
    let rest = key.iter().filter(|column| column.name != cursor.name && sorts(&column.native));
    // Where nulls stand is said: an account may have changed the default.
    let rest = rest.map(|column| format!("{} ASC NULLS LAST", quote(&column.name)));
    let order: Vec<String> = std::iter::once(first).chain(rest).collect();
    let sql = format!(
        "SELECT {} FROM {}{filter} ORDER BY {}",
        list.join(", "),
        table_name(table),
        order.join(", ")
    );
    Ok(Some(Statement { sql, values }))
}

/// The conditions of the interval, all of which hold inside; nothing when no value is inside. The values of their
/// question marks are added.
///
/// # Errors
/// `Config` when a bound is not of the cursor's kind; `Unavailable` when a read cannot go on behind its position.
pub fn interval(
    request: &ReadRequest,
    cursor: &Expected,
    key: &[Expected],
    start: Start,
    values: &mut Vec<String>,
) -> Result<Option<Vec<String>>> {
    let name = quote(&cursor.name);
    let mut conditions = Vec::new();
    // Looked at first, so that no value is bound in vain.
    let until = match &request.until {
        None => Bound::Everything,
        Some(until) => bound::cursor(&cursor.native, until, Side::Upper)?,
    };
    if until == Bound::Nothing {
        return Ok(None);
    }
    if let Some(position) = &request.from {
        match bound::cursor(&cursor.native, &position.watermark, Side::Lower)? {
            Bound::Nothing => return Ok(None),
            Bound::Everything => {}
            Bound::At { sql, value, exact } => {
                let mut more = vec![value.clone()];
                let behind = resume(position, key, &cursor.name, start, &mut more).filter(|_| exact);
                // Where the cursor is the key, it tells rows apart alone.
                let alone = exact && !key.is_empty() && key.iter().all(|column| column.name == cursor.name);
                if start == Start::Again && behind.is_none() && !alone {
                    return Err(unknown());
                }
                conditions.push(format!("{name} >= {sql}"));
                values.push(value);
                if let Some(behind) = behind {
                    conditions.push(format!("({name} > {sql} OR {behind})"));
                    values.append(&mut more);
                }
            }
        }
    }
    if let Bound::At { sql, value, .. } = until {
        conditions.push(format!("{name} <= {sql}"));
        values.push(value);
    }
    Ok(Some(conditions))
}

/// The column of the cursor among those read.
///
/// # Errors
/// `Config` when it is not among them; `Schema` when its type is another.
pub fn cursor_column<'a>(request: &ReadRequest, columns: &'a [Expected]) -> Result<&'a Expected> {
    let name = &request.cursor.column;
    let column = columns.iter().find(|column| column.name == *name).ok_or_else(|| {
        let message = format!("the cursor column {name:?} is not among the columns read");
        ConnectorError::new(ErrorKind::Config, message)
    })?;
    if CursorKind::of(column.native.kind()) == Some(request.cursor.kind) {
        return Ok(column);
    }
    let message = format!("column {name:?} is {:?} and cannot be this stream's cursor", column.native);
    Err(ConnectorError::new(ErrorKind::Schema, message).hint("choose an integer, date or time column"))
}

/// Whether rows can be sorted by a type: not all documents have an order.
fn sorts(native: &Native) -> bool {
    !matches!(native, Native::Json | Native::Shape | Native::Vector | Native::Other)
}

/// The condition, among rows that share the position's cursor, for those at or after its row key: the tuple compare
/// written out, so that columns of different types compare each in its own, and nulls, which sort last, are kept.
/// Nothing when no row may be left out. Each question mark takes the next value.
fn resume(
    position: &Position,
    key: &[Expected],
    cursor: &str,
    start: Start,
    values: &mut Vec<String>,
) -> Option<String> {
    if position.key.len() != key.len() {
        return None;
    }
    let mut levels = Vec::new();
    for (column, text) in key.iter().zip(&position.key) {
        if column.name == cursor {
            continue;
        }
        // From the first cell that cannot be compared on, all rows with equal cells before it are read again.
        let Some((sql, value)) = bound::key(&column.native, text) else {
            if start == Start::Again {
                return None;
            }
            break;
        };
        levels.push((quote(&column.name), sql, value));
    }
    let last = levels.len().checked_sub(1)?;
    let mut condition = String::new();
    for (index, (name, sql, value)) in levels.into_iter().enumerate() {
        values.push(value.clone());
        if index == last {
            condition.push_str(&format!("({name} >= {sql} OR {name} IS NULL)"));
        } else {
            values.push(value);
            condition.push_str(&format!("({name} > {sql} OR {name} IS NULL OR ({name} = {sql} AND "));
        }
    }
    condition.push_str(&"))".repeat(last));
    Some(condition)
}

/// The error for a place whose row would not be known again.
fn unknown() -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unavailable,
        "the result was lost, and its last row cannot be named in a statement",
    )
}

#[cfg(test)]
mod tests;
