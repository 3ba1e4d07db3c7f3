//! The second look: live runs whose job is missing get a new one.

use std::collections::HashSet;

use entity::{OrganizationId, RunKind, SyncRunId};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{carrier, job};
use crate::clock::{Micros, SECOND};
use crate::domain::job as queue;
use crate::error::Result;
use crate::sql::Sql;

/// A live run that no worker holds.
#[derive(Debug, FromQueryResult)]
struct Idle {
    organization_id: OrganizationId,
    id: SyncRunId,
    kind: RunKind,
    retry_at: Option<Micros>,
}

#[derive(FromQueryResult)]
struct Key {
    dedupe_key: String,
}

/// How long a run may wait before its job is looked for.
const PATIENCE: Micros = 5 * SECOND;

/// Most runs looked at in one go; the oldest first, so that the rest has its turn later.
const MOST: u64 = 1000;

/// Gives every run that waits, or whose holder stopped renewing, a job if it has none. Returns how many had none:
/// since runs and jobs are made together, each is a sign of trouble worth a line in the log.
///
/// # Errors
/// What the database says.
pub async fn push_missing(db: &impl ConnectionTrait, now: Micros) -> Result<u64> {
    let idle: Vec<Idle> = Sql::new(db, "SELECT organization_id, id, kind, retry_at FROM sync_run")
        .text(" WHERE status IN ('queued', 'running') AND queued_at < ")
        .bind(now - PATIENCE)
        .text(" AND (lease_until IS NULL OR lease_until < ")
        .bind(now)
        .text(") ORDER BY queued_at, id LIMIT ")
        .bind(MOST)
        .all(db)
        .await?;
    if idle.is_empty() {
        return Ok(0);
    }
    let queues = [RunKind::Sync, RunKind::Backfill].map(|kind| {
        let (organization, run) = (idle[0].organization_id, idle[0].id);
        carrier(kind, organization, run).queue()
    });
    let found: Vec<Key> =
        Sql::new(db, "SELECT dedupe_key FROM job WHERE status IN ('queued', 'running') AND queue IN (")
            .bind_all(queues)
            .text(") AND dedupe_key IN (")
            .bind_all(idle.iter().map(|run| run.id.to_string()))
            .text(")")
            .all(db)
            .await?;
    let found: HashSet<String> = found.into_iter().map(|key| key.dedupe_key).collect();
    let missing: Vec<_> = idle
        .iter()
        .filter(|run| !found.contains(&run.id.to_string()))
        .map(|run| job(run.kind, run.organization_id, run.id).run_at(run.retry_at.unwrap_or(now)))
        .collect();
    queue::enqueue(db, now, &missing).await
}
