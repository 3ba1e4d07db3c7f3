//! Measurements, with where they came from and what they replaced.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, InputObject, Object, Result};
use entity::measurement::{Column, Entity, Model};
use entity::{SeriesId, measurement_revision};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};

use crate::auth::Permission;
use crate::domain::measurement::{self, TYPED};
use crate::graphql::context::{Work, load, maybe, must};
use crate::graphql::error::Fault;
use crate::graphql::id::Global;
use crate::graphql::loaders::{Fetch, LoadError, union};
use crate::graphql::page::{Page, counting};
use crate::graphql::payload::payload;
use crate::graphql::scalar::{DateTime, Decimal};
use crate::graphql::series::Series;
use crate::graphql::sync_run::{RunNumber, SyncRun};
use crate::graphql::window::{self, Order, PageArgs, Window};

/// Measurements in a page at most: they are small, and services read many.
const MOST: i32 = 1_000;

/// A stored row on its way out.
#[derive(Clone)]
pub struct Measurement(pub Model);

impl From<Model> for Measurement {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// One value at one time.
#[Object]
impl Measurement {
    /// Its series.
    async fn series(&self, ctx: &Context<'_>) -> Result<Series> {
        must(ctx, self.0.series_id).await
    }

    /// When it was measured.
    async fn measured_at(&self) -> DateTime {
        DateTime(self.0.measured_at)
    }

    /// The exact value.
    async fn value(&self) -> Decimal {
        Decimal(self.0.value.clone())
    }

    /// The interval it covers.
    async fn period(&self) -> Option<&str> {
        self.0.period.as_deref()
    }

    /// Whether a person typed it.
    async fn typed(&self) -> bool {
        self.0.run == TYPED
    }

    /// The run that wrote it.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, RunNumber::of(self.0.run)).await
    }

    /// The row it came from.
    async fn row_key(&self) -> &str {
        &self.0.row_key
    }

    /// Earlier values, newest first.
    async fn revisions(&self, ctx: &Context<'_>) -> Result<Vec<MeasurementRevision>> {
        let key = RevisionsOf(self.0.series_id, self.0.measured_at);
        let rows = load(ctx, key).await?.unwrap_or_default();
        Ok(rows.into_iter().map(MeasurementRevision::from).collect())
    }
}

/// A stored row on its way out.
#[derive(Clone)]
pub struct MeasurementRevision(pub measurement_revision::Model);

impl From<measurement_revision::Model> for MeasurementRevision {
    fn from(model: measurement_revision::Model) -> Self {
        Self(model)
    }
}

/// An earlier value of a measurement, or one that was refused.
#[Object]
impl MeasurementRevision {
    /// The exact value.
    async fn value(&self) -> Decimal {
        Decimal(self.0.value.clone())
    }

    /// The interval it covered.
    async fn period(&self) -> Option<&str> {
        self.0.period.as_deref()
    }

    /// Whether a person typed it.
    async fn typed(&self) -> bool {
        self.0.run == TYPED
    }

    /// The run that wrote it.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, RunNumber::of(self.0.run)).await
    }

    /// The row it came from.
    async fn row_key(&self) -> &str {
        &self.0.row_key
    }

    /// Why it is not the value.
    async fn reason(&self) -> RevisionReason {
        self.0.reason.into()
    }

    /// The run that replaced it; null when a person did.
    async fn replaced_by(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, RunNumber::of(self.0.replaced_by_run)).await
    }

    /// When it was replaced or refused.
    async fn replaced_at(&self) -> DateTime {
        DateTime(self.0.replaced_at)
    }
}

/// Why a value is not the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::RevisionReason")]
pub enum RevisionReason {
    /// A newer value took its place.
    Replaced,
    /// A typed value was kept against it.
    Conflict,
}

/// A window into the measurements of a series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Span {
    series: SeriesId,
    since: Option<i64>,
    until: Option<i64>,
    window: Window,
}

impl Span {
    fn rows(&self) -> Select<Entity> {
        within(Entity::find().filter(Column::SeriesId.eq(self.series)), self.since, self.until)
    }

    fn order() -> Order<Entity> {
        Order::ascending([Column::MeasuredAt])
    }
}

/// Measurements from `since` on and before `until`.
fn within(mut rows: Select<Entity>, since: Option<i64>, until: Option<i64>) -> Select<Entity> {
    if let Some(since) = since {
        rows = rows.filter(Column::MeasuredAt.gte(since));
    }
    if let Some(until) = until {
        rows = rows.filter(Column::MeasuredAt.lt(until));
    }
    rows
}

impl Loader<Span> for Fetch {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, spans: &[Span]) -> std::result::Result<HashMap<Span, Vec<Model>>, LoadError> {
        self.organization(Permission::MeasurementsRead)?;
        let mut found: HashMap<Span, Vec<Model>> = HashMap::new();
        for part in spans.chunks(200) {
            let order = Span::order();
            let branches = part.iter().map(|span| span.window.apply(span.rows(), &order).into_query());
            for (index, model) in union::<Entity>(self.db(), branches).await? {
                found.entry(part[index].clone()).or_default().push(model);
            }
        }
        Ok(found)
    }
}

