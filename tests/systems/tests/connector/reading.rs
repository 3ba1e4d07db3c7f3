//! Reads as the tests write them: a request with everything asked for, and rows that can be compared.

use anyhow::{Result, ensure};
use connector::{
    Batch, Cell, Connector, ConnectorError, Cursor, CursorKind, NullCursors, Position, ReadRequest, RunTag,
    TableRef, Watermark,
};
use futures::StreamExt;

/// One row, each cell as text that tells its type: `Int(7)`, `Null`, `Decimal("0.1")`.
pub type Line = Vec<String>;

/// Asks for all rows of a table; tests narrow it.
pub fn request(
    table: &TableRef,
    columns: &[&str],
    (cursor, kind): (&str, CursorKind),
    key: &[&str],
) -> ReadRequest {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    ReadRequest {
        table: table.clone(),
        columns: owned(columns),
        cursor: Cursor { column: cursor.to_owned(), kind },
        key: owned(key),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 1_000,
        batch_bytes: 8 << 20,
        cell_bytes: 32 << 20,
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: connector::Cost::default(),
    }
}

/// A watermark of a kind from its text.
pub fn mark(kind: CursorKind, text: &str) -> Watermark {
    Watermark::parse(kind, text).unwrap_or_else(|| panic!("{text} is no {kind:?}"))
}

/// From that cursor on, whatever the key.
pub fn from(kind: CursorKind, text: &str) -> Option<Position> {
    Some(Position { watermark: mark(kind, text), key: Vec::new() })
}

/// The rows of a batch as text.
pub fn lines(batch: &Batch) -> Vec<Line> {
    (0..batch.rows())
        .map(|row| batch.columns.iter().map(|column| format!("{:?}", column.cell(row))).collect())
        .collect()
}

/// Everything a read gave before it ended, and how it ended.
pub struct Outcome {
    /// The batches in order.
    pub batches: Vec<Batch>,
    /// The error it ended with, if any.
    pub error: Option<ConnectorError>,
}

/// Reads to the end, whatever the end is.
pub async fn outcome(connector: &dyn Connector, request: ReadRequest) -> Outcome {
    let mut stream = connector.read(request);
    let mut outcome = Outcome { batches: Vec::new(), error: None };
    while let Some(next) = stream.next().await {
        match next {
            Ok(batch) => outcome.batches.push(batch),
            Err(error) => outcome.error = Some(error),
        }
    }
    outcome
}

/// Reads to a good end and checks what holds of every read: full columns of equal length, no empty or too long batch.
pub async fn batches(connector: &dyn Connector, request: ReadRequest) -> Result<Vec<Batch>> {
    let (most, names) = (request.batch_rows, request.columns.clone());
    let outcome = outcome(connector, request).await;
    if let Some(error) = outcome.error {
        anyhow::bail!("the read failed: {error}; {:?}; {:?}", error.kind(), error.system_text());
    }
    for batch in &outcome.batches {
        let found: Vec<&str> = batch.columns.iter().map(connector::Column::name).collect();
        ensure!(found == names, "columns {found:?} instead of {names:?}");
        ensure!(batch.columns.iter().all(|column| column.len() == batch.rows()), "columns of unequal length");
        ensure!(batch.rows() > 0, "an empty batch");
        ensure!(batch.rows() <= most, "{} rows in a batch of at most {most}", batch.rows());
    }
    Ok(outcome.batches)
}

/// Reads to a good end.
pub async fn read(connector: &dyn Connector, request: ReadRequest) -> Result<Vec<Line>> {
    Ok(batches(connector, request).await?.iter().flat_map(lines).collect())
}

/// Reads to the error it must end with; whatever rows came before it are given too.
pub async fn refused(connector: &dyn Connector, request: ReadRequest) -> Result<(Vec<Line>, ConnectorError)> {
    let outcome = outcome(connector, request).await;
    let rows = outcome.batches.iter().flat_map(lines).collect();
    outcome.error.map(|error| (rows, error)).ok_or_else(|| anyhow::anyhow!("the read ended well"))
}

/// Where a reader stands after the last row of a batch.
pub fn position(batch: &Batch, request: &ReadRequest) -> Position {
    let row = batch.rows() - 1;
    let cell = |name: &str| batch.column(name).expect("the cursor and the key are read").cell(row);
    let watermark = Watermark::of(request.cursor.kind, &cell(&request.cursor.column));
    Position {
        watermark: watermark.expect("the last row of a batch has a cursor"),
        key: request.key.iter().map(|name| cell(name).key()).collect::<Option<_>>().unwrap_or_default(),
    }
}

/// The debug text of a cell, to compare lines with.
pub fn shown(cell: Cell<'_>) -> String {
    format!("{cell:?}")
}

/// An error with all it tells, for the report of a test.
pub fn told(error: ConnectorError) -> anyhow::Error {
    let detail = format!("{:?}; {:?}", error.kind(), error.system_text());
    anyhow::Error::new(error).context(detail)
}
