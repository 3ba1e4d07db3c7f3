//! Moving the checkpoint of a stream by hand.

use connector::Watermark;
use entity::checkpoint::{Column, Entity, Model};
use entity::{RunKind, StreamId, stream};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::stream::{self as streams, CursorStart, connector_kind};
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// Reads a cursor value somebody typed, in the kind of the stream's cursor.
///
/// # Errors
/// When it is no such value.
pub fn watermark(stream: &stream::Model, field: &str, text: &str) -> Result<Watermark> {
    Watermark::parse(connector_kind(stream.cursor_kind), text.trim()).ok_or_else(|| {
        let like = match stream.cursor_kind {
            entity::CursorKind::Int => "42",
            entity::CursorKind::Date => "2026-02-28",
            entity::CursorKind::Naive => "2026-02-28 10:00:00",
            entity::CursorKind::Zoned => "2026-02-28T10:00:00Z",
        };
        Error::invalid(
            field,
            format!("write a value of the cursor column {:?} like {like}", stream.cursor_column),
        )
    })
}

/// Where a stream stands; none before its first batch, or when its cursor is another now.
pub fn current(stream: &stream::Model, checkpoint: Option<Model>) -> Option<Model> {
    checkpoint.filter(|checkpoint| {
        !checkpoint.watermark.is_empty()
            && checkpoint.cursor_column == stream.cursor_column
            && checkpoint.cursor_kind == stream.cursor_kind
    })
}

/// Moves the checkpoint to a watermark, or to the beginning. Nothing stored is deleted: rows read again change what
/// they changed before, and nothing else. A sync that waits to start is cancelled; the next one begins here.
///
/// # Errors
/// When the stream is gone or at work, the watermark is unreadable, or the checkpoint moved in between.
pub async fn reset(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    to: Option<&str>,
    reason: &str,
    version: Option<i64>,
) -> Result<stream::Model> {
    let stream = streams::exists(change, id, "streamId").await?;
    let reason = text::reason("reason", reason)?;
    let to = to.map(|text| watermark(&stream, "watermark", text)).transpose()?;
    let stored = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    let from = stored.as_ref().map(|checkpoint| checkpoint.watermark.clone());
    // The update takes the lock under which runs move it; only then is it sure that none is at work.
    place(change, &stream, to.as_ref(), version).await?;
    // A sync that waits may have read a part before: its counts would tell of two ranges as one.
    let runs = streams::stand_down(change, id, Some(RunKind::Sync)).await?;
    let detail =
        json!({ "from": from, "to": to.map(|mark| mark.text), "reason": reason, "cancelledRuns": runs });
    change.audit("cursor.reset", "Stream", id, detail).await?;
    Ok(stream)
}

/// What a change says of where reading goes on, if it is a change that must say it.
///
/// # Errors
/// When it must and does not, or says it for nothing.
pub fn start(needed: bool, start: Option<CursorStart>) -> Result<Option<CursorStart>> {
    match (needed, start) {
        (true, None) => Err(refusal::missing(
            "cursorStart",
            "the table or cursor is another one: say whether to keep the watermark, to begin at the first row, or to \
             start at the greatest cursor there is now",
        )),
        (false, Some(_)) => Err(Error::invalid(
            "cursorStart",
            "the table and the cursor stay as they are; move the watermark with cursorReset",
        )),
        (_, start) => Ok(start),
    }
}

/// Places the checkpoint of a stream whose table or cursor has become another.
///
/// # Errors
/// When the watermark is to be kept and is none of the new cursor.
pub async fn restart(
    change: &Change<'_, impl ConnectionTrait>,
    before: &stream::Model,
    stream: &stream::Model,
    start: &CursorStart,
) -> Result<()> {
    let stored = Entity::find_by_id((change.organization(), stream.id)).one(change.db).await?;
    let kept = current(before, stored).map(|checkpoint| checkpoint.watermark);
    let to = match (start, &kept) {
        (CursorStart::Beginning, _) | (CursorStart::Keep, None) => None,
        (CursorStart::At(mark), _) => mark.clone(),
        (CursorStart::Keep, Some(_)) if before.cursor_kind != stream.cursor_kind => {
            let reason = "the new cursor is of another kind than the watermark; begin at the first row, or start at \
                the greatest cursor there is now";
            return Err(Error::invalid("cursorStart", reason));
        }
        (CursorStart::Keep, Some(text)) => Some(watermark(stream, "cursorStart", text)?),
    };
    place(change, stream, to.as_ref(), None).await?;
    let runs = streams::stand_down(change, stream.id, Some(RunKind::Sync)).await?;
    let reason = "another table or cursor";
    let detail =
        json!({ "from": kept, "to": to.map(|mark| mark.text), "reason": reason, "cancelledRuns": runs });
    change.audit("cursor.reset", "Stream", stream.id, detail).await
}

/// Writes where a stream stands, making its checkpoint on first use.
async fn place(
    change: &Change<'_, impl ConnectionTrait>,
    stream: &stream::Model,
    to: Option<&Watermark>,
    version: Option<i64>,
) -> Result<()> {
    let text = to.map(|mark| mark.text.clone()).unwrap_or_default();
    let rank = to.and_then(Watermark::rank).unwrap_or(i64::MIN);
    let moved = Entity::update_many()
        .col_expr(Column::CursorColumn, Expr::value(stream.cursor_column.clone()))
        .col_expr(Column::CursorKind, Expr::value(stream.cursor_kind))
        .col_expr(Column::Watermark, Expr::value(text.clone()))
        .col_expr(Column::Position, Expr::value("[]"))
        .col_expr(Column::Rank, Expr::value(rank))
        .col_expr(Column::WindowHash, Expr::value(Option::<String>::None))
        .col_expr(Column::RunId, Expr::value(Option::<uuid::Uuid>::None))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::UpdatedAt, Expr::value(change.now))
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::StreamId.eq(stream.id))
        .filter(match version {
            Some(version) => Column::Version.eq(version),
            None => Column::Version.gte(0),
        })
        .exec(change.db)
        .await?;
    if moved.rows_affected > 0 {
        return Ok(());
    }
    let key = (change.organization(), stream.id);
    if Entity::find_by_id(key).one(change.db).await?.is_some() {
        return Err(Error::Stale("checkpoint"));
    }
    insert(change, stream, &text, rank).await
}

async fn insert(
    change: &Change<'_, impl ConnectionTrait>,
    stream: &stream::Model,
    text: &str,
    rank: i64,
) -> Result<()> {
    use sea_orm::Set;
    let row = entity::checkpoint::ActiveModel {
        organization_id: Set(change.organization()),
        stream_id: Set(stream.id),
        cursor_column: Set(stream.cursor_column.clone()),
        cursor_kind: Set(stream.cursor_kind),
        watermark: Set(text.to_owned()),
        position: Set("[]".to_owned()),
        rank: Set(rank),
        window_hash: Set(None),
        version: Set(1),
        updated_at: Set(change.now),
        run_id: Set(None),
    };
    Entity::insert(row).exec_without_returning(change.db).await?;
    Ok(())
}
