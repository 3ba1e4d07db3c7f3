//! Databricks' names and statements.
//!
//! Sources: "Identifiers", "ORDER BY clause" and "Parameter markers" of Databricks' SQL reference. Values that are not
//! names are always parameters: a backslash is special in texts.

use super::bound::{self, Bound, Reach, Side};
use super::statement::Statement;
use super::types::Native;
use crate::read::filter;
use crate::{ConnectorError, CursorKind, ErrorKind, NullCursors, Position, ReadRequest, Result, TableRef};

/// A column as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The exact name.
    pub name: String,
    /// The type the catalog tells.
    pub native: Native,
}

/// Quotes a name exactly as it is.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Quotes a table's full name.
pub fn table_name(table: &TableRef) -> String {
    let parts = [table.catalog.as_deref(), table.schema.as_deref(), Some(table.name.as_str())];
    parts.into_iter().flatten().map(quote).collect::<Vec<_>>().join(".")
}

/// The columns as a statement selects them. They get no aliases, which would hide columns from ORDER BY.
pub fn select_list(columns: &[Expected]) -> String {
    columns.iter().map(|column| column.native.selected(&quote(&column.name))).collect::<Vec<_>>().join(", ")
}

fn ordered(column: &Expected) -> String {
    column.native.ordered(&quote(&column.name))
}

/// The statement of a read, where any row can be within its bounds. Rows without a cursor come in it, too: a poll is one
/// statement, and most columns may hold nulls. The table's name must be whole.
///
/// # Errors
/// `Schema` or `Config` when the cursor column cannot be this cursor, or a bound is not of its kind.
pub fn read(
    request: &ReadRequest,
    table: &TableRef,
    columns: &[Expected],
    key: &[Expected],
) -> Result<Option<Statement>> {
    let cursor = cursor_column(request, columns)?;
    let name = quote(&cursor.name);
    let nulls = request.nulls == NullCursors::First && cursor.native.nullable;
    let mut parameters = Vec::new();
    let inside = interval(request, cursor, key, &mut parameters)?;
    let Some(filter) = filter(&name, cursor.native.nullable, nulls, inside.as_deref()) else {
        return Ok(None);
    };
    let keys = key.iter().filter(|column| column.name != cursor.name).map(ordered);
    // The places of nulls are said, so that no setting moves them.
    let order: Vec<String> =
        std::iter::once(name).chain(keys).map(|item| format!("{item} ASC NULLS FIRST")).collect();
    let (list, from) = (select_list(columns), table_name(table));
    let sql = format!("SELECT {list} FROM {from}{filter} ORDER BY {}", order.join(", "));
    Ok(Some(Statement { sql, parameters }))
}