/// A page of the measurements of a series that the viewer may see, from `since` on and before `until`.
pub async fn measurements(
    ctx: &Context<'_>,
    series: SeriesId,
    args: PageArgs,
    since: Option<DateTime>,
    until: Option<DateTime>,
) -> Result<Page<Measurement>> {
    let (since, until) = (since.map(|at| at.0), until.map(|at| at.0));
    let list = window::fingerprint(&["measurements", &format!("{series}:{since:?}:{until:?}")]);
    let window = args.window(&list, 1, MOST)?;
    let span = Span { series, since, until, window: window.clone() };
    let rows = load(ctx, span.clone()).await?.unwrap_or_default();
    let total = counting(move |ctx| {
        Box::pin(async move { Ok(load(ctx, CountOf { series, since, until }).await?.unwrap_or_default()) })
    });
    Page::of(rows, &window, &Span::order(), &list, total).map_err(|error| Fault::from(error).into())
}

/// Asks how many measurements a series has in a range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CountOf {
    series: SeriesId,
    since: Option<i64>,
    until: Option<i64>,
}

impl Loader<CountOf> for Fetch {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[CountOf]) -> std::result::Result<HashMap<CountOf, i64>, LoadError> {
        self.organization(Permission::MeasurementsRead)?;
        let mut ranges: HashMap<_, Vec<SeriesId>> = HashMap::new();
        for key in keys {
            ranges.entry((key.since, key.until)).or_default().push(key.series);
        }
        let mut found = HashMap::new();
        for ((since, until), series) in ranges {
            let rows = within(Entity::find().filter(Column::SeriesId.is_in(series)), since, until);
            let counts =
                rows.select_only().column(Column::SeriesId).column_as(Column::SeriesId.count(), "total");
            for row in self.db().query_all(&counts.group_by(Column::SeriesId).into_query()).await? {
                let series = row.try_get("", "series_id")?;
                found.insert(CountOf { series, since, until }, row.try_get("", "total")?);
            }
        }
        Ok(found)
    }
}

/// Asks for the newest measurement of a series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LatestOf(pub SeriesId);

impl Loader<LatestOf> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, keys: &[LatestOf]) -> std::result::Result<HashMap<LatestOf, Model>, LoadError> {
        self.organization(Permission::MeasurementsRead)?;
        let mut found = HashMap::new();
        for part in keys.chunks(200) {
            let newest = part.iter().map(|key| {
                let rows = Entity::find().filter(Column::SeriesId.eq(key.0));
                rows.order_by_desc(Column::MeasuredAt).limit(1).into_query()
            });
            for (_, model) in union::<Entity>(self.db(), newest).await? {
                found.insert(LatestOf(model.series_id), model);
            }
        }
        Ok(found)
    }
}

/// Asks for the revisions of a measurement: its series and time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RevisionsOf(SeriesId, i64);

impl Loader<RevisionsOf> for Fetch {
    type Value = Vec<measurement_revision::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[RevisionsOf],
    ) -> std::result::Result<HashMap<RevisionsOf, Self::Value>, LoadError> {
        use measurement_revision::Column as Revision;
        self.organization(Permission::MeasurementsRead)?;
        let mut times: HashMap<SeriesId, Vec<i64>> = HashMap::new();
        for key in keys {
            times.entry(key.0).or_default().push(key.1);
        }
        let any = times.into_iter().fold(Condition::any(), |any, (series, times)| {
            any.add(Revision::SeriesId.eq(series).and(Revision::MeasuredAt.is_in(times)))
        });
        let rows = measurement_revision::Entity::find()
            .filter(any)
            .order_by_desc(Revision::Id)
            .all(self.db())
            .await?;
        let mut found: HashMap<RevisionsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(RevisionsOf(row.series_id, row.measured_at)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The input of `measurementSet`.
#[derive(InputObject)]
struct MeasurementSetInput {
    /// The series.
    series_id: Global<SeriesId>,
    /// The time.
    measured_at: DateTime,
    /// The value.
    value: Decimal,
    /// The interval it covers.
    period: Option<String>,
}

payload! {
    /// The answer of `measurementSet`.
    MeasurementSetPayload {
        /// The result; null when refused.
        measurement: Measurement
    }
}

/// The mutation of measurements.
#[derive(Default)]
pub struct MeasurementMutation;

#[Object]
impl MeasurementMutation {
    /// Types one value into a series. No sync overwrites it silently.
    async fn measurement_set(
        &self,
        ctx: &Context<'_>,
        input: MeasurementSetInput,
    ) -> Result<MeasurementSetPayload> {
        let work = Work::begin(ctx, Permission::MeasurementsWrite).await?;
        let (series, at, value) = (input.series_id.0, input.measured_at.0, input.value.0);
        let made = measurement::set(&work.change(), series, at, value, input.period).await;
        Ok(work.end(made).await?.into())
    }
}
