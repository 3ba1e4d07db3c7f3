//! Series.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, InputType, Object, Result};
use entity::series::{Column, Entity, Model};
use entity::{AccountId, InputId, MetricId, OrganizationId, SeriesId, StreamId, metric_link};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, Select};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::graphql::account::Account;
use crate::graphql::chart::{ChartOf, ChartPoint};
use crate::graphql::context::{Reach, load, maybe, must};
use crate::graphql::error::Fault;
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError, Nested};
use crate::graphql::measurement::{LatestOf, Measurement, measurements};
use crate::graphql::metric::Metric;
use crate::graphql::page::{Page, page};
use crate::graphql::scalar::DateTime;
use crate::graphql::stream::Stream;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Series(pub Model);

impl From<Model> for Series {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The measurements of one external account, metric and product in a stream.
#[Object]
impl Series {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The stream.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Stream> {
        must(ctx, self.0.stream_id).await
    }

    /// The metric.
    async fn metric(&self, ctx: &Context<'_>) -> Result<Metric> {
        must(ctx, self.0.metric_id).await
    }

    /// The account it is matched to.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        maybe(ctx, self.0.account_id).await
    }

    /// The account ID as the source first wrote it.
    async fn external_account(&self) -> &str {
        self.0.raw()
    }

    /// The product, or empty.
    async fn product(&self) -> &str {
        &self.0.product
    }

    /// The newest measurement.
    async fn latest(&self, ctx: &Context<'_>) -> Result<Option<Measurement>> {
        maybe(ctx, Some(LatestOf(self.0.id))).await
    }

    /// Its measurements by time. Pages of up to 1,000.
    async fn measurements(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        since: Option<DateTime>,
        until: Option<DateTime>,
    ) -> Result<Page<Measurement>> {
        measurements(ctx, self.0.id, PageArgs::new(first, after, last, before), since, until).await
    }

    /// The last measurement of each of at most so many equal intervals.
    async fn chart(
        &self,
        ctx: &Context<'_>,
        since: Option<DateTime>,
        until: Option<DateTime>,
        #[graphql(default = 200, validator(minimum = 1, maximum = 1000))] points: i32,
    ) -> Result<Vec<ChartPoint>> {
        let key =
            ChartOf { series: self.0.id, since: since.map(|at| at.0), until: until.map(|at| at.0), points };
        let rows = load(ctx, key).await?.unwrap_or_default();
        Ok(rows.into_iter().map(ChartPoint::from).collect())
    }

    /// When its first row came.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// The series of an account.
pub struct SeriesOfAccount;

impl Nested for SeriesOfAccount {
    type Entity = Entity;
    const NAME: &'static str = "account.series";
    const READ: Permission = Permission::MeasurementsRead;

    fn parent() -> Column {
        Column::AccountId
    }

    fn order() -> Order<Entity> {
        Order::ascending([Column::Id])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::kept(organization)
    }
}

/// Asks for the series of a metric of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeriesOf(pub AccountId, pub MetricId);

impl Loader<SeriesOf> for Fetch {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[SeriesOf]) -> std::result::Result<HashMap<SeriesOf, Vec<Model>>, LoadError> {
        let organization = self.organization(Permission::MeasurementsRead)?;
        let pairs = keys.iter().fold(Condition::any(), |any, key| {
            any.add(Column::AccountId.eq(key.0).and(Column::MetricId.eq(key.1)))
        });
        let rows = Entity::kept(organization).filter(pairs).order_by_asc(Column::Id).all(self.db()).await?;
        let mut found: HashMap<SeriesOf, Vec<Model>> = HashMap::new();
        for row in rows {
            if let Some(account) = row.account_id {
                found.entry(SeriesOf(account, row.metric_id)).or_default().push(row);
            }
        }
        Ok(found)
    }
}

/// Which series.
#[derive(InputObject, Default)]
pub struct SeriesWhere {
    /// Only of this account.
    pub account_id: Option<Global<AccountId>>,
    /// Only of this metric.
    pub metric_id: Option<Global<MetricId>>,
    /// Only of this stream.
    pub stream_id: Option<Global<StreamId>>,
    /// Only those that feed this input.
    pub input_id: Option<Global<InputId>>,
}

/// The queries about series.
#[derive(Default)]
pub struct SeriesQuery;

#[Object]
impl SeriesQuery {
    /// The series, oldest first.
    async fn series_list(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<SeriesWhere>,
    ) -> Result<Page<Series>> {
        let organization = ctx.need(Permission::MeasurementsRead)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let mut rows = Entity::kept(organization);
        if let Some(account) = wanted.account_id {
            rows = rows.filter(Column::AccountId.eq(account.0));
        }
        if let Some(metric) = wanted.metric_id {
            rows = rows.filter(Column::MetricId.eq(metric.0));
        }
        if let Some(stream) = wanted.stream_id {
            rows = rows.filter(Column::StreamId.eq(stream.0));
        }
        if let Some(input) = wanted.input_id {
            rows = rows.filter(feeds(organization, input.0));
        }
        let order = Order::ascending([Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["seriesList", &filters], order, rows).await
    }

    /// One series.
    async fn series(&self, ctx: &Context<'_>, id: Global<SeriesId>) -> Result<Option<Series>> {
        maybe(ctx, Some(id.0)).await
    }

    /// The measurements of one series by time. Pages of up to 1,000.
    async fn measurements(
        &self,
        ctx: &Context<'_>,
        series_id: Global<SeriesId>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        since: Option<DateTime>,
        until: Option<DateTime>,
    ) -> Result<Page<Measurement>> {
        let series: Series = maybe(ctx, Some(series_id.0)).await?.ok_or_else(|| {
            async_graphql::Error::from(Fault::from(crate::error::Error::NotFound("series")))
        })?;
        let args = PageArgs::new(first, after, last, before);
        measurements(ctx, series.0.id, args, since, until).await
    }
}

/// The series whose account and metric a link leads into the input.
fn feeds(organization: OrganizationId, input: InputId) -> SimpleExpr {
    let link = metric_link::Entity;
    let same = |one: metric_link::Column, other: Column| Expr::col((link, one)).equals((Entity, other));
    let linked = Query::select()
        .expr(Expr::val(1))
        .from(link)
        .and_where(Expr::col((link, metric_link::Column::OrganizationId)).eq(organization))
        .and_where(Expr::col((link, metric_link::Column::InputId)).eq(input))
        .and_where(same(metric_link::Column::AccountId, Column::AccountId))
        .and_where(same(metric_link::Column::MetricId, Column::MetricId))
        .to_owned();
    Expr::exists(linked)
}
