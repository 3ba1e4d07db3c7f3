//! Deleting streams, which hold more than one transaction should delete.
//!
//! A deleted stream is stopped and out of sight at once (`kept`), and its name is free. What it stored is discarded
//! afterwards, a few rows in each transaction, so that nobody who writes waits for it; last of all the stream itself,
//! and its source when that is deleted and this was its last one. Whoever takes up half a job goes on with what is left.

use entity::stream::{self, Entity};
use entity::{OrganizationId, SourceId, StreamId, checkpoint, source};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect,
    Set,
};

use crate::clock::Micros;
use crate::db::Db;
use crate::domain::change::Change;
use crate::domain::job::{self, Job, NewJob};
use crate::domain::stream::stand_down;
use crate::error::Result;
use crate::sql::Sql;

/// Most rows discarded in one transaction.
pub const ROWS: i64 = 2_000;
/// Series whose measurements are looked for at a time.
const SERIES: i64 = 100;

/// Marks a stream deleted and asks for what it stored to be discarded. Cancels the runs that wait, refuses while one is
/// at work. Returns the numbers of the runs it cancelled.
///
/// # Errors
/// When a run is at work.
pub async fn mark(change: &Change<'_, impl ConnectionTrait>, id: StreamId) -> Result<Vec<i64>> {
    let key = (change.organization(), id);
    // Waits for a replay in hand: whoever writes to a stream holds its checkpoint, and makes none for a deleted one.
    checkpoint::Entity::delete_by_id(key).exec(change.db).await?;
    // The lock keeps new runs of the stream out until it is marked, the second look a checkpoint made in between. Whoever
    // holds that checkpoint may go on: a stronger lock would keep rows of the stream out, and each would wait for the other.
    let stored = Entity::find_by_id(key).lock(LockType::NoKeyUpdate).one(change.db).await?;
    checkpoint::Entity::delete_by_id(key).exec(change.db).await?;
    let runs = stand_down(change, id, None).await?;
    if let Some(stored) = stored {
        let version = stored.version + 1;
        let mut row = stored.into_active_model();
        row.enabled = Set(false);
        row.next_due_at = Set(None);
        row.external_id_setting_id = Set(None);
        row.version = Set(version);
        row.deleted_at = Set(Some(change.now));
        Entity::update(row).exec(change.db).await?;
    }
    job::enqueue(change.db, change.now, &[job_for(change.organization(), id)]).await?;
    Ok(runs)
}

/// The job that discards what a stream stored: one at a time, for they are in nobody's way only one at a time.
fn job_for(organization: OrganizationId, stream: StreamId) -> NewJob {
    NewJob::new(&Job::Discard { organization, stream })
        .lock("discard")
        .dedupe(stream.to_string())
        .priority(-1)
        .tireless()
}

/// Deletes a source that has no stream any more.
///
/// # Errors
/// When the database fails.
pub async fn empty_source(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    id: SourceId,
) -> Result<bool> {
    let gone = Sql::new(db, "DELETE FROM source WHERE organization_id = ")
        .bind(organization)
        .text(" AND id = ")
        .bind(id)
        .text(" AND deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stream s WHERE s.organization_id = ")
        .bind(organization)
        .text(" AND s.source_id = ")
        .bind(id)
        .text(")");
    Ok(gone.run(db).await? > 0)
}

#[derive(FromQueryResult)]
struct Deleted {
    organization_id: OrganizationId,
    id: StreamId,
}

/// Asks again for the streams that are deleted, not gone, and have no job. Tells how many there were.
///
/// # Errors
/// What the database says.
pub async fn push_missing(db: &impl ConnectionTrait, now: Micros) -> Result<u64> {
    let streams: Vec<Deleted> =
        Sql::new(db, "SELECT organization_id, id FROM stream WHERE deleted_at IS NOT NULL LIMIT 100")
            .all(db)
            .await?;
    let jobs: Vec<NewJob> = streams.iter().map(|it| job_for(it.organization_id, it.id)).collect();
    if jobs.is_empty() { Ok(0) } else { job::enqueue(db, now, &jobs).await }
}

/// The tables of what a stream stored besides its series, in the order in which they are emptied, and their keys.
const STORED: [(&str, &str); 6] = [
    ("waiting_row", "id"),
    ("unmatched_group", "id"),
    ("ignore_rule", "organization_id, id"),
    ("reconcile_slice", "organization_id, reconcile_id, number"),
    ("reconcile", "organization_id, id"),
    ("sync_run", "organization_id, id"),
];

