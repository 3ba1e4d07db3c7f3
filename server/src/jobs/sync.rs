//! Carries out a sync run: takes it, lets the engine work, and says on the run what came of it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use connector::{ErrorKind, Retry};
use entity::{OrganizationId, RunKind, SyncRunId, stream};
use futures::FutureExt;
use sea_orm::EntityTrait;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::held::{StopReason, Taken};
use super::node::{Node, Outcome};
use super::table::{self, Settled};
use super::work::{named_wait, words};
use crate::app::App;
use crate::clock::SECOND;
use crate::domain::sync_run::{self, Claim, Claimed, End, Problem, Rest};
use crate::error::{Error, Result};
use crate::sql::Sql;

/// How the engine's work on a run ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It read everything asked for.
    Done,
    /// The same, with counts that the run's end is to note.
    Counted(Rest),
    /// Somebody asked the run to stop; what was stored stays.
    Cancelled,
    /// It was told to stop; the run is to go on from where it stands.
    Stopped,
}

/// What reads a run's stream.
///
/// It must check the claim's fence in each transaction it commits, so that one that lost its lease stores nothing.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Reads until the end of the run's range, or until `stop` fires.
    ///
    /// # Errors
    /// What the source did, that the lease was lost, or faults of ours. What was committed before stays.
    async fn run(&self, app: &App, claim: &Claim, stop: &CancellationToken) -> Result<Ending>;
}

/// Carries out a run.
pub(super) async fn run(
    app: &App,
    node: &Node,
    engine: &dyn Engine,
    taken: &Taken,
    run: (OrganizationId, SyncRunId),
) -> Result<Outcome> {
    let now = app.clock.now();
    let claim = match sync_run::claim(app.db.orm(), now, node.lease_end(), run, node.owner()).await? {
        Claimed::Ours(claim) => claim,
        Claimed::Held(until) => return Ok(Outcome::Again(until.max(now + SECOND))),
        Claimed::Over => return Ok(Outcome::Done),
    };
    taken.hold_run(&claim);
    let result = if claim.run.cancel_requested_at.is_some() {
        Ok(Ending::Cancelled)
    } else if claim.run.attempt > attempts(app) {
        return conclude(app, taken, &claim, gave_up(app, &claim).await?).await;
    } else {
        let work = AssertUnwindSafe(engine.run(app, &claim, taken.stop())).catch_unwind();
        work.await.unwrap_or_else(|panic| Err(Error::internal("the run panicked", words(panic.as_ref()))))
    };
    match result {
        Ok(Ending::Done) => conclude(app, taken, &claim, End::Succeeded).await,
        Ok(Ending::Counted(rest)) => conclude_with(app, taken, &claim, End::Succeeded, &rest).await,
        Ok(Ending::Cancelled) => conclude(app, taken, &claim, End::Cancelled).await,
        Ok(Ending::Stopped) => match taken.stop_reason() {
            Some(StopReason::LeaseLost) => Ok(Outcome::Lost),
            Some(StopReason::Cancelled) => conclude(app, taken, &claim, End::Cancelled).await,
            Some(StopReason::Shutdown) | None => release(app, taken, &claim).await,
        },
        Err(Error::LeaseLost) => {
            info!(run = claim.run.number, "another worker has the run");
            Ok(Outcome::Lost)
        }
        Err(failure) => failed(app, taken, &claim, &failure).await,
    }
}

fn attempts(app: &App) -> i32 {
    i32::try_from(app.config.workers.attempts).unwrap_or(i32::MAX)
}

/// Says what becomes of a run that failed: another attempt, or its end.
async fn failed(app: &App, taken: &Taken, claim: &Claim, failure: &Error) -> Result<Outcome> {
    let (run, problem) = (claim.run.number, Problem::from(failure));
    show(app, claim, failure, &problem).await;
    if !failure.transient() {
        error!(run, stream.id = %claim.run.stream_id, error = %failure, "a run failed; someone must act");
        return conclude(app, taken, claim, End::Failed(problem)).await;
    }
    if claim.run.attempt >= attempts(app) {
        error!(run, stream.id = %claim.run.stream_id, error = %failure, "a run failed in its last attempt");
        let end = last_word(app, claim, left_out(claim, failure, problem)).await?;
        return conclude(app, taken, claim, end).await;
    }
    warn!(run, stream.id = %claim.run.stream_id, error = %failure, "a run failed and will be tried again");
    let workers = &app.config.workers;
    let backoff =
        crate::domain::backoff::Backoff::seconds(workers.backoff_seconds, workers.backoff_most_seconds);
    let at = app.clock.now().saturating_add(backoff.wait(claim.run.attempt, named_wait(failure)));
    let later = || sync_run::retry_later(app.db.orm(), claim, at, &problem);
    insist(taken, later).await.map(|held| if held.is_some() { Outcome::Again(at) } else { Outcome::Lost })
}

