//! Comparisons of streams with their tables: when, what differed, what became of it.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use connector::slice;
use entity::reconcile::{Column, Entity, Model};
use entity::{OrganizationId, ReconcileId, StreamId, reconcile_setting, reconcile_slice};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::domain::reconcile::{Gap, Setting};
use crate::domain::stream::connector_kind;
use crate::graphql::context::{load, maybe, must};
use crate::graphql::id::global;
use crate::graphql::loaders::{Fetch, LoadError, Nested};
use crate::graphql::scalar::{BigInt, DateTime, Decimal};
use crate::graphql::source_cost::SourceCost;
use crate::graphql::stream::Stream;
use crate::graphql::sync_run::{SyncRun, SyncRunTrigger};
use crate::graphql::user::User;
use crate::graphql::window::Order;

type Loaded<K, V> = std::result::Result<HashMap<K, V>, LoadError>;

/// Whether and when a stream is compared with its table by itself.
#[derive(SimpleObject)]
pub struct ReconcileSetting {
    /// Whether it is.
    enabled: bool,
    /// The time of day, `HH:MM`.
    at: String,
    /// The zone of that time.
    zone: String,
    /// How far back from the watermark: days, or for an integer cursor blocks of 100,000.
    days: i32,
    /// When it is next due.
    next_due_at: Option<DateTime>,
}

impl From<Setting> for ReconcileSetting {
    fn from(setting: Setting) -> Self {
        let Setting { enabled, time, zone, days, due_at } = setting;
        Self { enabled, at: time, zone, days, next_due_at: DateTime::some(due_at) }
    }
}

/// Asks for a stream's setting; none where nobody has changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReconcileSettingOf(pub StreamId);

impl Loader<ReconcileSettingOf> for Fetch {
    type Value = reconcile_setting::Model;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ReconcileSettingOf],
    ) -> Loaded<ReconcileSettingOf, reconcile_setting::Model> {
        let organization = self.organization(Permission::SourcesRead)?;
        let rows = reconcile_setting::Entity::find()
            .filter(reconcile_setting::Column::OrganizationId.eq(organization))
            .filter(reconcile_setting::Column::StreamId.is_in(keys.iter().map(|key| key.0)))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (ReconcileSettingOf(row.stream_id), row)).collect())
    }
}

/// A stored row on its way out.
#[derive(Clone)]
pub struct Reconcile(pub Model);

impl From<Model> for Reconcile {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// One comparison of what a stream took in with its table.
#[Object]
impl Reconcile {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Its stream.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Stream> {
        must(ctx, self.0.stream_id).await
    }

    /// What started it.
    async fn trigger(&self) -> SyncRunTrigger {
        self.0.trigger.into()
    }

    /// The lowest cursor compared; null before it was.
    async fn since(&self) -> Option<&str> {
        self.0.since.as_deref()
    }

    /// The highest cursor compared: the watermark.
    async fn until(&self) -> Option<&str> {
        self.0.until.as_deref()
    }

    /// When the table had told its sums.
    async fn compared_at(&self) -> Option<DateTime> {
        DateTime::some(self.0.compared_at)
    }

    /// Days, or blocks of integers, in which the table or Weir holds something.
    async fn slice_count(&self) -> BigInt {
        BigInt(self.0.slices)
    }

    /// Those that differed and were read again.
    async fn differing_count(&self) -> BigInt {
        BigInt(self.0.differing)
    }

    /// Those that differed as they did after they were last read again, and were left alone.
    async fn explained_count(&self) -> BigInt {
        BigInt(self.0.explained)
    }

    /// Readings that reading again stored as new or changed measurements.
    async fn written(&self) -> BigInt {
        BigInt(self.0.written)
    }

    /// What the table's sums cost at the source. Rows read again are counted with their runs.
    async fn cost(&self) -> SourceCost {
        SourceCost::from(&self.0)
    }

    /// What differed, in order.
    async fn slices(&self, ctx: &Context<'_>) -> Result<Vec<ReconcileSlice>> {
        let slices = load(ctx, SlicesOf(self.0.id)).await?.unwrap_or_default();
        Ok(slices.into_iter().map(ReconcileSlice).collect())
    }

