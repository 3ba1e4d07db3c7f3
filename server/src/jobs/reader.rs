//! The engine of this product: opens the run's source and sends what it reads down the line.

use async_trait::async_trait;
use connector::{ConnectorError, ErrorKind};
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

/// Whether a refusal is of a credential, or rights, that the source no longer signs in with.
async fn was_replaced(app: &App, opening: &Opening, refused: &ConnectorError) -> Result<bool> {
    if !matches!(refused.kind(), ErrorKind::Auth | ErrorKind::Permission) {
        return Ok(false);
    }
    let opened = &opening.source;
    let now = source::Entity::find_by_id((opened.organization_id, opened.id)).one(app.db.orm()).await?;
    Ok(now.is_some_and(|now| now.version != opened.version))
}

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
        let opening = Opening::read(app, organization, stream_id).await?;
        let connector = app.sources.open(app, &opening.source).await?;
        let lease = Lease { organization, run: claim.id(), number: claim.run.number, fence: claim.fence() };
        let followed = ingest::follow(app, connector, &lease, &opening, &range, stop).await;
        let (outcome, rest) = match followed {
            Err(Error::Connector(refused)) if was_replaced(app, &opening, &refused).await? => {
                let message = "the source's credential was replaced while it was read";
                let error = ConnectorError::new(ErrorKind::Unavailable, message).detail(refused.to_string());
                return Err(error.hint("the run goes on with the new one by itself").into());
            }
            followed => followed?,
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