/// A sync begins again where it left rows out. A backfill has no later run that could: somebody starts it again.
fn left_out(claim: &Claim, failure: &Error, problem: Problem) -> Problem {
    match failure {
        Error::Connector(outside) if outside.rows_may_be_missing() && claim.run.kind == RunKind::Backfill => {
            problem.action(
                "start the backfill again: it reads its whole stretch, and what it has stored stays as it is",
            )
        }
        _ => problem,
    }
}

/// The end of a run whose workers died again and again.
async fn gave_up(app: &App, claim: &Claim) -> Result<End> {
    let problem =
        Problem::new("worker_lost", format!("its worker stopped {} times without finishing", attempts(app)))
            .action("look in the server's log and memory limits; then start the run again");
    error!(run = claim.run.number, "a run is given up: its workers stop before they finish");
    last_word(app, claim, problem).await
}

/// A run that someone must look at has failed; one whose stream comes round again by itself is incomplete.
async fn last_word(app: &App, claim: &Claim, problem: Problem) -> Result<End> {
    if claim.run.kind != RunKind::Sync {
        return Ok(End::Failed(problem));
    }
    let key = (claim.organization(), claim.run.stream_id);
    let stream = stream::Entity::find_by_id(key).one(app.db.orm()).await?;
    let comes_round =
        stream.is_some_and(|it| it.enabled && it.paused_reason.is_none() && it.next_due_at.is_some());
    Ok(if comes_round { End::Incomplete(problem) } else { End::Failed(problem) })
}

async fn conclude(app: &App, taken: &Taken, claim: &Claim, end: End) -> Result<Outcome> {
    conclude_with(app, taken, claim, end, &Rest::default()).await
}

async fn conclude_with(app: &App, taken: &Taken, claim: &Claim, end: End, rest: &Rest) -> Result<Outcome> {
    // The job ends with the run it carried, in one round trip.
    let job = (taken.job.id, taken.job.attempts);
    let finish = || async {
        let now = app.clock.now();
        let settled = |sql: Sql| table::settling(sql, now, claim.owner, job, &Settled::Done);
        sync_run::finish_with(&app.db, now, claim, end.clone(), rest, &[&settled]).await
    };
    Ok(insist(taken, finish).await?.map_or(Outcome::Lost, |_| Outcome::Settled))
}

async fn release(app: &App, taken: &Taken, claim: &Claim) -> Result<Outcome> {
    info!(run = claim.run.number, "a run is handed back: this process stops");
    let release = || sync_run::release(app.db.orm(), claim);
    Ok(insist(taken, release).await?.map_or(Outcome::Lost, |()| Outcome::Released))
}

/// Writes on the run, again and again while the database cannot be reached. `None`: the lease was lost.
async fn insist<T, F: Future<Output = Result<T>>>(taken: &Taken, write: impl Fn() -> F) -> Result<Option<T>> {
    let mut wait = Duration::from_millis(100);
    loop {
        match write().await {
            Ok(written) => return Ok(Some(written)),
            Err(Error::LeaseLost) => return Ok(None),
            Err(_) if taken.stop_reason() == Some(StopReason::LeaseLost) => return Ok(None),
            Err(error) if !error.transient() => return Err(error),
            Err(error) => warn!(%error, "the database does not take what came of a run; trying again"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

/// Whether trouble is one of all tables of a source.
fn whole_source(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Config | ErrorKind::Auth | ErrorKind::RateLimited | ErrorKind::Unavailable)
}

/// Shows what the outside did where people look for it: on the source, if it is the whole source's trouble, and, when
/// the table is no longer what was mapped, on the stream, whose schedule then waits for a run that succeeds.
async fn show(app: &App, claim: &Claim, failure: &Error, problem: &Problem) {
    let Error::Connector(outside) = failure else { return };
    let shown = async {
        let key = (claim.organization(), claim.run.stream_id);
        let Some(stream) = stream::Entity::find_by_id(key).one(app.db.orm()).await? else { return Ok(()) };
        if whole_source(outside.kind()) {
            let text = serde_json::to_string(problem).expect("a problem is plain text");
            Sql::new(app.db.orm(), "UPDATE source SET last_error = ")
                .bind(text)
                .text(" WHERE organization_id = ")
                .bind(claim.organization())
                .text(" AND id = ")
                .bind(stream.source_id)
                .run(app.db.orm())
                .await?;
        }
        if outside.kind() == ErrorKind::Schema && outside.retry() == Retry::Never {
            Sql::new(app.db.orm(), "UPDATE stream SET paused_reason = ")
                .bind(problem.message.as_str())
                .text(" WHERE organization_id = ")
                .bind(claim.organization())
                .text(" AND id = ")
                .bind(claim.run.stream_id)
                .run(app.db.orm())
                .await?;
        }
        Ok::<_, sea_orm::DbErr>(())
    };
    if let Err(error) = shown.await {
        warn!(%error, "a source's trouble was not shown on it");
    }
}
