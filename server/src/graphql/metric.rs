//! Metrics.

use async_graphql::{Context, ID, InputObject, InputType, MaybeUndefined, Object, Result};
use entity::MetricId;
use entity::metric::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter};

use crate::auth::Permission;
use crate::domain::metric::{self, MetricChange};
use crate::graphql::context::{Reach, Work, maybe};
use crate::graphql::id::{Global, global};
use crate::graphql::page::{Page, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::search::contains;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Metric(pub Model);

impl From<Model> for Metric {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A named quantity.
#[Object]
impl Metric {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Its name in the streams, unique in the organization.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The unit.
    async fn unit(&self) -> Option<&str> {
        self.0.unit.as_deref()
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

/// Which metrics.
#[derive(InputObject, Default)]
pub struct MetricWhere {
    /// Part of the name or external ID.
    pub search: Option<String>,
}

/// The queries about metrics.
#[derive(Default)]
pub struct MetricQuery;

#[Object]
impl MetricQuery {
    /// The metrics, by external ID.
    async fn metrics(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<MetricWhere>,
    ) -> Result<Page<Metric>> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let filters = r#where.to_value().to_string();
        let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
        if let Some(text) = r#where.unwrap_or_default().search {
            rows = rows.filter(contains(Column::Name, &text).or(contains(Column::ExternalId, &text)));
        }
        let order = Order::ascending([Column::ExternalId, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["metrics", &filters], order, rows).await
    }

    /// One metric.
    async fn metric(&self, ctx: &Context<'_>, id: Global<MetricId>) -> Result<Option<Metric>> {
        maybe(ctx, Some(id.0)).await
    }
}

/// The input of `metricCreate`.
#[derive(InputObject)]
struct MetricCreateInput {
    /// Its name in the streams.
    external_id: String,
    /// Its name for people; the external ID when left out.
    name: Option<String>,
    /// The unit.
    unit: Option<String>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `metricCreate`.
    MetricCreatePayload {
        /// The result; null when refused.
        metric: Metric
    }
}

/// The input of `metricUpdate`.
#[derive(InputObject)]
struct MetricUpdateInput {
    /// The metric.
    id: Global<MetricId>,
    /// A new name.
    name: Option<String>,
    /// A new unit; null removes it.
    unit: MaybeUndefined<String>,
}

payload! {
    /// The answer of `metricUpdate`.
    MetricUpdatePayload {
        /// The result; null when refused.
        metric: Metric
    }
}

/// The mutations of metrics.
#[derive(Default)]
pub struct MetricMutation;

#[Object]
impl MetricMutation {
    /// Adds a metric before any row names it.
    async fn metric_create(
        &self,
        ctx: &Context<'_>,
        input: MetricCreateInput,
    ) -> Result<MetricCreatePayload> {
        let mut work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return metric::find(&work.change(), id).await;
            }
            let wanted = MetricChange { name: input.name, unit: Some(input.unit) };
            let made = metric::create(&work.change(), &input.external_id, wanted).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes a metric's name or unit.
    async fn metric_update(
        &self,
        ctx: &Context<'_>,
        input: MetricUpdateInput,
    ) -> Result<MetricUpdatePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let wanted = MetricChange { name: input.name, unit: input.unit.into() };
        let made = metric::update(&work.change(), input.id.0, wanted).await;
        Ok(work.end(made).await?.into())
    }
}
