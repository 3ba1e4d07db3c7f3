//! PostgreSQL's names, types and statements.

use std::fmt::Write;

use super::bound;
use crate::{NullCursors, ReadRequest, RunTag, TableRef, Type, Watermark};

/// Quotes a name exactly as it is.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a table's full name.
pub fn table_name(table: &TableRef) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&table.name)),
        None => quote(&table.name),
    }
}

/// How a column's values arrive in binary COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// `bool`.
    Bool,
    /// `int2`.
    Int2,
    /// `int4`.
    Int4,
    /// `int8`.
    Int8,
    /// `float4`.
    Float4,
    /// `float8`.
    Float8,
    /// `numeric`.
    Numeric,
    /// `date`.
    Date,
    /// `timestamp`.
    Timestamp,
    /// `timestamptz`.
    Timestamptz,
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// `text` and whatever else has that form.
    Text,
    /// Anything else: cast to text by the statement.
    Cast,
}

/// One column of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadColumn {
    /// The exact name.
    pub name: String,
    /// The name of its type as SQL takes it in a cast.
    pub native: String,
    /// How it arrives.
    pub wire: Wire,
    /// What it is to us.
    pub kind: Type,
}

/// The form and logical type for a type's OID; domains are looked through by the caller.
///
/// Source: `pg_type.dat` of PostgreSQL, whose built-in OIDs never change.
pub fn wire(oid: i64, enumeration: bool) -> (Wire, Type) {
    match oid {
        16 => (Wire::Bool, Type::Bool),
        20 => (Wire::Int8, Type::Int),
        21 => (Wire::Int2, Type::Int),
        23 => (Wire::Int4, Type::Int),
        700 => (Wire::Float4, Type::Float),
        701 => (Wire::Float8, Type::Float),
        1700 => (Wire::Numeric, Type::Decimal),
        1082 => (Wire::Date, Type::Date),
        1114 => (Wire::Timestamp, Type::Naive),
        1184 => (Wire::Timestamptz, Type::Zoned),
        2950 => (Wire::Uuid, Type::Text),
        114 => (Wire::Json, Type::Json),
        3802 => (Wire::Jsonb, Type::Json),
        19 | 25 | 1043 => (Wire::Text, Type::Text),
        1042 => (Wire::Cast, Type::Text),
        _ if enumeration => (Wire::Cast, Type::Text),
        _ => (Wire::Cast, Type::Other),
    }
}

/// A column of the table read, which every statement calls `t`. A bare name in ORDER BY would mean the text that the
/// SELECT makes of it.
pub fn column_name(name: &str) -> String {
    format!("t.{}", quote(name))
}

/// A column as a SELECT names it.
pub fn select_item(column: &ReadColumn) -> String {
    let name = column_name(&column.name);
    if column.wire == Wire::Cast { format!("{name}::text") } else { name }
}

/// The values that bound a read, as the settings that carry them into a COPY, which takes no parameters of its own: the
/// name and value of each.
pub fn bounds(request: &ReadRequest) -> Vec<(String, String)> {
    let mut bounds = Vec::new();
    if let Some(from) = &request.from {
        bounds.push((setting("from"), bound::lower(&from.watermark)));
        if resumes(request) {
            let keys = from.key.iter().enumerate();
            bounds.extend(keys.map(|(index, value)| (setting(&format!("key{index}")), value.clone())));
        }
    }
    bounds.extend(request.until.as_ref().map(|until| (setting("until"), bound::upper(until))));
    bounds
}

fn setting(name: &str) -> String {
    format!("weir.{name}")
}

/// A bound in a statement, by its name without prefix, read as a type.
pub fn looked_up(name: &str, native: &str) -> String {
    format!("current_setting('{}')::{native}", setting(name))
}

/// Whether the read goes on behind a row, and not only from a cursor.
fn resumes(request: &ReadRequest) -> bool {
    request.from.as_ref().is_some_and(|from| !from.key.is_empty() && from.key.len() == request.key.len())
}

/// Who reads, as the comment that the server's log and its list of statements will show.
pub fn comment(tag: &RunTag) -> String {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>();
    if *tag == RunTag::default() {
        return String::new();
    }
    format!("/* weir organization {} stream {} */ ", plain(&tag.organization), plain(&tag.stream))
}

