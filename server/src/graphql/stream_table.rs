//! What a stream's table says when it is asked: its columns, and how far its rows go.

use std::sync::Arc;

use async_graphql::Context;
use connector::{ColumnInfo, Connector, Cursor, TableRef, Watermark};
use entity::{SourceId, stream};

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
    let cursor = Cursor { column: reading.cursor.column.clone(), kind: reading.cursor.kind };
    let Some(mark) = patiently(connector.newest(&reading.table, &cursor)).await? else { return Ok(None) };
    let now = patiently(connector.clock()).await?.micros().unwrap_or_else(|| ctx.now());
    let zone = reading.cursor.zone.as_deref().and_then(|zone| zone.parse().ok());
    let cap = believable(cursor.kind, zone, now.saturating_add(stored.future_tolerance));
    if cap.is_some_and(|cap| mark.rank().is_none_or(|rank| rank > cap)) {
        let reason = format!(
            "the greatest cursor is {}, which is in the future; mend that row, or begin at the first",
            mark.text
        );
        return Err(Error::invalid("cursorStart", reason));
    }
    Ok(Some(mark))
}
