//! Rejected rows: trying them again after the mapping was mended.

use std::collections::BTreeMap;

use entity::waiting_row::{Column, Entity, Model};
use entity::{StreamId, WaitingKind, WaitingRowId, stream};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::domain::refusal;
use crate::domain::stream::{self as streams, Reading};
use crate::error::{Error, Result};

/// The most rows named in one retry.
pub const ROWS_MOST: usize = 500;

/// The columns a stream reads that a row was kept without.
///
/// # Errors
/// When the row or the stream cannot be read.
pub fn missing_columns(row: &Model, stream: &stream::Model) -> Result<Vec<String>> {
    let kept: BTreeMap<String, Option<String>> = serde_json::from_str(&row.row)
        .map_err(|error| Error::internal("read a waiting row", format!("row {}: {error}", row.id.0)))?;
    let reading = Reading::stored(stream)?;
    let missing = reading.columns().into_iter().filter(|name| !kept.contains_key(*name));
    Ok(missing.map(str::to_owned).collect())
}

/// Tries rejected rows of a stream again with the mapping of today: those named, or all. Tells how many there are.
///
/// # Errors
/// When the stream or one of the rows is not here.
pub async fn retry(
    change: &Change<'_, impl ConnectionTrait>,
    stream: StreamId,
    rows: Vec<WaitingRowId>,
) -> Result<u64> {
    streams::exists(change, stream, "streamId").await?;
    if rows.len() > ROWS_MOST {
        return Err(refusal::limit(
            "ids",
            format!("at most {ROWS_MOST} rows at once; leave them out for all"),
        ));
    }
    let mut wanted = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::StreamId.eq(stream))
        .filter(Column::Kind.eq(WaitingKind::Rejected));
    if !rows.is_empty() {
        wanted = wanted.filter(Column::Id.is_in(rows.iter().copied()));
    }
    let count = wanted.count(change.db).await?;
    if count < rows.len() as u64 {
        return Err(refusal::not_found("ids", "rejected row"));
    }
    if count > 0 {
        let scope = Scope::Rejected { stream, rows };
        matching_change::enqueue(change.db, change.organization(), scope, change.now).await?;
        change.audit("rejected_row.retry", "Stream", stream, json!({ "rows": count })).await?;
    }
    Ok(count)
}
