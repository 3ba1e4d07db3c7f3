//! Reading through a connector, as short as these tests need it.

use anyhow::Result;
use connector::{
    Connector, ConnectorError, Cost, Cursor, CursorKind, NullCursors, ReadRequest, RunTag, TableRef,
};
use futures::TryStreamExt;

/// A table of a schema.
pub fn table(schema: &str, name: &str) -> TableRef {
    TableRef { catalog: None, schema: Some(schema.to_owned()), name: name.to_owned() }
}

/// How many rows a read of a table gives.
pub async fn count(
    connector: &dyn Connector,
    table: &TableRef,
    (column, kind): (&str, CursorKind),
) -> Result<usize, ConnectorError> {
    let request = ReadRequest {
        table: table.clone(),
        columns: vec![column.to_owned()],
        cursor: Cursor { column: column.to_owned(), kind },
        key: Vec::new(),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 1_000,
        batch_bytes: 8 << 20,
        cell_bytes: 1 << 20,
        tag: RunTag::default(),
        cost: Cost::default(),
    };
    let batches: Vec<_> = connector.read(request).try_collect().await?;
    Ok(batches.iter().map(connector::Batch::rows).sum())
}
