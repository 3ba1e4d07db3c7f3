//! Asking for a run, and asking it to stop.

use entity::{OrganizationId, RunKind, RunStatus, RunTrigger, StreamId, SyncRunId, UserId, sync_run};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};

use super::{SyncRun, carrier, job};
use crate::clock::Micros;
use crate::domain::job::{self as queue};
use crate::error::{Error, Result};
use crate::sql::Sql;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The organization.
    pub organization: OrganizationId,
    /// The stream.
    pub stream: StreamId,
    /// What to read.
    pub kind: RunKind,
    /// Why.
    pub trigger: RunTrigger,
    /// The lower bound of a backfill, as cursor text.
    pub since: Option<String>,
    /// Its upper bound.
    pub until: Option<String>,
    /// Who asks.
    pub requested_by: Option<UserId>,
}

impl Request {
    /// A run that reads what is new.
    pub fn sync(organization: OrganizationId, stream: StreamId, trigger: RunTrigger) -> Self {
        let (since, until, requested_by) = (None, None, None);
        Self { organization, stream, kind: RunKind::Sync, trigger, since, until, requested_by }
    }
}

/// A run that was asked for.
#[derive(Clone, Debug)]
pub struct Started {
    /// The run.
    pub run: SyncRun,
    /// Whether it was live before, so that this request joined it.
    pub coalesced: bool,
}

/// A run to insert.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its ID.
    pub id: SyncRunId,
    /// Its number in the organization.
    pub number: i64,
    /// What is asked for.
    pub request: Request,
}

/// Asks for a run, with the job that carries it, in the caller's transaction. While a run of the stream and kind is
/// live, the request joins it; that is no error. Call `Jobs::wake` after the commit.
///
/// # Errors
/// [`Error::Conflict`] when a backfill of another range is live; else what the database says.
pub async fn start(db: &impl ConnectionTrait, now: Micros, request: Request) -> Result<Started> {
    let (organization, stream, kind) = (request.organization, request.stream, request.kind);
    // Locked until the run is there: whoever deletes the stream sees the run, or we see that it is deleted.
    let there = Sql::new(db, "SELECT 1 AS there FROM stream WHERE organization_id = ").bind(organization);
    let there = there.text(" AND id = ").bind(stream).text(" AND deleted_at IS NULL");
    if !there.postgres(" FOR NO KEY UPDATE").any(db).await? {
        return Err(Error::NotFound("stream"));
    }
    // The live run may end between the two statements, so the pair is tried again.
    for _ in 0..3 {
        if let Some(run) = live(db, &request).await? {
            return join(db, now, run, &request).await;
        }
        let number = allocate(db, &[(organization, 1)]).await?[0].value;
        let new = NewRun { id: SyncRunId::new(), number, request: request.clone() };
        let id = new.id;
        if insert(db, now, &[new]).await?.is_empty() {
            continue;
        }
        let priority =
            if matches!(request.trigger, RunTrigger::Schedule | RunTrigger::Reconcile) { 0 } else { 10 };
        queue::enqueue(db, now, &[job(kind, organization, id).priority(priority)]).await?;
        Sql::new(db, "UPDATE stream SET last_run_id = ")
            .bind(id)
            .text(" WHERE organization_id = ")
            .bind(organization)
            .text(" AND id = ")
            .bind(stream)
            .run(db)
            .await?;
        return Ok(Started { run: find(db, organization, id).await?, coalesced: false });
    }
    Err(Error::internal("start a run", "another run came and went three times"))
}

/// Asks for a new run of the kind and range of a finished one.
///
/// # Errors
/// As [`start`]; [`Error::NotFound`] when there is no such run, [`Error::Conflict`] while it has not ended.
pub async fn repeat(
    db: &impl ConnectionTrait,
    now: Micros,
    organization: OrganizationId,
    run: SyncRunId,
    requested_by: Option<UserId>,
) -> Result<Started> {
    let old = find(db, organization, run).await?;
    if matches!(old.status, RunStatus::Queued | RunStatus::Running) {
        return Err(Error::Conflict(format!("run {} has not ended yet", old.number)));
    }
    let request = Request {
        organization,
        stream: old.stream_id,
        kind: old.kind,
        trigger: RunTrigger::Retry,
        since: old.since,
        until: old.until,
        requested_by,
    };
    start(db, now, request).await
}

