//! Starting, stopping and repeating runs, and moving checkpoints.

use async_graphql::{Context, InputObject, Object, Result};
use connector::Watermark;
use entity::{RunKind, RunTrigger, SourceState, StreamId, SyncRunId, source};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::auth::{Actor, Permission};
use crate::domain::change::Change;
use crate::domain::kept::Kept;
use crate::domain::sync_run::{self, Request};
use crate::domain::{checkpoint, organization, stream};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, Work};
use crate::graphql::id::Global;
use crate::graphql::payload::payload;
use crate::graphql::stream::Stream;
use crate::graphql::sync_run::SyncRun;

/// The input of `syncRunStart`.
#[derive(InputObject)]
struct SyncRunStartInput {
    /// The stream.
    stream_id: Global<StreamId>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `syncRunStart`.
    SyncRunStartPayload {
        /// The result; null when refused.
        sync_run: SyncRun
    }
}

/// The input of `syncRunCancel`.
#[derive(InputObject)]
struct SyncRunCancelInput {
    /// The run.
    id: Global<SyncRunId>,
}

payload! {
    /// The answer of `syncRunCancel`.
    SyncRunCancelPayload {
        /// The result; null when refused.
        sync_run: SyncRun
    }
}

/// The input of `syncRunRetry`.
#[derive(InputObject)]
struct SyncRunRetryInput {
    /// The finished run.
    id: Global<SyncRunId>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `syncRunRetry`.
    SyncRunRetryPayload {
        /// The result; null when refused.
        sync_run: SyncRun
    }
}

/// The input of `backfillStart`.
#[derive(InputObject)]
struct BackfillStartInput {
    /// The stream.
    stream_id: Global<StreamId>,
    /// The lowest cursor to read, in the source's own digits.
    since: String,
    /// The highest cursor to read.
    until: String,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `backfillStart`.
    BackfillStartPayload {
        /// The result; null when refused.
        sync_run: SyncRun
    }
}

/// The input of `cursorReset`.
#[derive(InputObject)]
struct CursorResetInput {
    /// The stream.
    stream_id: Global<StreamId>,
    /// Where to go; null for the beginning.
    watermark: Option<String>,
    /// Why, for the audit log.
    reason: String,
    /// The checkpoint version this is based on.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `cursorReset`.
    CursorResetPayload {
        /// The result; null when refused.
        stream: Stream
    }
}

/// The mutations of runs and checkpoints.
#[derive(Default)]
pub struct SyncRunMutation;

#[Object]
impl SyncRunMutation {
    /// Starts a sync now, or returns the live one.
    async fn sync_run_start(
        &self,
        ctx: &Context<'_>,
        input: SyncRunStartInput,
    ) -> Result<SyncRunStartPayload> {
        let mut work = Work::begin(ctx, Permission::SyncsRun).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return find(&work.change(), id).await;
            }
            let made = start(&work.change(), input.stream_id.0, RunKind::Sync, None).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Asks a run to stop after the batch in hand.
    async fn sync_run_cancel(
        &self,
        ctx: &Context<'_>,
        input: SyncRunCancelInput,
    ) -> Result<SyncRunCancelPayload> {
        let work = Work::begin(ctx, Permission::SyncsRun).await?;
        let made = async {
            let change = work.change();
            let run = sync_run::cancel(change.db, change.now, change.organization(), input.id.0).await?;
            change
                .audit("sync_run.cancel", "SyncRun", run.id, serde_json::json!({ "number": run.number }))
                .await?;
            Ok(run)
        }
        .await;
        let ended = work.end(made).await?;
        ctx.app().jobs.interrupt();
        Ok(ended.into())
    }

