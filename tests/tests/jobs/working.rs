//! Workers in this process that carry out runs as the product does, and runs to be carried out.

use std::cell::RefCell;
use std::sync::Arc;

use anyhow::Result;
use entity::{OrganizationId, RunStatus, RunTrigger, StreamId, sync_run};
use sea_orm::EntityTrait;
use server::clock::Clock;
use server::domain::sync_run::{self as runs, Request, SyncRun};
use server::jobs;
use tests::stage::{Stage, until};
use tests::worker::Scripted;
use tokio_util::sync::CancellationToken;

use crate::now;

/// An application whose workers run, until it is dropped.
pub struct Working {
    stop: CancellationToken,
    handle: Option<jobs::Handle>,
}

impl Working {
    /// With the lease a server has unless told otherwise.
    pub async fn start(stage: &Stage) -> Result<Self> {
        Self::at(stage, Clock::system(), 15).await
    }

    /// With another clock, or a lease of other seconds where one is to lapse or to be kept from it.
    pub async fn at(stage: &Stage, clock: Clock, lease: u32) -> Result<Self> {
        let app = stage
            .app_at(clock, |config| {
                config.workers.lease_seconds = lease;
                config.workers.backoff_seconds = 1;
                config.workers.attempts = 3;
            })
            .await?;
        let stop = CancellationToken::new();
        let handle = Some(jobs::start(&app, Arc::new(Scripted), &stop));
        Ok(Self { stop, handle })
    }

    pub async fn finish(mut self) {
        self.stop.cancel();
        if let Some(handle) = self.handle.take() {
            handle.finished().await;
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Asks for a sync of a stream.
pub async fn ask(stage: &Stage, organization: OrganizationId, stream: StreamId) -> Result<SyncRun> {
    let request = Request::sync(organization, stream, RunTrigger::Manual);
    Ok(runs::start(stage.db.orm(), now(), request).await?.run)
}

/// The run as it is now.
pub async fn find(stage: &Stage, run: &SyncRun) -> Result<SyncRun> {
    let key = (run.organization_id, run.id);
    Ok(sync_run::Entity::find_by_id(key).one(stage.db.orm()).await?.expect("the run exists"))
}

/// Waits until something holds of the run, and gives the run as it was then: it may change at any moment.
pub async fn seen(
    stage: &Stage,
    run: &SyncRun,
    (what, seconds): (&str, u64),
    holds: impl Fn(&SyncRun) -> bool,
) -> Result<SyncRun> {
    let seen = RefCell::new(run.clone());
    until(what, seconds, async || {
        seen.replace(find(stage, run).await?);
        Ok(holds(&seen.borrow()))
    })
    .await?;
    Ok(seen.into_inner())
}

/// Waits for the run to end.
pub async fn ended(stage: &Stage, run: &SyncRun, seconds: u64) -> Result<SyncRun> {
    let over = |run: &SyncRun| !matches!(run.status, RunStatus::Queued | RunStatus::Running);
    seen(stage, run, ("the run has ended", seconds), over).await
}
