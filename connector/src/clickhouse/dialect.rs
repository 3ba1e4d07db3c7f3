//! ClickHouse's names and statements.

use super::bound::{self, Bound, Side};
use super::decode::Expected;
use super::statement::Statement;
use super::types::Projection;
use crate::read::filter;
use crate::{ConnectorError, CursorKind, ErrorKind, NullCursors, Position, ReadRequest, Result, TableRef};

/// Quotes a name exactly as it is. A backtick is doubled rather than escaped: every parser of SQL understands that.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "``"))
}

/// Quotes a table's full name; the connection's database is meant where none is named.
pub fn table_name(table: &TableRef) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&table.name)),
        None => quote(&table.name),
    }
}

/// The column as the statement selects it. It gets no alias: in ClickHouse an alias hides the column of its name.
pub fn select_item(column: &Expected) -> String {
    let name = quote(&column.name);
    match column.native.projection {
        Projection::Plain => name,
        Projection::Json => format!("toJSONString({name})"),
        Projection::Text => format!("toString({name})"),
        Projection::Hex => format!("hex({name})"),
    }
}

/// The statement of a read, where any row can be within its bounds. Rows without a cursor come in it, too, before all
/// others: a poll is one statement.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, or a bound is not of its kind.
pub fn read(
    request: &ReadRequest,
    columns: &[Expected],
    key: &[Expected],
    merged: bool,
) -> Result<Option<Statement>> {
    let cursor = cursor_column(request, columns)?;
    let name = quote(&request.cursor.column);
    let list: Vec<String> = columns.iter().map(select_item).collect();
    let from = format!("{}{}", table_name(&request.table), if merged { " FINAL" } else { "" });
    let nulls = request.nulls == NullCursors::First && cursor.native.nullable;
    let mut parameters = Vec::new();
    let inside = interval(request, cursor, key, &mut parameters)?;
    let Some(filter) = filter(&name, cursor.native.nullable, nulls, inside.as_deref()) else {
        return Ok(None);
    };
    let keys = key.iter().filter(|column| column.name != cursor.name).map(select_item);
    let first = if nulls { format!("{name} ASC NULLS FIRST") } else { name };
    let order: Vec<String> = std::iter::once(first).chain(keys).collect();
    let sql = format!("SELECT {} FROM {from}{filter} ORDER BY {}", list.join(", "), order.join(", "));
    Ok(Some(Statement { sql, parameters }))
}

/// What a row's cursor, and at the lower bound its key, must keep to; nothing when no cursor can.
fn interval(
    request: &ReadRequest,
    cursor: &Expected,
    key: &[Expected],
    parameters: &mut Vec<(String, String)>,
) -> Result<Option<Vec<String>>> {
    let name = quote(&cursor.name);
    let mut conditions = Vec::new();
    if let Some(position) = &request.from {
        match bound::cursor(&cursor.native, &position.watermark, Side::Lower)? {
            Bound::Nothing => return Ok(None),
            Bound::Everything => {}
            Bound::At { kind, value, exact } => {
                let lower = format!("{{from:{kind}}}");
                conditions.push(format!("{name} >= {lower}"));
                parameters.push(("from".to_owned(), value));
                if exact && let Some(behind) = resume(position, key, &cursor.name, parameters) {
                    conditions.push(format!("({name} > {lower} OR {behind})"));
                }
            }
        }
    }
    if let Some(until) = &request.until {
        match bound::cursor(&cursor.native, until, Side::Upper)? {
            Bound::Nothing => {
                parameters.clear();
                return Ok(None);
            }
            Bound::Everything => {}
            Bound::At { kind, value, .. } => {
                conditions.push(format!("{name} <= {{until:{kind}}}"));
                parameters.push(("until".to_owned(), value));
            }
        }
    }
    Ok(Some(conditions))
}

/// The cursor column among those read, checked to be this cursor.
///
/// # Errors
/// `Schema` or `Config` when it is not.
pub fn cursor_column<'a>(request: &ReadRequest, columns: &'a [Expected]) -> Result<&'a Expected> {
    let name = &request.cursor.column;
    let column = columns.iter().find(|column| column.name == *name).ok_or_else(|| {
        let message = format!("the cursor column {name:?} is not among the columns read");
        ConnectorError::new(ErrorKind::Config, message)
    })?;
    if CursorKind::of(column.native.kind()) == Some(request.cursor.kind) {
        return Ok(column);
    }
    let message = format!("column {name:?} is {} and cannot be this stream's cursor", column.native.bare);
    Err(ConnectorError::new(ErrorKind::Schema, message).hint("choose an integer, date or time column"))
}

/// The condition, among rows that share the position's cursor, for those at or after its row key: the tuple compare
/// written out, so that columns of different types compare each in its own, and nulls, which sort last, are kept.
/// Nothing when no row may be left out.
fn resume(
    position: &Position,
    key: &[Expected],
    cursor: &str,
    parameters: &mut Vec<(String, String)>,
) -> Option<String> {
    if position.key.len() != key.len() {
        return None;
    }
    let mut levels = Vec::new();
    for (index, (column, text)) in key.iter().zip(&position.key).enumerate() {
        if column.name == cursor {
            continue;
        }
        // From the first cell that cannot be compared on, all rows with equal cells before it are read again.
        let Some((kind, value)) = bound::key(&column.native, text) else { break };
        levels.push((column, format!("{{key{index}:{kind}}}")));
        parameters.push((format!("key{index}"), value));
    }
    let mut condition: Option<String> = None;
    for (column, value) in levels.into_iter().rev() {
        let name = select_item(column);
        let null = if column.native.nullable { format!(" OR {name} IS NULL") } else { String::new() };
        condition = Some(match condition {
            None => format!("({name} >= {value}{null})"),
            Some(next) => format!("({name} > {value}{null} OR ({name} = {value} AND {next}))"),
        });
    }
    condition
}

/// Tells whether reading with FINAL means anything for tables of that engine.
pub fn merges(engine: &str) -> bool {
    let family = engine.strip_suffix("MergeTree").unwrap_or_default();
    let family = family.trim_start_matches("Replicated").trim_start_matches("Shared");
    matches!(
        family,
        "Replacing"
            | "Summing"
            | "Aggregating"
            | "Collapsing"
            | "VersionedCollapsing"
            | "Coalescing"
            | "Graphite"
    ) || engine == "Distributed"
}
