//! Asking for a comparison: by a person, or because its time has come.

use entity::reconcile::{Column, Entity};
use entity::{OrganizationId, ReconcileId, RunTrigger, StreamId, UserId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use tracing::error;

use super::{Reconcile, Setting, job};
use crate::clock::Micros;
use crate::domain::job as queue;
use crate::error::{Error, Result};
use crate::sql::Sql;

/// Most streams looked at in one transaction.
const STREAMS: i64 = 200;

/// A comparison that was asked for.
#[derive(Clone, Debug)]
pub struct Started {
    /// The comparison.
    pub reconcile: Reconcile,
    /// Whether it was under way before, so that this request joined it.
    pub coalesced: bool,
}

/// Asks for a comparison, with the job that carries it out, in the caller's transaction. While one of the stream is
/// under way, the request joins it. Call `Jobs::wake` after the commit.
///
/// # Errors
/// [`Error::NotFound`] when the stream is gone; else what the database says.
pub async fn start(
    db: &impl ConnectionTrait,
    now: Micros,
    (organization, stream): (OrganizationId, StreamId),
    trigger: RunTrigger,
    requested_by: Option<UserId>,
) -> Result<Started> {
    let id = ReconcileId::new();
    let setting = Setting::of(db, organization, stream).await?;
    // The lock lets whoever deletes the stream see the comparison, or us that it is deleted.
    let columns = r#"organization_id, id, stream_id, "trigger", days, stream_version, version, attempt, slices, differing, explained, written, requested_by, started_at"#;
    let there = Sql::new(db, "SELECT 1 AS there FROM stream WHERE organization_id = ").bind(organization);
    let there = there.text(" AND id = ").bind(stream).text(" AND deleted_at IS NULL");
    if !there.postgres(" FOR NO KEY UPDATE").any(db).await? {
        return Err(Error::NotFound("stream"));
    }
    let added = Sql::new(db, &format!("INSERT INTO reconcile ({columns}) VALUES ("))
        .bind(organization)
        .text(", ")
        .bind(id)
        .text(", ")
        .bind(stream)
        .text(", ")
        .bind(trigger.as_str())
        .text(", ")
        .bind(setting.days)
        .text(", 0, 1, 0, 0, 0, 0, 0, ")
        .bind(requested_by)
        .text(", ")
        .bind(now)
        .text(") ON CONFLICT DO NOTHING")
        .run(db)
        .await?;
    if added > 0 {
        queue::enqueue(db, now, &[job(organization, id)]).await?;
    }
    let live = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::StreamId.eq(stream))
        .filter(Column::FinishedAt.is_null())
        .one(db)
        .await?;
    let reconcile =
        live.ok_or_else(|| Error::Conflict("the comparison has just ended; ask again".to_owned()))?;
    Ok(Started { coalesced: reconcile.id != id, reconcile })
}

/// Tells whether the time of some comparison has come.
///
/// # Errors
/// What the database says.
pub async fn any_due(db: &impl ConnectionTrait, now: Micros) -> Result<bool> {
    let due = Sql::new(db, "SELECT 1 AS due FROM reconcile_setting WHERE due_at <= ").bind(now);
    Ok(due.text(" LIMIT 1").any(db).await?)
}

#[derive(FromQueryResult)]
struct Due {
    organization_id: OrganizationId,
    stream_id: StreamId,
    may_run: bool,
}

/// Starts the comparisons whose time has come and moves each stream on to its next time, in the caller's transaction:
/// a due time makes one, however many processes look. Returns how many were started.
///
/// # Errors
/// What the database says; nothing was started then.
pub async fn start_due(db: &impl ConnectionTrait, now: Micros) -> Result<u64> {
    let due: Vec<Due> =
        Sql::new(db, "SELECT r.organization_id, r.stream_id, s.enabled AND s.paused_reason IS NULL")
            .text(" AND s.deleted_at IS NULL AND o.ingestion_enabled AND c.state = 'active' AS may_run")
            .text(" FROM reconcile_setting r JOIN organization o ON o.id = r.organization_id")
            .text(" JOIN stream s ON s.organization_id = r.organization_id AND s.id = r.stream_id")
            .text(" JOIN source c ON c.organization_id = s.organization_id AND c.id = s.source_id")
            .text(" WHERE r.due_at <= ")
            .bind(now)
            .text(" ORDER BY r.due_at LIMIT ")
            .bind(STREAMS)
            .postgres(" FOR UPDATE OF r SKIP LOCKED")
            .all(db)
            .await?;
    let mut started = 0;
    for Due { organization_id, stream_id, may_run } in due {
        let setting = Setting::of(db, organization_id, stream_id).await?;
        let next = setting.next_after(now).unwrap_or_else(|failure| {
            error!(stream.id = %stream_id, error = %failure, "a stream's reconcile time cannot be read; it is off");
            None
        });
        Sql::new(db, "UPDATE reconcile_setting SET due_at = ")
            .bind(next)
            .text(" WHERE organization_id = ")
            .bind(organization_id)
            .text(" AND stream_id = ")
            .bind(stream_id)
            .run(db)
            .await?;
        if may_run {
            let key = (organization_id, stream_id);
            started += u64::from(!start(db, now, key, RunTrigger::Schedule, None).await?.coalesced);
        }
    }
    Ok(started)
}

#[derive(FromQueryResult)]
struct Live {
    organization_id: OrganizationId,
    id: ReconcileId,
}

/// Gives every comparison under way a job if it has none. Returns how many had none.
///
/// # Errors
/// What the database says.
pub async fn push_missing(db: &impl ConnectionTrait, now: Micros) -> Result<u64> {
    let live: Vec<Live> = Sql::new(db, "SELECT r.organization_id, r.id FROM reconcile r JOIN stream s")
        .text(" ON s.organization_id = r.organization_id AND s.id = r.stream_id")
        .text(" WHERE r.finished_at IS NULL AND s.deleted_at IS NULL LIMIT 500")
        .all(db)
        .await?;
    if live.is_empty() {
        return Ok(0);
    }
    let jobs: Vec<_> = live.iter().map(|it| job(it.organization_id, it.id)).collect();
    queue::enqueue(db, now, &jobs).await
}
