//! Holding a run: the lease that is renewed, and the fence that shuts former holders out.

use entity::{OrganizationId, RunStatus, SyncRunId, WorkerId, sync_run};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult};

use super::SyncRun;
use crate::clock::Micros;
use crate::error::{Error, Result};
use crate::sql::Sql;

/// A run in the hands of a worker.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The run as it was when taken; its `fence` and `attempt` are this holder's.
    pub run: SyncRun,
    /// The holder.
    pub owner: WorkerId,
}

impl Claim {
    /// The organization.
    pub fn organization(&self) -> OrganizationId {
        self.run.organization_id
    }

    /// The run's ID.
    pub fn id(&self) -> SyncRunId {
        self.run.id
    }

    /// The number that shuts former holders out.
    pub fn fence(&self) -> i64 {
        self.run.fence
    }

    /// Appends the condition that this claim still holds.
    pub(crate) fn holds(&self, sql: Sql) -> Sql {
        sql.text(" WHERE organization_id = ")
            .bind(self.organization())
            .text(" AND id = ")
            .bind(self.id())
            .text(" AND fence = ")
            .bind(self.fence())
            .text(" AND status = 'running'")
    }
}

/// What came of trying to take a run.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// It is ours.
    Ours(Box<Claim>),
    /// Another worker holds it until then, unless it renews.
    Held(Micros),
    /// It has ended, or is gone.
    Over,
}

/// Takes a run that waits, or one whose holder stopped renewing. Costs an attempt.
///
/// # Errors
/// What the database says.
pub async fn claim(
    db: &impl ConnectionTrait,
    now: Micros,
    until: Micros,
    (organization, run): (OrganizationId, SyncRunId),
    owner: WorkerId,
) -> Result<Claimed> {
    let taken: Option<SyncRun> =
        Sql::new(db, "UPDATE sync_run SET status = 'running', attempt = attempt + 1, fence = fence + 1")
            .text(", retry_at = NULL, lease_owner = ")
            .bind(owner)
            .text(", lease_until = ")
            .bind(until)
            .text(", heartbeat_at = ")
            .bind(now)
            .text(", started_at = coalesce(started_at, ")
            .bind(now)
            .text(") WHERE organization_id = ")
            .bind(organization)
            .text(" AND id = ")
            .bind(run)
            .text(" AND (status = 'queued' OR (status = 'running' AND lease_until < ")
            .bind(now)
            .text(")) RETURNING *")
            .one(db)
            .await?;
    if let Some(run) = taken {
        return Ok(Claimed::Ours(Box::new(Claim { run, owner })));
    }
    let found = sync_run::Entity::find_by_id((organization, run)).one(db).await?;
    Ok(match found {
        Some(run) if run.status == RunStatus::Running => Claimed::Held(run.lease_until.unwrap_or(now)),
        // It came back to the queue a moment ago.
        Some(run) if run.status == RunStatus::Queued => Claimed::Held(now),
        _ => Claimed::Over,
    })
}

/// A lease that was renewed.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Renewed {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The run.
    pub id: SyncRunId,
    /// The holder's fence.
    pub fence: i64,
    /// When the run was asked to stop.
    pub cancel_requested_at: Option<Micros>,
}

/// Renews the leases on runs, each named with its holder's fence. Those not returned are lost.
///
/// # Errors
/// What the database says.
pub async fn renew(
    db: &impl ConnectionTrait,
    now: Micros,
    until: Micros,
    held: &[(OrganizationId, SyncRunId, i64)],
) -> Result<Vec<Renewed>> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Sql::new(db, "UPDATE sync_run SET heartbeat_at = ")
        .bind(now)
        .text(", lease_until = ")
        .bind(until)
        .text(" WHERE status = 'running' AND (organization_id, id, fence) IN (VALUES ")
        .each(held, |sql, (organization, run, fence)| {
            sql.text("(").bind(*organization).text(", ").bind(*run).text(", ").bind(*fence).text(")")
        })
        .text(") RETURNING organization_id, id, fence, cancel_requested_at")
        .all(db)
        .await?)
}

/// The answer of a statement that named a claim and changed nothing.
pub(super) fn must_hold(changed: u64) -> Result<()> {
    if changed == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}