#[derive(FromQueryResult)]
struct Numbered {
    id: i64,
}

/// Discards some of what a deleted stream stored, in one transaction of at most [`ROWS`] rows. Tells how many rows;
/// zero when the stream itself is gone.
///
/// # Errors
/// When the database fails.
pub async fn some(db: &Db, organization: OrganizationId, stream: StreamId) -> Result<u64> {
    let owned = |sql: &str| {
        let sql = Sql::new(db.orm(), sql).text(" WHERE organization_id = ").bind(organization);
        sql.text(" AND stream_id = ").bind(stream)
    };
    let series: Vec<Numbered> =
        owned("SELECT id FROM series").text(" LIMIT ").bind(SERIES).all(db.orm()).await?;
    if !series.is_empty() {
        let series: Vec<i64> = series.into_iter().map(|one| one.id).collect();
        return of_series(db, &series).await;
    }
    for (table, own) in STORED {
        let some = owned(&format!("DELETE FROM {table} WHERE ({own}) IN (SELECT {own} FROM {table}"));
        let gone = some.text(" LIMIT ").bind(ROWS).text(")").run(db.orm()).await?;
        if gone > 0 {
            return Ok(gone);
        }
    }
    let tx = db.begin().await?;
    let last = Entity::find_by_id((organization, stream))
        .filter(stream::Column::DeletedAt.is_not_null())
        .one(&tx)
        .await?;
    if let Some(last) = last {
        Entity::delete_by_id((organization, stream)).exec(&tx).await?;
        empty_source(&tx, organization, last.source_id).await?;
    }
    tx.commit().await?;
    Ok(0)
}

async fn of_series(db: &Db, series: &[i64]) -> Result<u64> {
    for (table, key) in [("measurement", "series_id, measured_at"), ("measurement_revision", "id")] {
        let some =
            format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE series_id IN (");
        let gone = Sql::new(db.orm(), &some).bind_all(series.iter().copied()).text(") LIMIT ").bind(ROWS);
        let gone = gone.text(")").run(db.orm()).await?;
        if gone > 0 {
            return Ok(gone);
        }
    }
    // What another worker is deleting may come back, so a series goes last.
    let empty = Sql::new(db.orm(), "DELETE FROM series WHERE id IN (").bind_all(series.iter().copied()).text(
        ") AND NOT EXISTS (SELECT 1 FROM measurement m WHERE m.series_id = series.id) \
         AND NOT EXISTS (SELECT 1 FROM measurement_revision r WHERE r.series_id = series.id)",
    );
    Ok(empty.run(db.orm()).await?.max(1))
}

/// The streams of a source that are not deleted.
///
/// # Errors
/// When the database fails.
pub async fn streams_of(
    change: &Change<'_, impl ConnectionTrait>,
    source: SourceId,
) -> Result<Vec<StreamId>> {
    use crate::domain::kept::Kept;
    let rows = Entity::kept(change.organization()).filter(stream::Column::SourceId.eq(source));
    Ok(rows.all(change.db).await?.into_iter().map(|stream| stream.id).collect())
}

/// Marks a source deleted, with its streams. Its secrets go at once.
///
/// # Errors
/// When one of its streams is at work.
pub async fn mark_source(
    change: &Change<'_, impl ConnectionTrait>,
    stored: source::Model,
) -> Result<Vec<i64>> {
    let (organization, id) = (change.organization(), stored.id);
    let mut runs = Vec::new();
    for stream in streams_of(change, id).await? {
        runs.extend(mark(change, stream).await?);
    }
    entity::key_pair::Entity::delete_many()
        .filter(entity::key_pair::Column::OrganizationId.eq(organization))
        .filter(entity::key_pair::Column::SourceId.eq(id))
        .exec(change.db)
        .await?;
    let version = stored.version + 1;
    let mut row = stored.into_active_model();
    row.sealed_credential = Set(None);
    row.state = Set(entity::SourceState::Paused);
    row.version = Set(version);
    row.deleted_at = Set(Some(change.now));
    source::Entity::update(row).exec(change.db).await?;
    empty_source(change.db, organization, id).await?;
    Ok(runs)
}