/// What a row's cursor, and at the lower bound its key, must keep to; nothing when no cursor can.
fn interval(
    request: &ReadRequest,
    cursor: &Expected,
    key: &[Expected],
    parameters: &mut Vec<(String, Bound)>,
) -> Result<Option<Vec<String>>> {
    let name = quote(&cursor.name);
    let mut conditions = Vec::new();
    if let Some(position) = &request.from {
        match bound::cursor(&cursor.native, &position.watermark, Side::Lower)? {
            Reach::Nothing => return Ok(None),
            Reach::Everything => {}
            Reach::At { bound, exact } => {
                conditions.push(format!("{name} >= :lower"));
                parameters.push(("lower".to_owned(), bound));
                if exact && let Some(behind) = resume(position, key, &cursor.name, parameters) {
                    conditions.push(format!("({name} > :lower OR {behind})"));
                }
            }
        }
    }
    if let Some(until) = &request.until {
        match bound::cursor(&cursor.native, until, Side::Upper)? {
            Reach::Nothing => {
                parameters.clear();
                return Ok(None);
            }
            Reach::Everything => {}
            Reach::At { bound, .. } => {
                conditions.push(format!("{name} <= :upper"));
                parameters.push(("upper".to_owned(), bound));
            }
        }
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
    let message = format!("column {name:?} is {} and cannot be this stream's cursor", column.native.name);
    Err(ConnectorError::new(ErrorKind::Schema, message).hint("choose an integer, date or time column"))
}

/// The condition, among rows that share the position's cursor, for those at or after its row key: the tuple compare
/// written out, so that columns of different types compare each in its own. Rows with nulls in the key come first and
/// lie before every position that has a key. Nothing when no row may be left out.
fn resume(
    position: &Position,
    key: &[Expected],
    cursor: &str,
    parameters: &mut Vec<(String, Bound)>,
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
        let Some(bound) = bound::key(&column.native, text) else { break };
        levels.push((ordered(column), format!("key{index}")));
        parameters.push((format!("key{index}"), bound));
    }
    let mut condition: Option<String> = None;
    for (value, parameter) in levels.into_iter().rev() {
        condition = Some(match condition {
            None => format!("{value} >= :{parameter}"),
            Some(next) => format!("({value} > :{parameter} OR ({value} = :{parameter} AND {next}))"),
        });
    }
    condition
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, Cursor, RunTag, Watermark};

    fn column(name: &str, native: &str, nullable: bool) -> Expected {
        Expected { name: name.to_owned(), native: Native::parse(native, nullable) }
    }

    fn request(from: Option<(&str, &[&str])>, nulls: NullCursors) -> ReadRequest {
        ReadRequest {
            table: TableRef { catalog: None, schema: None, name: "t".to_owned() },
            columns: Vec::new(),
            cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Zoned },
            key: Vec::new(),
            from: from.map(|(text, key)| Position {
                watermark: Watermark { kind: CursorKind::Zoned, text: text.to_owned() },
                key: key.iter().map(|cell| (*cell).to_owned()).collect(),
            }),
            until: None,
            nulls,
            batch_rows: 1,
            batch_bytes: 1,
            cell_bytes: 1,
            tag: RunTag::default(),
            cost: Cost::default(),
        }
    }

    #[test]
    fn a_read_resumes_at_cursor_and_key() {
        let columns =
            [column("at", "timestamp", true), column("a", "string", false), column("b", "bigint", true)];
        let asked = request(Some(("2026-01-01T00:00:00.5Z", &["x", "7"])), NullCursors::First);
        let sql = |asked: &ReadRequest, columns: &[Expected]| {
            let made = read(asked, &asked.table, columns, &columns[1..]).expect("a statement");
            let made = made.expect("rows are possible");
            let names: Vec<String> = made.parameters.into_iter().map(|(name, _)| name).collect();
            (made.sql, names.join(" "))
        };
        let (head, order) = (
            "SELECT unix_micros(`at`), `a`, `b` FROM `t`",
            " ORDER BY `at` ASC NULLS FIRST, `a` ASC NULLS FIRST, `b` ASC NULLS FIRST",
        );
        let behind = "`at` >= :lower AND (`at` > :lower OR (`a` > :key0 OR (`a` = :key0 AND `b` >= :key1)))";
        let names = "lower key0 key1".to_owned();
        let both = format!("{head} WHERE (`at` IS NULL OR ({behind})){order}");
        assert_eq!(sql(&asked, &columns), (both, names.clone()));
        let skipping = ReadRequest { nulls: NullCursors::Skip, ..asked };
        assert_eq!(sql(&skipping, &columns), (format!("{head} WHERE {behind}{order}"), names));
        let all = |nulls| sql(&request(None, nulls), &columns).0;
        assert_eq!(all(NullCursors::First), format!("{head}{order}"));
        assert_eq!(all(NullCursors::Skip), format!("{head} WHERE `at` IS NOT NULL{order}"));
    }

    #[test]
    fn pitfall_20_names_are_quoted_as_they_are() {
        assert_eq!(quote("a`b\\c\"d"), "`a``b\\c\"d`");
    }
}
