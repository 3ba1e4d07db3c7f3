//! Comparing a stream with its table now, and setting when it is compared by itself.

use async_graphql::{Context, InputObject, Object, Result};
use entity::{RunTrigger, StreamId};

use crate::auth::{Actor, Permission};
use crate::domain::reconcile::{self, SettingChange};
use crate::domain::stream;
use crate::graphql::context::Work;
use crate::graphql::id::Global;
use crate::graphql::payload::payload;
use crate::graphql::reconcile::Reconcile;
use crate::graphql::stream::Stream;
use crate::graphql::sync_run_mutation::may_start;

/// The input of `reconcileStart`.
#[derive(InputObject)]
struct ReconcileStartInput {
    /// The stream.
    stream_id: Global<StreamId>,
}

payload! {
    /// The answer of `reconcileStart`.
    ReconcileStartPayload {
        /// The result; null when refused.
        reconcile: Reconcile
    }
}

/// The input of `streamReconcileSet`. What is not given stays.
#[derive(InputObject)]
struct StreamReconcileSetInput {
    /// The stream.
    stream_id: Global<StreamId>,
    /// Whether it is compared by itself, nightly.
    enabled: Option<bool>,
    /// The time of day, `HH:MM`.
    at: Option<String>,
    /// The zone of that time, such as `Europe/Berlin`.
    zone: Option<String>,
    /// How far back from the watermark, from 1 to 366: days, or for an integer cursor blocks of 100,000.
    days: Option<i32>,
}

payload! {
    /// The answer of `streamReconcileSet`.
    StreamReconcileSetPayload {
        /// The result; null when refused.
        stream: Stream
    }
}

/// The mutations of comparisons.
#[derive(Default)]
pub struct ReconcileMutation;

#[Object]
impl ReconcileMutation {
    /// Compares what a stream took in with its table now, or returns the comparison under way.
    async fn reconcile_start(
        &self,
        ctx: &Context<'_>,
        input: ReconcileStartInput,
    ) -> Result<ReconcileStartPayload> {
        let work = Work::begin(ctx, Permission::SyncsRun).await?;
        let made = async {
            let change = work.change();
            let stream = stream::exists(&change, input.stream_id.0, "streamId").await?;
            may_start(&change, &stream).await?;
            let by_token = matches!(change.viewer.actor, Actor::Token { .. });
            let trigger = if by_token { RunTrigger::Api } else { RunTrigger::Manual };
            let (key, by) = ((change.organization(), stream.id), change.viewer.user_id());
            let started = reconcile::start(change.db, change.now, key, trigger, by).await?;
            if !started.coalesced {
                let detail = serde_json::json!({ "reconcile": started.reconcile.id.to_string() });
                change.audit("reconcile.start", "Stream", stream.id, detail).await?;
            }
            Ok(started.reconcile)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Sets whether and when a stream is compared with its table by itself.
    async fn stream_reconcile_set(
        &self,
        ctx: &Context<'_>,
        input: StreamReconcileSetInput,
    ) -> Result<StreamReconcileSetPayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let StreamReconcileSetInput { stream_id, enabled, at, zone, days } = input;
        let wanted = SettingChange { enabled, time: at, zone, days };
        let made = reconcile::set(&work.change(), stream_id.0, wanted).await;
        Ok(work.end(made).await?.into())
    }
}
