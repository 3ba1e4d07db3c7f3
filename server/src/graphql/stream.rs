//! Streams: the object, its lists and its queries.

use async_graphql::{Context, ID, InputObject, InputType, Object, Result};
use entity::stream::{Column, Entity, Model};
use entity::{OrganizationId, RunStatus, SourceId, SourceState, StreamId};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use crate::auth::Permission;
use crate::clock::SECOND;
use crate::domain::kept::Kept;
use crate::domain::reconcile::Setting;
use crate::domain::stream::Reading;
use crate::domain::{checkpoint, freshness, schedule, stream_columns};
use crate::graphql::context::{Reach, load, maybe, must};
use crate::graphql::error::Fault;
use crate::graphql::external_id_setting::ExternalIdSetting;
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::Nested;
use crate::graphql::page::{Page, nested, page};
use crate::graphql::reconcile::{Reconcile, ReconcileSetting, ReconcileSettingOf, ReconcilesOf};
use crate::graphql::scalar::{BigInt, DateTime};
use crate::graphql::schedule::StreamSchedule;
use crate::graphql::schedule_pace::{SchedulePace, paced};
use crate::graphql::search::contains;
use crate::graphql::source::Source;
use crate::graphql::stream_part::{
    Freshness, StreamCursor, StreamDestination, StreamMapping, StreamShape, TableRef,
};
use crate::graphql::stream_state::{Checkpoint, CheckpointOf, LastRunOf, LiveRunOf, RejectedIn, UnmatchedIn};
use crate::graphql::sync_run::{RunsOf, SyncRun};
use crate::graphql::window::{Key, Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Stream(pub Model);

impl From<Model> for Stream {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

impl Stream {
    /// Whether nobody paused it, and its table has not changed under it.
    fn in_use(&self) -> bool {
        self.0.enabled && self.0.paused_reason.is_none()
    }

    /// Judges whether its data is up to date.
    pub async fn judged(&self, ctx: &Context<'_>) -> Result<freshness::Freshness> {
        let run = load(ctx, LastRunOf(self.0.id)).await?;
        let source = load(ctx, self.0.source_id).await?;
        let paused = !self.in_use() || source.is_none_or(|source| source.state == SourceState::Paused);
        let failed = run.is_some_and(|run| run.status == RunStatus::Failed);
        Ok(freshness::judge(&self.0, paused, failed, ctx.now()).map_err(Fault::from)?)
    }
}

/// A table chosen to read, with mapping, cursor, row key and schedule.
#[Object]
impl Stream {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The name, unique in the organization.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it reads.
    async fn source(&self, ctx: &Context<'_>) -> Result<Source> {
        must(ctx, self.0.source_id).await
    }

    /// What it reads.
    async fn table(&self) -> Result<TableRef> {
        Ok(self.reading()?.table.into())
    }

    /// Long or wide.
    async fn shape(&self) -> StreamShape {
        self.0.shape.into()
    }

    /// Where its readings go.
    async fn destination(&self) -> StreamDestination {
        self.0.destination.into()
    }

    /// Which column plays which role.
    async fn mapping(&self) -> Result<StreamMapping> {
        Ok(self.reading()?.mapping.into())
    }

    /// How rows are ordered and new ones found.
    async fn cursor(&self) -> Result<StreamCursor> {
        Ok(self.reading()?.cursor.into())
    }

    /// Columns the table has got since the mapping was saved; runs that find rows look for them hourly.
    async fn new_columns(&self) -> Result<Vec<String>> {
        let seen = stream_columns::read(&self.0.columns).map_err(Fault::from)?;
        Ok(seen.into_iter().filter(|column| column.new).map(|column| column.name).collect())
    }

    /// The columns that identify a row.
    async fn row_key(&self) -> Result<Vec<String>> {
        Ok(self.reading()?.row_key)
    }

    /// How far ahead of the source's clock a cursor may be.
    async fn future_tolerance_seconds(&self) -> i32 {
        i32::try_from(self.0.future_tolerance / SECOND).unwrap_or(i32::MAX)
    }

    /// How account IDs are matched.
    async fn external_id_setting(&self, ctx: &Context<'_>) -> Result<Option<ExternalIdSetting>> {
        maybe(ctx, self.0.external_id_setting_id).await
    }

    /// When it runs.
    async fn schedule(&self) -> Result<StreamSchedule> {
        Ok(schedule::Schedule::parse(&self.0.schedule).map_err(Fault::from)?.into())
    }

    /// How often it runs, and what that means for the source's warehouse.
    async fn pace(&self, ctx: &Context<'_>) -> Result<SchedulePace> {
        let schedule = schedule::Schedule::parse(&self.0.schedule).map_err(Fault::from)?;
        let Source(source) = must(ctx, self.0.source_id).await?;
        Ok(paced(ctx, &schedule, &source).map_err(Fault::from)?)
    }

    /// The most bytes one of its statements may bill; null where the source's limit holds.
    async fn maximum_bytes_billed(&self) -> Option<BigInt> {
        self.0.maximum_bytes_billed.map(BigInt)
    }

    /// When it is next due; null while it is paused.
    async fn next_due_at(&self) -> Option<DateTime> {
        self.0.next_due_at.filter(|_| self.in_use()).map(DateTime)
    }

    /// Whether it may run; it waits all the same where its table has changed, as the reason tells, until it is resumed or
    /// a run succeeds.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Why it does not run.
    async fn paused_reason(&self) -> Option<&str> {
        self.0.paused_reason.as_deref()
    }

    /// Whether its data is up to date.
    async fn freshness(&self, ctx: &Context<'_>) -> Result<Freshness> {
        Ok(self.judged(ctx).await?.into())
    }

    /// Seconds since the last successful run ended.
    async fn lag_seconds(&self, ctx: &Context<'_>) -> Option<i32> {
        let lag = ctx.now() - self.0.last_succeeded_at?;
        Some(i32::try_from(lag.max(0) / SECOND).unwrap_or(i32::MAX))
    }

    /// When a run last succeeded.
    async fn last_succeeded_at(&self) -> Option<DateTime> {
        self.0.last_succeeded_at.map(DateTime)
    }

    /// The newest run.
    async fn last_run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, Some(LastRunOf(self.0.id))).await
    }

    /// The sync that is queued or running.
    async fn live_run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, Some(LiveRunOf(self.0.id))).await
    }

    /// Its runs, newest first.
    async fn runs(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<SyncRun>> {
        nested::<RunsOf, _>(ctx, PageArgs::new(first, after, last, before), Key::Uuid(self.0.id.0)).await
    }

    /// Whether and when it is compared with its table by itself.
    async fn reconcile(&self, ctx: &Context<'_>) -> Result<ReconcileSetting> {
        let stored = load(ctx, ReconcileSettingOf(self.0.id)).await?;
        Ok(stored.map(Setting::from).unwrap_or_default().into())
    }

    /// How it compared with its table, newest first.
    async fn reconciles(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<Reconcile>> {
        nested::<ReconcilesOf, _>(ctx, PageArgs::new(first, after, last, before), Key::Uuid(self.0.id.0))
            .await
    }

    /// How far it has read; null before the first batch.
    async fn checkpoint(&self, ctx: &Context<'_>) -> Result<Option<Checkpoint>> {
        let stored = load(ctx, CheckpointOf(self.0.id)).await?;
        Ok(checkpoint::current(&self.0, stored).map(Checkpoint::from))
    }

    /// Readings that wait for an account or a link.
    async fn unmatched_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        ctx.need(Permission::UnmatchedRead)?;
        Ok(BigInt(load(ctx, UnmatchedIn(self.0.id)).await?.unwrap_or_default()))
    }

    /// Rows that could not be decoded.
    async fn rejected_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        ctx.need(Permission::UnmatchedRead)?;
        Ok(BigInt(load(ctx, RejectedIn(self.0.id)).await?.unwrap_or_default()))
    }

    /// Grows with each change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
}