    /// What went wrong; it may still be tried again.
    async fn error(&self) -> Option<ReconcileError> {
        let message = self.0.error_message.clone()?;
        Some(ReconcileError { message, action: self.0.error_action.clone() })
    }

    /// Who asked for it.
    async fn requested_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.requested_by).await
    }

    /// When it was asked for.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// When it ended; null while it is under way.
    async fn finished_at(&self) -> Option<DateTime> {
        DateTime::some(self.0.finished_at)
    }
}

/// Why a comparison did not end well.
#[derive(SimpleObject)]
pub struct ReconcileError {
    /// What happened, for a person.
    message: String,
    /// What to do about it.
    action: Option<String>,
}

/// A stored row on its way out.
pub struct ReconcileSlice(reconcile_slice::Model);

/// A day, or a block of integers, in which a table and what was taken in differed.
#[Object]
impl ReconcileSlice {
    /// The first cursor of the slice; null when the stream's cursor is another by now.
    async fn first(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.edges(ctx).await?.map(|(first, _)| first))
    }

    /// The last cursor of the slice.
    async fn last(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.edges(ctx).await?.map(|(_, last)| last))
    }

    /// Values in the table.
    async fn readings(&self) -> BigInt {
        BigInt(self.0.readings)
    }

    /// What the table held beyond what Weir had.
    async fn gap(&self) -> ReconcileGap {
        Gap::parse(&self.0.gap).unwrap_or_default().into()
    }

    /// What was left of it after the slice was read again; null when that has not succeeded.
    async fn rest(&self) -> Option<ReconcileGap> {
        self.0.rest.as_deref().and_then(Gap::parse).map(ReconcileGap::from)
    }

    /// The run that read it again.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, self.0.run_id).await
    }
}

impl ReconcileSlice {
    async fn edges(&self, ctx: &Context<'_>) -> Result<Option<(String, String)>> {
        let Some(stream) = load(ctx, self.0.stream_id).await? else { return Ok(None) };
        let edges = slice::edges(connector_kind(stream.cursor_kind), self.0.number);
        Ok(edges.map(|(first, last)| (first.text, last.text)))
    }
}

/// What a table holds beyond what Weir has; negative where Weir has more.
#[derive(SimpleObject)]
pub struct ReconcileGap {
    /// Values.
    readings: BigInt,
    /// Their sum; null where the table's cannot be told exactly, as with binary floats.
    sum: Option<Decimal>,
    /// Whether nothing differs.
    closed: bool,
}

impl From<Gap> for ReconcileGap {
    fn from(gap: Gap) -> Self {
        let sum = gap.sum.as_deref().and_then(|sum| sum.parse().ok()).map(Decimal);
        Self { readings: BigInt(gap.readings), sum, closed: gap.closed() }
    }
}

/// Asks for the slices of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SlicesOf(ReconcileId);

impl Loader<SlicesOf> for Fetch {
    type Value = Vec<reconcile_slice::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[SlicesOf]) -> Loaded<SlicesOf, Vec<reconcile_slice::Model>> {
        let organization = self.organization(Permission::SourcesRead)?;
        let rows = reconcile_slice::Entity::find()
            .filter(reconcile_slice::Column::OrganizationId.eq(organization))
            .filter(reconcile_slice::Column::ReconcileId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(reconcile_slice::Column::Number)
            .all(self.db())
            .await?;
        let mut found = HashMap::<SlicesOf, Vec<reconcile_slice::Model>>::new();
        for row in rows {
            found.entry(SlicesOf(row.reconcile_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The comparisons of a stream.
pub struct ReconcilesOf;

impl Nested for ReconcilesOf {
    type Entity = Entity;
    const NAME: &'static str = "stream.reconciles";
    const READ: Permission = Permission::SourcesRead;

    fn parent() -> Column {
        Column::StreamId
    }

    fn order() -> Order<Entity> {
        Order::descending([Column::Id])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::kept(organization)
    }
}
