//! Metric links.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, InputType, Object, Result};
use entity::metric_link::{Column, Entity, Model};
use entity::{
    AccountId, InputId, MetricId, MetricLinkId, OpportunityId, OrganizationId, account, input, metric,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use crate::auth::Permission;
use crate::graphql::account::Account;
use crate::graphql::context::{Reach, maybe, must};
use crate::graphql::id::{Global, global};
use crate::graphql::input::Input;
use crate::graphql::loaders::{Fetch, LoadError, Nested};
use crate::graphql::metric::Metric;
use crate::graphql::page::{Page, page};
use crate::graphql::scalar::DateTime;
use crate::graphql::search::contains;
use crate::graphql::user::User;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct MetricLink(pub Model);

impl From<Model> for MetricLink {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The rule that this metric of this account feeds that input.
#[Object]
impl MetricLink {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account> {
        must(ctx, self.0.account_id).await
    }

    /// The metric.
    async fn metric(&self, ctx: &Context<'_>) -> Result<Metric> {
        must(ctx, self.0.metric_id).await
    }

    /// The input.
    async fn input(&self, ctx: &Context<'_>) -> Result<Input> {
        must(ctx, self.0.input_id).await
    }

    /// Whether it is in force.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// A remark.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Who made it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.created_by).await
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

/// The metric links of an account.
pub struct LinksOf;

impl Nested for LinksOf {
    type Entity = Entity;
    const NAME: &'static str = "account.metricLinks";
    const READ: Permission = Permission::AccountsRead;

    fn parent() -> Column {
        Column::AccountId
    }

    fn order() -> Order<Entity> {
        Order::descending([Column::Id])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::find().filter(Column::OrganizationId.eq(organization))
    }
}

/// Asks for the link that feeds an input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LinkInto(pub InputId);

impl Loader<LinkInto> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, keys: &[LinkInto]) -> std::result::Result<HashMap<LinkInto, Model>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::InputId.is_in(keys.iter().map(|key| key.0)))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (LinkInto(row.input_id), row)).collect())
    }
}

/// Which metric links.
#[derive(InputObject, Default)]
pub struct MetricLinkWhere {
    /// Only of this account.
    pub account_id: Option<Global<AccountId>>,
    /// Only of this metric.
    pub metric_id: Option<Global<MetricId>>,
    /// Only into this opportunity.
    pub opportunity_id: Option<Global<OpportunityId>>,
    /// Only those in force, or not.
    pub enabled: Option<bool>,
    /// Part of the account's, metric's or input's name.
    pub search: Option<String>,
}

/// The queries about metric links.
#[derive(Default)]
pub struct MetricLinkQuery;

#[Object]
impl MetricLinkQuery {
    /// The metric links, newest first.
    async fn metric_links(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<MetricLinkWhere>,
    ) -> Result<Page<MetricLink>> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let filters = r#where.to_value().to_string();
        let rows = wanted(organization, r#where.unwrap_or_default());
        let order = Order::descending([Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["metricLinks", &filters], order, rows).await
    }

    /// One metric link.
    async fn metric_link(&self, ctx: &Context<'_>, id: Global<MetricLinkId>) -> Result<Option<MetricLink>> {
        maybe(ctx, Some(id.0)).await
    }
}

fn wanted(organization: OrganizationId, wanted: MetricLinkWhere) -> Select<Entity> {
    let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
    if let Some(account) = wanted.account_id {
        rows = rows.filter(Column::AccountId.eq(account.0));
    }
    if let Some(metric) = wanted.metric_id {
        rows = rows.filter(Column::MetricId.eq(metric.0));
    }
    if let Some(enabled) = wanted.enabled {
        rows = rows.filter(Column::Enabled.eq(enabled));
    }
    if let Some(opportunity) = wanted.opportunity_id {
        let inputs = input::Entity::find()
            .select_only()
            .column(input::Column::Id)
            .filter(input::Column::OrganizationId.eq(organization))
            .filter(input::Column::OpportunityId.eq(opportunity.0));
        rows = rows.filter(Column::InputId.in_subquery(inputs.into_query()));
    }
    if let Some(text) = &wanted.search {
        let accounts = account::Entity::find()
            .select_only()
            .column(account::Column::Id)
            .filter(account::Column::OrganizationId.eq(organization))
            .filter(contains(account::Column::Name, text));
        let metrics = metric::Entity::find()
            .select_only()
            .column(metric::Column::Id)
            .filter(metric::Column::OrganizationId.eq(organization))
            .filter(
                Condition::any()
                    .add(contains(metric::Column::Name, text))
                    .add(contains(metric::Column::ExternalId, text)),
            );
        let inputs = input::Entity::find()
            .select_only()
            .column(input::Column::Id)
            .filter(input::Column::OrganizationId.eq(organization))
            .filter(contains(input::Column::Name, text));
        let any = Condition::any()
            .add(Column::AccountId.in_subquery(accounts.into_query()))
            .add(Column::MetricId.in_subquery(metrics.into_query()))
            .add(Column::InputId.in_subquery(inputs.into_query()));
        rows = rows.filter(any);
    }
    rows
}
