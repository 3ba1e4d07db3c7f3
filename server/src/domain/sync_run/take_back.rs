//! Taking back the runs of a stream that wait to start.

use entity::{OrganizationId, RunKind, StreamId, SyncRunId};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::carrier;
use crate::clock::Micros;
use crate::domain::job as queue;
use crate::error::Result;
use crate::sql::Sql;

#[derive(FromQueryResult)]
struct TakenBack {
    id: SyncRunId,
    kind: RunKind,
    number: i64,
}

/// Ends the runs of a stream that wait, of one kind or of any, as cancelled, and withdraws their jobs. Returns their
/// numbers.
///
/// # Errors
/// What the database says.
pub async fn take_back(
    db: &impl ConnectionTrait,
    now: Micros,
    organization: OrganizationId,
    stream: StreamId,
    kind: Option<RunKind>,
) -> Result<Vec<i64>> {
    let mut sql =
        Sql::new(db, "UPDATE sync_run SET status = 'cancelled', retry_at = NULL, lease_owner = NULL")
            .text(", lease_until = NULL, cancel_requested_at = ")
            .bind(now)
            .text(", finished_at = ")
            .bind(now)
            .text(" WHERE status = 'queued' AND organization_id = ")
            .bind(organization)
            .text(" AND stream_id = ")
            .bind(stream);
    if let Some(kind) = kind {
        sql = sql.text(" AND kind = ").bind(kind.as_str());
    }
    let mut runs: Vec<TakenBack> = sql.text(" RETURNING id, kind, number").all(db).await?;
    runs.sort_unstable_by_key(|run| run.number);
    for run in &runs {
        let carrier = carrier(run.kind, organization, run.id);
        queue::withdraw(db, now, carrier.queue(), &run.id.to_string()).await?;
    }
    Ok(runs.into_iter().map(|run| run.number).collect())
}
