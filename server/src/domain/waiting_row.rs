//! Rejected rows: trying them again after the mapping or the source was mended.

use entity::waiting_row::{Column, Entity};
use entity::{StreamId, WaitingKind, WaitingRowId, stream};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::domain::refusal;
use crate::error::Result;

/// The most rows named in one retry.
pub const ROWS_MOST: usize = 500;

/// Tries rejected rows of a stream again with the mapping of today: those named, or all. Tells how many there are.
///
/// # Errors
/// When the stream or one of the rows is not here.
pub async fn retry(
    change: &Change<'_, impl ConnectionTrait>,
    stream: StreamId,
    rows: Vec<WaitingRowId>,
) -> Result<u64> {
    if stream::Entity::find_by_id((change.organization(), stream)).one(change.db).await?.is_none() {
        return Err(refusal::not_found("streamId", "stream"));
    }
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
