//! Carries out a comparison of a stream with its table: a step at a time, and what came of it.

use entity::{OrganizationId, ReconcileId, SourceState};
use sea_orm::EntityTrait;
use tracing::{error, info, warn};

use super::held::{StopReason, Taken};
use super::node::Outcome;
use super::work::named_wait;
use crate::app::App;
use crate::clock::SECOND;
use crate::domain::backoff::Backoff;
use crate::domain::reconcile::{self, Failure, Reconcile};
use crate::domain::sync_run::Problem;
use crate::error::{Error, Result};
use crate::ingest::opening::Opening;
use crate::ingest::reconcile::{Next, advance};

/// Goes on with a comparison until it ends or has to wait for a run.
pub(super) async fn run(
    app: &App,
    taken: &Taken,
    (organization, id): (OrganizationId, ReconcileId),
) -> Result<Outcome> {
    let Some(mut found) = reconcile::find_live(app.db.orm(), organization, id).await? else {
        return Ok(Outcome::Done);
    };
    let attempts = i32::try_from(app.config.workers.attempts).unwrap_or(i32::MAX);
    if found.compared_at.is_none() && found.attempt >= attempts {
        let message = format!("its worker stopped {attempts} times while it was compared");
        let action = Some("look in the server's log; then reconcile the stream again".to_owned());
        reconcile::fail(app.db.orm(), &mut found, Some(app.clock.now()), &Failure { message, action })
            .await?;
        return Ok(Outcome::Done);
    }
    let stepped = tokio::select! {
        biased;
        () = taken.stop().cancelled() => {
            return Ok(match taken.stop_reason() {
                Some(StopReason::LeaseLost) => Outcome::Lost,
                _ => Outcome::Released,
            });
        }
        stepped = step(app, &mut found) => stepped,
    };
    match stepped {
        Ok(Next::Done) => {
            info!(stream.id = %found.stream_id, "a stream was compared with its table");
            Ok(Outcome::Done)
        }
        Ok(Next::Wait(at)) => Ok(Outcome::Again(at)),
        Err(Error::LeaseLost) => Ok(overtaken(app)),
        // The stream was deleted, and what it stored is being discarded.
        Err(Error::NotFound(_)) => Ok(Outcome::Done),
        Err(failure) => match failed(app, &mut found, &failure).await {
            Err(Error::LeaseLost) => Ok(overtaken(app)),
            settled => settled,
        },
    }
}

/// Whoever wrote in between goes on with it; should nobody, it is looked at again.
fn overtaken(app: &App) -> Outcome {
    Outcome::Again(app.clock.now() + SECOND)
}

async fn step(app: &App, of: &mut Reconcile) -> Result<Next> {
    let opening = Opening::read(app, of.organization_id, of.stream_id).await?;
    if !reads(app, &opening).await? {
        return Err(Error::Conflict("the stream, its source or the organization is paused".to_owned()));
    }
    let connector = app.sources.open(app, &opening.source).await?;
    advance(app, &connector, of).await
}

/// Whether the stream may be read.
async fn reads(app: &App, opening: &Opening) -> Result<bool> {
    let route = &opening.plan.route;
    let key = (route.organization, route.stream);
    let stream = entity::stream::Entity::find_by_id(key).one(app.db.orm()).await?;
    let organization = entity::organization::Entity::find_by_id(route.organization).one(app.db.orm()).await?;
    Ok(opening.source.state == SourceState::Active
        && stream.is_some_and(|stream| stream.enabled)
        && organization.is_some_and(|organization| organization.ingestion_enabled))
}

/// What becomes of a comparison that failed: another attempt, or its end.
async fn failed(app: &App, of: &mut Reconcile, failure: &Error) -> Result<Outcome> {
    let problem = Problem::from(failure);
    let told = Failure { message: problem.message, action: problem.action };
    let (now, workers) = (app.clock.now(), &app.config.workers);
    let last = of.attempt >= i32::try_from(workers.attempts).unwrap_or(i32::MAX);
    if !failure.transient() || last && of.compared_at.is_none() {
        error!(stream.id = %of.stream_id, error = %failure, "a stream could not be compared with its table");
        reconcile::fail(app.db.orm(), of, Some(now), &told).await?;
        return Ok(Outcome::Done);
    }
    warn!(stream.id = %of.stream_id, error = %failure, "comparing a stream with its table failed and will be tried again");
    let backoff = Backoff::seconds(workers.backoff_seconds, workers.backoff_most_seconds);
    let at = now.saturating_add(backoff.wait(of.attempt.max(1), named_wait(failure)));
    reconcile::fail(app.db.orm(), of, None, &told).await?;
    Ok(Outcome::Again(at))
}
