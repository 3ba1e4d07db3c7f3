//! Reading a table of the engine, and what comes back, in one line each.

use std::sync::Arc;

use anyhow::{Context, Result};
use connector::guard::Policy;
use connector::{
    Batch, Cell, Connector, ConnectorError, Cursor, CursorKind, NullCursors, Position, ReadRequest, RunTag,
    TableRef, Watermark, kinds,
};
use futures::TryStreamExt;
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::clickhouse::{Database, User};

/// What the operator of these tests allows.
pub fn policy() -> Policy {
    let networks = vec!["127.0.0.0/8".parse().expect("a network")];
    Policy { networks, ..Policy::default() }
}

/// The connection of a user to a database, at the engine's own port or another.
pub fn config(database: &Database, user: User, port: u16) -> Value {
    json!({"host": "127.0.0.1", "port": port, "secure": false, "database": database.name, "user": user.name()})
}

/// Opens a connection with that configuration as one of the engine's users.
pub fn open_with(database: &Database, user: User, config: &Value) -> Result<Arc<dyn Connector>> {
    let password = SecretString::from(database.server.password(user));
    Ok(kinds::open("clickhouse", config, Some(password), &policy())?)
}

/// Opens a connection as one of the engine's users.
pub fn open(database: &Database, user: User) -> Result<Arc<dyn Connector>> {
    open_with(database, user, &config(database, user, database.server.port))
}

/// The table of that name in a database.
pub fn table(database: &Database, name: &str) -> TableRef {
    TableRef { catalog: None, schema: Some(database.name.clone()), name: name.to_owned() }
}

/// A read of whole tables in batches of 1 000 rows, to be narrowed.
pub fn request(table: TableRef, columns: &[&str], cursor: (&str, CursorKind), key: &[&str]) -> ReadRequest {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ReadRequest {
        table,
        columns: names(columns),
        cursor: Cursor { column: cursor.0.to_owned(), kind: cursor.1 },
        key: names(key),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 1_000,
        batch_bytes: 8 << 20,
        cell_bytes: 1 << 20,
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: connector::Cost::default(),
    }
}

/// A watermark of that text.
pub fn watermark(kind: CursorKind, text: &str) -> Watermark {
    Watermark::parse(kind, text).expect("a text of its kind")
}

/// The position at a cursor and, if any, a row key.
pub fn position(kind: CursorKind, text: &str, key: &[&str]) -> Option<Position> {
    let key = key.iter().map(|cell| (*cell).to_owned()).collect();
    Some(Position { watermark: watermark(kind, text), key })
}

/// Reads everything a request asks for.
pub async fn read(connector: &dyn Connector, request: &ReadRequest) -> Result<Vec<Batch>, ConnectorError> {
    connector.read(request.clone()).try_collect().await
}

/// How a cell is written in these tests: its variant and its text.
pub fn shown(cell: &Cell<'_>) -> String {
    let variant = match cell {
        Cell::Null => return "null".to_owned(),
        Cell::Bool(_) => "bool",
        Cell::Int(_) => "int",
        Cell::Float(_) => "float",
        Cell::Decimal(_) => "decimal",
        Cell::Text(_) => "text",
        Cell::Date(_) => "date",
        Cell::Naive(_) => "naive",
        Cell::Zoned(_) => "zoned",
        Cell::Json(_) => "json",
        Cell::Unreadable(_) => "unreadable",
    };
    format!("{variant} {cell}")
}

/// The texts of one column over all batches.
pub fn texts(batches: &[Batch], column: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for batch in batches {
        let column = batch.column(column).with_context(|| format!("no column {column}"))?;
        texts.extend((0..column.len()).map(|row| column.cell(row).to_string()));
    }
    Ok(texts)
}

/// Reads everything and gives the texts of one column.
pub async fn column(connector: &dyn Connector, request: &ReadRequest, column: &str) -> Result<Vec<String>> {
    texts(&read(connector, request).await?, column)
}

/// The texts of numbers.
pub fn numbers(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers.into_iter().map(|number| number.to_string()).collect()
}
