//! Connectors and reads as the tests open them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{
    Batch, Connector, ConnectorError, Cost, Cursor, CursorKind, NullCursors, Position, ReadRequest, RunTag,
    TableRef, Watermark, kinds,
};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use systems::databricks::{CLIENT, Column, SECRET, Server, Type, Value, WAREHOUSE, column, key};

/// A policy that reaches this machine, and the workspace instead of Databricks' own hosts.
pub fn policy(url: &str) -> Result<Policy> {
    Ok(Policy {
        networks: vec!["127.0.0.0/8".parse()?],
        base_urls: [("databricks".to_owned(), url.parse()?)].into(),
        statement_timeout: Duration::from_secs(20),
        ..Policy::default()
    })
}

/// A configuration with that sign-in.
pub fn config(sign_in: &Json) -> Json {
    json!({"host": "dbc-0a1b2c3d-4e5f.cloud.databricks.com", "warehouse": WAREHOUSE, "signIn": sign_in})
}

/// A connector that signs in as the service principal.
pub fn open(server: &Server) -> Result<Arc<dyn Connector>> {
    open_with(server, &json!({"oauth": {"clientId": CLIENT}}), SECRET)
}

/// A connector that signs in so.
pub fn open_with(server: &Server, sign_in: &Json, secret: &str) -> Result<Arc<dyn Connector>> {
    let secret = SecretString::from(secret);
    Ok(kinds::open("databricks", &config(sign_in), Some(secret), &policy(&server.url())?)?)
}

/// A workspace with a table of that many rows: `id` from 0, `label`.
pub async fn filled(rows: i64) -> Result<(Server, TableRef)> {
    let server = Server::start().await?;
    let table = server.create("readings", columns());
    let row = |id| vec![Value::Int(id), Value::Text(format!("row {id}"))];
    server.insert(&table, (0..rows).map(row).collect())?;
    Ok((server, table))
}

/// The columns of that table.
pub fn columns() -> Vec<Column> {
    vec![key("id", Type::Int("BIGINT")), column("label", Type::Text)]
}

/// Asks for all rows of that table.
pub fn request(table: &TableRef) -> ReadRequest {
    asking(table, &["id", "label"], ("id", CursorKind::Int))
}

/// Asks for all rows of a table, with the cursor as its key.
pub fn asking(table: &TableRef, columns: &[&str], (cursor, kind): (&str, CursorKind)) -> ReadRequest {
    ReadRequest {
        table: table.clone(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        cursor: Cursor { column: cursor.to_owned(), kind },
        key: vec![cursor.to_owned()],
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 1_000,
        batch_bytes: 8 << 20,
        cell_bytes: 32 << 20,
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: Cost::default(),
    }
}

/// The same from an integer on.
pub fn from(request: &ReadRequest, value: i64) -> ReadRequest {
    let watermark = Watermark { kind: CursorKind::Int, text: value.to_string() };
    ReadRequest { from: Some(Position { watermark, key: Vec::new() }), ..request.clone() }
}

/// Everything a read gave before it ended, and the error it ended with.
pub async fn outcome(
    connector: &dyn Connector,
    request: &ReadRequest,
) -> (Vec<Batch>, Option<ConnectorError>) {
    let mut stream = connector.read(request.clone());
    let (mut batches, mut error) = (Vec::new(), None);
    while let Some(next) = stream.next().await {
        match next {
            Ok(batch) => batches.push(batch),
            Err(told) => error = Some(told),
        }
    }
    (batches, error)
}

/// Reads to a good end, and gives the first column as text.
pub async fn read(connector: &dyn Connector, request: &ReadRequest) -> Result<Vec<String>> {
    let (batches, error) = outcome(connector, request).await;
    match error {
        Some(error) => {
            anyhow::bail!("the read failed: {error}; {:?}; {:?}", error.kind(), error.system_text())
        }
        None => Ok(batches.iter().flat_map(|batch| cells(batch, 0)).collect()),
    }
}

/// Reads to the error it must end with; with how many rows came before.
pub async fn refused(connector: &dyn Connector, request: &ReadRequest) -> (usize, ConnectorError) {
    let (batches, error) = outcome(connector, request).await;
    let rows = batches.iter().map(Batch::rows).sum();
    (rows, error.expect("the read must fail"))
}

/// The cells of a column as text.
pub fn cells(batch: &Batch, column: usize) -> Vec<String> {
    (0..batch.rows()).map(|row| batch.columns[column].cell(row).to_string()).collect()
}

/// The numbers of a range as text.
pub fn numbers(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
