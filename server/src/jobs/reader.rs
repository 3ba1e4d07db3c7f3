//! The engine of this product: opens the run's source and sends what it reads down the line.

use async_trait::async_trait;
use connector::ErrorKind;
use entity::{RunKind, source};
use sea_orm::EntityTrait;
use tokio_util::sync::CancellationToken;

use super::sync::{Ending, Engine};
use crate::app::App;
use crate::domain::matching_change::Scope;
use crate::domain::sync_run::Claim;
use crate::error::{Error, Result};
use crate::ingest::opening::Opening;
use crate::ingest::{self, Lease, Range, rejected, replay};

/// Reads the stored sources.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader;

#[async_trait]
impl Engine for Reader {
    async fn run(&self, app: &App, claim: &Claim, stop: &CancellationToken) -> Result<Ending> {
        let (organization, stream_id) = (claim.organization(), claim.run.stream_id);
        let range = match claim.run.kind {
            RunKind::Sync => Range::New,
            RunKind::Backfill => {
                Range::Between { since: claim.run.since.clone(), until: claim.run.until.clone() }
            }
            RunKind::Replay => {
                replay::waiting(app, organization, &Scope::Stream { stream: stream_id }, stop).await?;
                return Ok(if stop.is_cancelled() { Ending::Stopped } else { Ending::Done });
            }
        };
        let lease = Lease { organization, run: claim.id(), number: claim.run.number, fence: claim.fence() };
        let (opening, (outcome, rest)) = loop {
            let opening = Opening::read(app, organization, stream_id).await?;
            let connector = app.sources.open(app, &opening.source).await?;
            match ingest::follow(app, connector, &lease, &opening, &range, stop).await {
                // What it signed in with was replaced meanwhile: with what the source has now, it goes on.
                Err(Error::Connector(error))
                    if error.kind() == ErrorKind::Auth && changed(app, &opening.source).await? => {}
                ended => break (opening, ended?),
            }
        };
        if let (ingest::Outcome::Done, Range::Between { since, until }) = (outcome, &range) {
            rejected::replaced(app, &opening.plan, since.as_deref(), until.as_deref()).await?;
        }
        Ok(match outcome {
            ingest::Outcome::Done => Ending::Counted(rest),
            ingest::Outcome::Cancelled => Ending::Cancelled,
            ingest::Outcome::Stopped => Ending::Stopped,
        })
    }
}

/// Whether a source is no longer what it was when it was opened.
async fn changed(app: &App, opened: &source::Model) -> Result<bool> {
    let key = (opened.organization_id, opened.id);
    let now = source::Entity::find_by_id(key).one(app.db.orm()).await?;
    Ok(now.is_some_and(|now| now.version != opened.version))
}
