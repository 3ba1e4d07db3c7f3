//! Sync runs.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, InputObject, InputType, Object, Result};
use entity::sync_run::{Column, Entity, Model};
use entity::{OrganizationId, StreamId, SyncRunId};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::graphql::context::{Reach, maybe, must};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError, Nested};
use crate::graphql::page::{Page, page};
use crate::graphql::scalar::{BigInt, DateTime};
use crate::graphql::source_cost::SourceCost;
use crate::graphql::stream::Stream;
use crate::graphql::sync_run_tally::{SyncRunError, SyncRunTally};
use crate::graphql::user::User;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct SyncRun(pub Model);

impl From<Model> for SyncRun {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// One execution of a stream.
#[Object]
impl SyncRun {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Its number in the organization.
    async fn number(&self) -> BigInt {
        BigInt(self.0.number)
    }

    /// Its stream.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Stream> {
        must(ctx, self.0.stream_id).await
    }

    /// What it reads.
    async fn kind(&self) -> SyncRunKind {
        self.0.kind.into()
    }

    /// What started it.
    async fn trigger(&self) -> SyncRunTrigger {
        self.0.trigger.into()
    }

    /// Where it is.
    async fn status(&self) -> SyncRunStatus {
        self.0.status.into()
    }

    /// Which attempt this is.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }

    /// The lower bound of a backfill.
    async fn since(&self) -> Option<&str> {
        self.0.since.as_deref()
    }

    /// The upper bound.
    async fn until(&self) -> Option<&str> {
        self.0.until.as_deref()
    }

    /// The watermark it started from.
    async fn cursor_before(&self) -> Option<&str> {
        self.0.cursor_before.as_deref()
    }

    /// The watermark it reached.
    async fn cursor_after(&self) -> Option<&str> {
        self.0.cursor_after.as_deref()
    }

    /// What happened to every row.
    async fn tally(&self) -> SyncRunTally {
        SyncRunTally(self.0.clone())
    }

    /// What reading cost at the source.
    async fn cost(&self) -> SourceCost {
        SourceCost::from(&self.0)
    }

    /// Whether the sums add up; null until it ends.
    async fn balanced(&self) -> Option<bool> {
        self.0.balanced
    }

    /// Why it failed.
    async fn error(&self) -> Option<SyncRunError> {
        SyncRunError::of(&self.0)
    }

    /// When it was asked to stop.
    async fn cancel_requested_at(&self) -> Option<DateTime> {
        self.0.cancel_requested_at.map(DateTime)
    }

    /// Who asked for it.
    async fn requested_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.requested_by).await
    }

    /// When it was asked for.
    async fn queued_at(&self) -> DateTime {
        DateTime(self.0.queued_at)
    }

    /// When it started.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// How long it has run.
    async fn duration_ms(&self, ctx: &Context<'_>) -> Option<BigInt> {
        let end = self.0.finished_at.unwrap_or_else(|| ctx.now());
        self.0.started_at.map(|start| BigInt((end - start).max(0) / 1_000))
    }
}

/// What a run reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::RunKind")]
pub enum SyncRunKind {
    /// What is new.
    Sync,
    /// A bounded range.
    Backfill,
    /// Rows that waited.
    Replay,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::RunTrigger")]
pub enum SyncRunTrigger {
    /// The schedule.
    Schedule,
    /// A person.
    Manual,
    /// Another service.
    Api,
    /// An earlier failure.
    Retry,
    /// A change of accounts or links.
    Change,
    /// A difference between the table and what was taken in.
    Reconcile,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::RunStatus")]
pub enum SyncRunStatus {
    /// Waiting for a worker.
    Queued,
    /// At work.
    Running,
    /// Everything was read.
    Succeeded,
    /// Part was read; the next run goes on.
    Incomplete,
    /// It ended with an error.
    Failed,
    /// It was asked to stop.
    Cancelled,
    /// There was no need to run.
    Skipped,
}

/// The runs of a stream.
pub struct RunsOf;

impl Nested for RunsOf {
    type Entity = Entity;
    const NAME: &'static str = "stream.runs";
    const READ: Permission = Permission::SourcesRead;

    fn parent() -> Column {
        Column::StreamId
    }

    fn order() -> Order<Entity> {
        Order::descending([Column::Number])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::kept(organization)
    }
}

/// Asks for a run by its number, which is what rows carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunNumber(i64);

impl RunNumber {
    /// The run with a number; none for what people typed.
    pub fn of(number: i64) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }
}

impl Loader<RunNumber> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, keys: &[RunNumber]) -> std::result::Result<HashMap<RunNumber, Model>, LoadError> {
        let organization = self.organization(Permission::SourcesRead)?;
        let rows = Entity::kept(organization)
            .filter(Column::Number.is_in(keys.iter().map(|key| key.0)))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (RunNumber(row.number), row)).collect())
    }
}

/// Which runs.
#[derive(InputObject, Default)]
pub struct SyncRunWhere {
    /// Only of this stream.
    pub stream_id: Option<Global<StreamId>>,
    /// Only with one of these states.
    pub status: Option<Vec<SyncRunStatus>>,
    /// Only of this kind.
    pub kind: Option<SyncRunKind>,
}

/// The queries about runs.
#[derive(Default)]
pub struct SyncRunQuery;

#[Object]
impl SyncRunQuery {
    /// The runs, newest first.
    async fn sync_runs(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<SyncRunWhere>,
    ) -> Result<Page<SyncRun>> {
        let organization = ctx.need(Permission::SourcesRead)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let mut rows = Entity::kept(organization);
        if let Some(stream) = wanted.stream_id {
            rows = rows.filter(Column::StreamId.eq(stream.0));
        }
        if let Some(status) = wanted.status {
            rows = rows.filter(Column::Status.is_in(status.into_iter().map(entity::RunStatus::from)));
        }
        if let Some(kind) = wanted.kind {
            rows = rows.filter(Column::Kind.eq(entity::RunKind::from(kind)));
        }
        let order = Order::descending([Column::Number]);
        page(ctx, PageArgs::new(first, after, last, before), &["syncRuns", &filters], order, rows).await
    }

    /// One run.
    async fn sync_run(&self, ctx: &Context<'_>, id: Global<SyncRunId>) -> Result<Option<SyncRun>> {
        maybe(ctx, Some(id.0)).await
    }
}