/// Asks a run to stop: one that waits ends at once, one that runs ends after the batch in hand. Call
/// `Jobs::interrupt` after the commit.
///
/// # Errors
/// [`Error::NotFound`] when there is no such run, [`Error::Conflict`] when it has ended.
pub async fn cancel(
    db: &impl ConnectionTrait,
    now: Micros,
    organization: OrganizationId,
    run: SyncRunId,
) -> Result<SyncRun> {
    let key =
        |sql: Sql| sql.text(" WHERE organization_id = ").bind(organization).text(" AND id = ").bind(run);
    let ended =
        Sql::new(db, "UPDATE sync_run SET status = 'cancelled', retry_at = NULL, cancel_requested_at = ")
            .bind(now)
            .text(", finished_at = ")
            .bind(now);
    let ended = key(ended).text(" AND status = 'queued'").run(db).await?;
    if ended == 0 {
        let asked = Sql::new(db, "UPDATE sync_run SET cancel_requested_at = coalesce(cancel_requested_at, ")
            .bind(now)
            .text(")");
        if key(asked).text(" AND status = 'running'").run(db).await? == 0 {
            let run = find(db, organization, run).await?;
            return Err(Error::Conflict(format!("run {} has already ended", run.number)));
        }
    }
    let found = find(db, organization, run).await?;
    if ended > 0 {
        let carrier = carrier(found.kind, organization, run);
        queue::withdraw(db, now, carrier.queue(), &run.to_string()).await?;
    }
    Ok(found)
}

/// A range of numbers of an organization's runs.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct Numbers {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The last number of the range.
    pub value: i64,
}

/// Takes so many run numbers for each organization and returns the last of each.
///
/// # Errors
/// What the database says.
pub async fn allocate(db: &impl ConnectionTrait, counts: &[(OrganizationId, i64)]) -> Result<Vec<Numbers>> {
    Ok(Sql::new(db, "INSERT INTO counter (organization_id, name, value) VALUES ")
        .each(counts, |sql, (organization, count)| {
            sql.text("(").bind(*organization).text(", 'run', ").bind(*count).text(")")
        })
        .text(" ON CONFLICT (organization_id, name) DO UPDATE SET value = counter.value + excluded.value")
        .text(" RETURNING organization_id, value")
        .all(db)
        .await?)
}

#[derive(FromQueryResult)]
struct Inserted {
    id: SyncRunId,
}

/// Inserts queued runs and returns the IDs of those that found no live run in their way.
///
/// # Errors
/// What the database says.
pub async fn insert(db: &impl ConnectionTrait, now: Micros, runs: &[NewRun]) -> Result<Vec<SyncRunId>> {
    let columns = r#"organization_id, id, number, stream_id, kind, "trigger", status, attempt, fence, since, until, requested_by, queued_at"#;
    let rows: Vec<Inserted> = Sql::new(db, &format!("INSERT INTO sync_run ({columns}) VALUES "))
        .each(runs, |sql, run| {
            let request = &run.request;
            sql.text("(")
                .bind(request.organization)
                .text(", ")
                .bind(run.id)
                .text(", ")
                .bind(run.number)
                .text(", ")
                .bind(request.stream)
                .text(", ")
                .bind(request.kind.as_str())
                .text(", ")
                .bind(request.trigger.as_str())
                .text(", 'queued', 0, 0, ")
                .bind(request.since.clone())
                .text(", ")
                .bind(request.until.clone())
                .text(", ")
                .bind(request.requested_by)
                .text(", ")
                .bind(now)
                .text(")")
        })
        .text(" ON CONFLICT DO NOTHING RETURNING id")
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn find(db: &impl ConnectionTrait, organization: OrganizationId, run: SyncRunId) -> Result<SyncRun> {
    let found = sync_run::Entity::find_by_id((organization, run)).one(db).await?;
    found.ok_or(Error::NotFound("sync run"))
}

async fn live(db: &impl ConnectionTrait, request: &Request) -> Result<Option<SyncRun>> {
    Ok(sync_run::Entity::find()
        .filter(sync_run::Column::OrganizationId.eq(request.organization))
        .filter(sync_run::Column::StreamId.eq(request.stream))
        .filter(sync_run::Column::Kind.eq(request.kind))
        .filter(sync_run::Column::Status.is_in([RunStatus::Queued, RunStatus::Running]))
        .one(db)
        .await?)
}

/// Joins a live run; one that waits for its next attempt is not made to wait any longer.
async fn join(db: &impl ConnectionTrait, now: Micros, run: SyncRun, request: &Request) -> Result<Started> {
    if (&run.since, &run.until) != (&request.since, &request.until) {
        return Err(Error::Conflict(format!(
            "run {} is reading another range of this stream; wait for it or cancel it",
            run.number
        )));
    }
    if run.status == RunStatus::Queued && request.trigger != RunTrigger::Schedule {
        let carrier = carrier(run.kind, run.organization_id, run.id);
        queue::hasten(db, now, carrier.queue(), &run.id.to_string()).await?;
    }
    Ok(Started { run, coalesced: true })
}
