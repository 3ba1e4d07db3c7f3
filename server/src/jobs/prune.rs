//! Deletes what is kept no longer, a few rows at a time, so that nobody waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use entity::{OrganizationId, UnmatchedGroupId, organization};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult};
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use crate::app::App;
use crate::clock::{DAY, Micros};
use crate::error::Result;
use crate::sql::Sql;

/// Rows deleted in one transaction.
const ROWS: i64 = 500;

/// The pause after each, in which others write.
const PAUSE: Duration = Duration::from_millis(10);

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Finished runs; the newest of each stream stays.
    pub runs: u64,
    /// Finished comparisons of streams with their tables.
    pub reconciles: u64,
    /// Finished and dead jobs.
    pub jobs: u64,
    /// Replaced values.
    pub revisions: u64,
    /// Rows an ignore rule covers.
    pub ignored: u64,
    /// Answers kept for requests that are sent again.
    pub answers: u64,
    /// Workers that ended without a word.
    pub workers: u64,
}

/// Deletes everything older than the retention settings say, or as much as it can before `stop` fires.
///
/// # Errors
/// What the database says; what was deleted before stays deleted.
pub async fn prune(app: &App, stop: &CancellationToken) -> Result<Pruned> {
    let (now, keep) = (app.clock.now(), &app.config.retention);
    let before = |days: u32| now - i64::from(days) * DAY;
    let mut pruned = Pruned::default();
    for organization in organization::Entity::find().all(app.db.orm()).await? {
        while let Some(count) = some(stop, runs(app, organization.id, before(keep.run_days)).await?).await {
            pruned.runs += count;
        }
        while let Some(count) =
            some(stop, reconciles(app, organization.id, before(keep.run_days)).await?).await
        {
            pruned.reconciles += count;
        }
    }
    while let Some(count) = some(stop, jobs(app, before(keep.job_days)).await?).await {
        pruned.jobs += count;
    }
    while let Some(count) = some(stop, revisions(app, before(keep.revision_days)).await?).await {
        pruned.revisions += count;
    }
    while let Some(count) = some(stop, ignored(app, before(keep.ignored_days)).await?).await {
        pruned.ignored += count;
    }
    while let Some(count) = some(stop, answers(app, before(1)).await?).await {
        pruned.answers += count;
    }
    pruned.workers = Sql::new(app.db.orm(), "DELETE FROM worker WHERE seen_at < ")
        .bind(before(1))
        .run(app.db.orm())
        .await?;
    if pruned != Pruned::default() {
        info!(?pruned, "deleted what is kept no longer");
    }
    Ok(pruned)
}

/// A count that asks for another round; `None` when there was nothing, or it is time to stop.
async fn some(stop: &CancellationToken, count: u64) -> Option<u64> {
    if count == 0 || stop.is_cancelled() {
        return None;
    }
    tokio::time::sleep(PAUSE).await;
    Some(count)
}

/// The IDs of runs begin with the time they were made, so the key finds the old ones.
async fn runs(app: &App, organization: OrganizationId, before: Micros) -> Result<u64> {
    let db = app.db.orm();
    let deleted = Sql::new(db, "DELETE FROM sync_run WHERE organization_id = ")
        .bind(organization)
        .text(" AND id IN (SELECT r.id FROM sync_run r WHERE r.organization_id = ")
        .bind(organization)
        .text(" AND r.id < ")
        .bind(first_id_at(before))
        .text(" AND r.finished_at < ")
        .bind(before)
        .text(" AND NOT EXISTS (SELECT 1 FROM stream s WHERE s.organization_id = r.organization_id")
        .text(" AND s.id = r.stream_id AND s.last_run_id = r.id) ORDER BY r.id LIMIT ")
        .bind(ROWS)
        .text(")");
    Ok(deleted.run(db).await?)
}

/// What they explained goes with them: a slice that still differs is read again once.
async fn reconciles(app: &App, organization: OrganizationId, before: Micros) -> Result<u64> {
    let db = app.db.orm();
    let deleted = Sql::new(db, "DELETE FROM reconcile WHERE organization_id = ")
        .bind(organization)
        .text(" AND id IN (SELECT id FROM reconcile WHERE organization_id = ")
        .bind(organization)
        .text(" AND id < ")
        .bind(first_id_at(before))
        .text(" AND finished_at < ")
        .bind(before)
        .text(" ORDER BY id LIMIT ")
        .bind(ROWS)
        .text(")");
    Ok(deleted.run(db).await?)
}

/// The lowest version 7 UUID of a time.
fn first_id_at(time: Micros) -> Uuid {
    let milliseconds = u128::from((time / 1000).max(0).unsigned_abs());
    Uuid::from_u128(milliseconds << 80)
}

async fn jobs(app: &App, before: Micros) -> Result<u64> {
    let db = app.db.orm();
    let oldest =
        Sql::new(db, "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE finished_at < ").bind(before);
    Ok(oldest.text(" ORDER BY finished_at LIMIT ").bind(ROWS).text(")").run(db).await?)
}

/// Revisions are numbered in the order they are made, so the first of them are the oldest.
async fn revisions(app: &App, before: Micros) -> Result<u64> {
    let db = app.db.orm();
    let first = "DELETE FROM measurement_revision WHERE id IN (SELECT id FROM \
                 (SELECT id, replaced_at FROM measurement_revision ORDER BY id LIMIT ";
    let oldest = Sql::new(db, first).bind(ROWS).text(") AS oldest WHERE replaced_at < ").bind(before);
    Ok(oldest.text(")").run(db).await?)
}

async fn answers(app: &App, before: Micros) -> Result<u64> {
    let db = app.db.orm();
    let old = "DELETE FROM idempotency WHERE (organization_id, actor, key) IN \
               (SELECT organization_id, actor, key FROM idempotency WHERE created_at < ";
    Ok(Sql::new(db, old).bind(before).text(" LIMIT ").bind(ROWS).text(")").run(db).await?)
}

#[derive(FromQueryResult)]
struct Row {
    group_id: Option<UnmatchedGroupId>,
}

/// Old rows of ignored groups; each group's count of waiting rows goes down with them.
async fn ignored(app: &App, before: Micros) -> Result<u64> {
    let tx = app.db.begin().await?;
    let old = Sql::new(&tx, "DELETE FROM waiting_row WHERE id IN (SELECT w.id FROM unmatched_group g")
        .text(" JOIN waiting_row w ON w.group_id = g.id WHERE g.status = 'ignored' AND w.created_at < ")
        .bind(before)
        .text(" LIMIT ")
        .bind(ROWS)
        .text(") RETURNING group_id");
    let rows: Vec<Row> = old.all(&tx).await?;
    let mut counts = BTreeMap::<i64, i64>::new();
    for group in rows.iter().filter_map(|row| row.group_id) {
        *counts.entry(group.0).or_default() += 1;
    }
    lower(&tx, &counts).await?;
    tx.commit().await?;
    Ok(rows.len() as u64)
}

async fn lower(db: &impl ConnectionTrait, counts: &BTreeMap<i64, i64>) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    Sql::new(db, "WITH gone (id, count) AS (VALUES ")
        .each(counts, |sql, (id, count)| sql.text("(").bind(*id).text(", ").bind(*count).text(")"))
        .text(") UPDATE unmatched_group SET waiting = waiting - gone.count FROM gone WHERE unmatched_group.id = gone.id")
        .run(db)
        .await?;
    Ok(())
}