impl Stream {
    fn reading(&self) -> Result<Reading> {
        Reading::stored(&self.0).map_err(|error| Fault::from(error).into())
    }
}

/// The streams of a source.
pub struct StreamsOf;

impl Nested for StreamsOf {
    type Entity = Entity;
    const NAME: &'static str = "source.streams";
    const READ: Permission = Permission::SourcesRead;

    fn parent() -> Column {
        Column::SourceId
    }

    fn order() -> Order<Entity> {
        Order::ascending([Column::Name, Column::Id])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::kept(organization)
    }
}

/// Which streams.
#[derive(InputObject, Default)]
pub struct StreamWhere {
    /// Part of the name.
    pub search: Option<String>,
    /// Only of this source.
    pub source_id: Option<Global<SourceId>>,
    /// Only those that may or may not run.
    pub enabled: Option<bool>,
}

/// The queries about streams.
#[derive(Default)]
pub struct StreamQuery;

#[Object]
impl StreamQuery {
    /// The streams, by name.
    async fn streams(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<StreamWhere>,
    ) -> Result<Page<Stream>> {
        let organization = ctx.need(Permission::SourcesRead)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let mut rows = Entity::kept(organization);
        if let Some(text) = &wanted.search {
            rows = rows.filter(contains(Column::Name, text));
        }
        if let Some(source) = wanted.source_id {
            rows = rows.filter(Column::SourceId.eq(source.0));
        }
        if let Some(enabled) = wanted.enabled {
            rows = rows.filter(Column::Enabled.eq(enabled));
        }
        let order = Order::ascending([Column::Name, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["streams", &filters], order, rows).await
    }

    /// One stream.
    async fn stream(&self, ctx: &Context<'_>, id: Global<StreamId>) -> Result<Option<Stream>> {
        maybe(ctx, Some(id.0)).await
    }
}