/// The COPY statements of a read, in order. They look up its [`bounds`].
pub fn read(request: &ReadRequest, columns: &[ReadColumn]) -> Vec<String> {
    let native = |name: &str| {
        columns.iter().find(|column| column.name == name).map_or("text", |column| column.native.as_str())
    };
    let cursor = column_name(&request.cursor.column);
    let cursor_wire =
        columns.iter().find(|column| column.name == request.cursor.column).map(|column| column.wire);
    let cursor_bound = |name: &str, mark: &Watermark| {
        looked_up(name, bound::read_as(mark, cursor_wire, native(&request.cursor.column)))
    };
    let mut conditions = vec![format!("{cursor} IS NOT NULL")];
    if let Some(from) = &request.from {
        let lower = cursor_bound("from", &from.watermark);
        conditions.push(format!("{cursor} >= {lower}"));
        if resumes(request) {
            let names: Vec<String> = request.key.iter().map(|name| column_name(name)).collect();
            let keys = request.key.iter().enumerate();
            let values: Vec<String> =
                keys.map(|(index, name)| looked_up(&format!("key{index}"), native(name))).collect();
            let mut resume =
                format!("({cursor} > {lower} OR ({}) >= ({})", names.join(", "), values.join(", "));
            for name in &names {
                write!(resume, " OR {name} IS NULL").expect("writing to a String cannot fail");
            }
            conditions.push(resume + ")");
        }
    }
    if let Some(until) = &request.until {
        conditions.push(format!("{cursor} <= {}", cursor_bound("until", until)));
    }
    let list: Vec<String> = columns.iter().map(select_item).collect();
    let table = table_name(&request.table);
    let statement = |condition: &str, order: &[String]| {
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        format!(
            "COPY {}(SELECT {} FROM {table} AS t WHERE {condition}{order}) TO STDOUT (FORMAT binary)",
            comment(&request.tag),
            list.join(", ")
        )
    };
    let keys: Vec<String> = request
        .key
        .iter()
        .filter(|name| **name != request.cursor.column)
        .map(|name| column_name(name))
        .collect();
    let mut statements = Vec::new();
    if request.nulls == NullCursors::First {
        statements.push(statement(&format!("{cursor} IS NULL"), &keys));
    }
    let order: Vec<String> = std::iter::once(cursor.clone()).chain(keys).collect();
    statements.push(statement(&conditions.join(" AND "), &order));
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cursor, CursorKind, Position};

    #[test]
    fn pitfall_20_names_are_quoted_exactly() {
        let table =
            TableRef { catalog: None, schema: Some("My Schema".to_owned()), name: "we\"ird".to_owned() };
        assert_eq!(table_name(&table), "\"My Schema\".\"we\"\"ird\"");
    }

    #[test]
    fn a_resumed_read_binds_every_value() {
        let column = |name: &str, native: &str, wire| ReadColumn {
            name: name.to_owned(),
            native: native.to_owned(),
            wire,
            kind: Type::Int,
        };
        let watermark = Watermark { kind: CursorKind::Int, text: "5".to_owned() };
        let request = ReadRequest {
            table: TableRef { catalog: None, schema: None, name: "t".to_owned() },
            columns: vec!["c".to_owned(), "id".to_owned()],
            cursor: Cursor { column: "c".to_owned(), kind: CursorKind::Int },
            key: vec!["id".to_owned()],
            from: Some(Position {
                watermark: watermark.clone(),
                key: vec!["'; DROP TABLE t; --".to_owned()],
            }),
            until: Some(watermark),
            nulls: NullCursors::First,
            batch_rows: 1,
            batch_bytes: 1,
            cell_bytes: 1,
            tag: RunTag::default(),
            cost: crate::Cost::default(),
        };
        let columns = [column("c", "int8", Wire::Int8), column("id", "uuid", Wire::Uuid)];
        let statements = read(&request, &columns);
        assert_eq!(statements.len(), 2);
        assert_eq!(
            statements[1],
            "COPY (SELECT t.\"c\", t.\"id\" FROM \"t\" AS t WHERE t.\"c\" IS NOT NULL \
             AND t.\"c\" >= current_setting('weir.from')::int8 AND (t.\"c\" > current_setting('weir.from')::int8 \
             OR (t.\"id\") >= (current_setting('weir.key0')::uuid) OR t.\"id\" IS NULL) \
             AND t.\"c\" <= current_setting('weir.until')::int8 ORDER BY t.\"c\", t.\"id\") TO STDOUT (FORMAT binary)"
        );
        assert!(statements.iter().all(|statement| !statement.contains("DROP")));
        let bound = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted =
            [bound("weir.from", "5"), bound("weir.key0", "'; DROP TABLE t; --"), bound("weir.until", "5")];
        assert_eq!(bounds(&request), wanted);
    }
}
