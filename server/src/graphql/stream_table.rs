//! What a stream's table says when it is asked: its columns, and how far its rows go.

use std::sync::Arc;

use async_graphql::Context;
use connector::{
    ColumnInfo, Connector, Cost, Cursor, NullCursors, Position, ReadRequest, RunTag, TableRef, Watermark,
};
use entity::{SourceId, stream};
use futures::StreamExt;

use crate::clock::Micros;
use crate::config::Sync;
use crate::domain::diagnosis::ABOVE;
use crate::domain::refusal;
use crate::domain::stream::Reading;
use crate::error::{Error, Result};
use crate::graphql::context::Reach;
use crate::graphql::problem::patiently;
use crate::ingest::plan::believable;

/// A source, opened.
async fn opened(ctx: &Context<'_>, source: SourceId) -> Result<Arc<dyn Connector>> {
    let app = ctx.app();
    let organization = ctx.viewer().map_err(|_| Error::NotFound("source"))?.organization;
    match app.sources.connector(app, organization, source).await {
        Err(Error::NotFound(noun)) => Err(refusal::not_found("sourceId", noun)),
        opened => opened,
    }
}

/// The columns of a table as the source has them now.
///
/// # Errors
/// `Invalid` when there is no such table; what the source did.
pub async fn columns(ctx: &Context<'_>, source: SourceId, table: &TableRef) -> Result<Vec<ColumnInfo>> {
    let connector = opened(ctx, source).await?;
    match patiently(connector.describe(table)).await {
        Ok(table) => Ok(table.columns),
        Err(Error::Connector(error)) if error.kind() == connector::ErrorKind::NotFound => {
            Err(Error::invalid("table", error.message()))
        }
        Err(error) => Err(error),
    }
}

/// The greatest cursor of a table, and whether it is later than the source's own clock, and the stream's tolerance,
/// allow; none of a table without rows.
///
/// # Errors
/// What the source did.
pub async fn reach(
    connector: &dyn Connector,
    reading: &Reading,
    tolerance: Micros,
    ours: Micros,
) -> connector::Result<Option<(Watermark, bool)>> {
    let cursor = Cursor { column: reading.cursor.column.clone(), kind: reading.cursor.kind };
    let Some(mark) = connector.newest(&reading.table, &cursor).await? else { return Ok(None) };
    let now = connector.clock().await?.micros().unwrap_or(ours);
    let zone = reading.cursor.zone.as_deref().and_then(|zone| zone.parse().ok());
    let cap = believable(cursor.kind, zone, now.saturating_add(tolerance));
    let future = cap.is_some_and(|cap| mark.rank().is_none_or(|rank| rank > cap));
    Ok(Some((mark, future)))
}

/// The greatest cursor of a table; none of one without rows.
///
/// # Errors
/// `Invalid` when it is in the future; what the source did.
pub async fn newest(
    ctx: &Context<'_>,
    stored: &stream::Model,
    reading: &Reading,
) -> Result<Option<Watermark>> {
    let connector = opened(ctx, stored.source_id).await?;
    let found = reach(&*connector, reading, stored.future_tolerance, ctx.now());
    let found = patiently(within(stored).charge(found)).await?;
    let Some((mark, future)) = found else { return Ok(None) };
    if future {
        let reason = format!(
            "the greatest cursor is {}, which is in the future; mend that row, or begin at the first",
            mark.text
        );
        return Err(Error::invalid("cursorStart", reason));
    }
    Ok(Some(mark))
}

/// What a statement for a stream may bill.
pub fn within(stream: &stream::Model) -> Cost {
    Cost::default().limited(stream.maximum_bytes_billed.and_then(|most| u64::try_from(most).ok()))
}

/// A read of a stream's cursor and row key alone, after a watermark, at what the stream may bill.
pub fn cursors(
    stream: &stream::Model,
    reading: &Reading,
    from: Option<Watermark>,
    sizes: &Sync,
) -> ReadRequest {
    let mut columns = vec![reading.cursor.column.clone()];
    columns.extend(reading.row_key.iter().filter(|name| **name != reading.cursor.column).cloned());
    ReadRequest {
        table: reading.table.clone(),
        columns,
        cursor: Cursor { column: reading.cursor.column.clone(), kind: reading.cursor.kind },
        key: reading.row_key.clone(),
        from: from.map(|watermark| Position { watermark, key: Vec::new() }),
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: sizes.batch_rows,
        batch_bytes: sizes.batch_bytes,
        cell_bytes: sizes.cell_bytes,
        tag: RunTag { organization: stream.organization_id.to_string(), stream: stream.id.to_string() },
        cost: within(stream),
    }
}

/// How many rows of a stream's table have a greater cursor, up to [`ABOVE`].
///
/// # Errors
/// What the source did.
pub async fn above(
    connector: &dyn Connector,
    stream: &stream::Model,
    reading: &Reading,
    mark: &Watermark,
    sizes: &Sync,
) -> connector::Result<u64> {
    let request = cursors(stream, reading, Some(mark.clone()), sizes);
    let mut batches = connector.read(ReadRequest {
        batch_rows: 2_000,
        batch_bytes: 1 << 20,
        cell_bytes: 1 << 10,
        ..request
    });
    let mut rows = 0;
    while rows < ABOVE
        && let Some(batch) = batches.next().await
    {
        let batch = batch?;
        let Some(column) = batch.column(&reading.cursor.column) else { break };
        let beyond = |row: &usize| connector::cursor::rank(&column.cell(*row)) > mark.rank();
        rows += (0..batch.rows()).filter(beyond).count() as u64;
    }
    Ok(rows.min(ABOVE))
}