    /// Starts a new run of the kind and range of a finished one.
    async fn sync_run_retry(
        &self,
        ctx: &Context<'_>,
        input: SyncRunRetryInput,
    ) -> Result<SyncRunRetryPayload> {
        let mut work = Work::begin(ctx, Permission::SyncsRun).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return find(&work.change(), id).await;
            }
            let change = work.change();
            let old = find(&change, input.id.0).await?;
            may_start(&change, &stream::find(&change, old.stream_id).await?).await?;
            let by = change.viewer.user_id();
            let made = sync_run::repeat(change.db, change.now, change.organization(), old.id, by).await?;
            noted(&change, &made.run, "sync_run.retry").await?;
            work.remember(&made.run.id).await?;
            Ok(made.run)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Reads a bounded range beside the live sync.
    async fn backfill_start(
        &self,
        ctx: &Context<'_>,
        input: BackfillStartInput,
    ) -> Result<BackfillStartPayload> {
        let mut work = Work::begin(ctx, Permission::SyncsRun).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return find(&work.change(), id).await;
            }
            let range = (input.since.clone(), input.until.clone());
            let made = start(&work.change(), input.stream_id.0, RunKind::Backfill, Some(range)).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Moves the checkpoint of a stream.
    async fn cursor_reset(&self, ctx: &Context<'_>, input: CursorResetInput) -> Result<CursorResetPayload> {
        let work = Work::begin(ctx, Permission::SyncsRun).await?;
        let (id, to) = (input.stream_id.0, input.watermark.as_deref());
        let version = input.expected_version.map(Into::into);
        let made = checkpoint::reset(&work.change(), id, to, &input.reason, version).await;
        Ok(work.end(made).await?.into())
    }
}

type Act<'a> = Change<'a, DatabaseTransaction>;

async fn find(change: &Act<'_>, id: SyncRunId) -> DomainResult<sync_run::SyncRun> {
    use entity::sync_run::{Column, Entity};
    let found = Entity::kept(change.organization()).filter(Column::Id.eq(id)).one(change.db).await?;
    found.ok_or(Error::NotFound("sync run"))
}

/// Refuses while the organization, the source or the stream is not to read.
pub async fn may_start(change: &Act<'_>, stream: &entity::stream::Model) -> DomainResult<()> {
    organization::require_ingestion(change).await?;
    let source = source::Entity::find_by_id((change.organization(), stream.source_id)).one(change.db).await?;
    if source.is_none_or(|source| source.state == SourceState::Paused) {
        return Err(Error::Conflict("the source is paused; resume it first".to_owned()));
    }
    if !stream.enabled {
        return Err(Error::Conflict("the stream is paused; resume it first".to_owned()));
    }
    Ok(())
}

async fn start(
    change: &Act<'_>,
    id: StreamId,
    kind: RunKind,
    range: Option<(String, String)>,
) -> DomainResult<sync_run::SyncRun> {
    let stream = stream::exists(change, id, "streamId").await?;
    may_start(change, &stream).await?;
    let by_token = matches!(change.viewer.actor, Actor::Token { .. });
    let trigger = if by_token { RunTrigger::Api } else { RunTrigger::Manual };
    let mut request = Request::sync(change.organization(), id, trigger);
    request.kind = kind;
    request.requested_by = change.viewer.user_id();
    if let Some((since, until)) = range {
        let since = checkpoint::watermark(&stream, "since", &since)?;
        let until = checkpoint::watermark(&stream, "until", &until)?;
        if since.compare(&until).is_none_or(std::cmp::Ordering::is_gt) {
            return Err(Error::invalid("until", "must not lie before since"));
        }
        let text = |mark: Watermark| Some(mark.text);
        (request.since, request.until) = (text(since), text(until));
    }
    let started = sync_run::start(change.db, change.now, request).await?;
    if !started.coalesced {
        let action = if kind == RunKind::Backfill { "backfill.start" } else { "sync_run.start" };
        noted(change, &started.run, action).await?;
    }
    Ok(started.run)
}

async fn noted(change: &Act<'_>, run: &sync_run::SyncRun, action: &str) -> DomainResult<()> {
    let detail = serde_json::json!({ "number": run.number, "since": run.since, "until": run.until });
    change.audit(action, "SyncRun", run.id, detail).await
}
