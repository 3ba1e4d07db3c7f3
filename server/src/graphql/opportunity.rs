//! Opportunities.

use async_graphql::{Context, ID, InputObject, InputType, MaybeUndefined, Object, Result};
use entity::opportunity::{Column, Entity, Model};
use entity::{AccountId, OpportunityId, OrganizationId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

use crate::auth::Permission;
use crate::domain::opportunity::{self, OpportunityChange};
use crate::graphql::account::Account;
use crate::graphql::context::{Reach, Work, load, maybe, must};
use crate::graphql::id::{Global, global};
use crate::graphql::input::{Input, InputsOf};
use crate::graphql::loaders::Nested;
use crate::graphql::page::{Page, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::search::contains;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Opportunity(pub Model);

impl From<Model> for Opportunity {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The business case of an account.
#[Object]
impl Opportunity {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account> {
        must(ctx, self.0.account_id).await
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its ID in another system, unique in the organization.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Its inputs, by name.
    async fn inputs(&self, ctx: &Context<'_>) -> Result<Vec<Input>> {
        let rows = load(ctx, InputsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Input::from).collect())
    }

    /// When it was archived.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(DateTime)
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

/// The opportunities of an account.
pub struct OpportunitiesOf;

impl Nested for OpportunitiesOf {
    type Entity = Entity;
    const NAME: &'static str = "account.opportunities";
    const READ: Permission = Permission::AccountsRead;

    fn parent() -> Column {
        Column::AccountId
    }

    fn order() -> Order<Entity> {
        Order::ascending([Column::Name, Column::Id])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::find().filter(Column::OrganizationId.eq(organization))
    }
}

/// Which opportunities.
#[derive(InputObject, Default)]
pub struct OpportunityWhere {
    /// Part of the name.
    pub search: Option<String>,
    /// Only of this account.
    pub account_id: Option<Global<AccountId>>,
    /// Only with this ID in another system.
    pub external_id: Option<String>,
    /// Archived ones, or those that are not; left out, those that are not.
    pub archived: Option<bool>,
}

/// The queries about opportunities.
#[derive(Default)]
pub struct OpportunityQuery;

#[Object]
impl OpportunityQuery {
    /// The opportunities, by name.
    async fn opportunities(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<OpportunityWhere>,
    ) -> Result<Page<Opportunity>> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let filters = r#where.to_value().to_string();
        let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
        let wanted = r#where.unwrap_or_default();
        rows = rows.filter(match wanted.archived {
            Some(true) => Column::ArchivedAt.is_not_null(),
            _ => Column::ArchivedAt.is_null(),
        });
        if let Some(text) = &wanted.search {
            rows = rows.filter(contains(Column::Name, text));
        }
        if let Some(account) = wanted.account_id {
            rows = rows.filter(Column::AccountId.eq(account.0));
        }
        if let Some(external_id) = wanted.external_id {
            rows = rows.filter(Column::ExternalId.eq(external_id));
        }
        let order = Order::ascending([Column::Name, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["opportunities", &filters], order, rows).await
    }

    /// One opportunity.
    async fn opportunity(&self, ctx: &Context<'_>, id: Global<OpportunityId>) -> Result<Option<Opportunity>> {
        maybe(ctx, Some(id.0)).await
    }
}

/// The input of `opportunityCreate`.
#[derive(InputObject)]
struct OpportunityCreateInput {
    /// The account.
    account_id: Global<AccountId>,
    /// The name.
    name: String,
    /// Its ID in another system.
    external_id: Option<String>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `opportunityCreate`.
    OpportunityCreatePayload {
        /// The result; null when refused.
        opportunity: Opportunity
    }
}

/// The input of `opportunityUpdate`.
#[derive(InputObject)]
struct OpportunityUpdateInput {
    /// The opportunity.
    id: Global<OpportunityId>,
    /// A new name.
    name: Option<String>,
    /// A new external ID; null removes it.
    external_id: MaybeUndefined<String>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `opportunityUpdate`.
    OpportunityUpdatePayload {
        /// The result; null when refused.
        opportunity: Opportunity
    }
}

/// The input of `opportunityArchive`.
#[derive(InputObject)]
struct OpportunityArchiveInput {
    /// The opportunity.
    id: Global<OpportunityId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `opportunityArchive`.
    OpportunityArchivePayload {
        /// The result; null when refused.
        opportunity: Opportunity
    }
}

/// The input of `opportunityRestore`.
#[derive(InputObject)]
struct OpportunityRestoreInput {
    /// The opportunity.
    id: Global<OpportunityId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `opportunityRestore`.
    OpportunityRestorePayload {
        /// The result; null when refused.
        opportunity: Opportunity
    }
}

/// The mutations of opportunities.
#[derive(Default)]
pub struct OpportunityMutation;

#[Object]
impl OpportunityMutation {
    /// Adds an opportunity.
    async fn opportunity_create(
        &self,
        ctx: &Context<'_>,
        input: OpportunityCreateInput,
    ) -> Result<OpportunityCreatePayload> {
        let mut work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return opportunity::find(&work.change(), id).await;
            }
            let (account, name) = (input.account_id.0, &input.name);
            let made = opportunity::create(&work.change(), account, name, input.external_id.clone()).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes an opportunity.
    async fn opportunity_update(
        &self,
        ctx: &Context<'_>,
        input: OpportunityUpdateInput,
    ) -> Result<OpportunityUpdatePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let wanted = OpportunityChange { name: input.name, external_id: input.external_id.into() };
        let made = opportunity::update(&work.change(), input.id.0, wanted, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Archives an opportunity.
    async fn opportunity_archive(
        &self,
        ctx: &Context<'_>,
        input: OpportunityArchiveInput,
    ) -> Result<OpportunityArchivePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = opportunity::set_archived(&work.change(), input.id.0, true, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Brings an archived opportunity back.
    async fn opportunity_restore(
        &self,
        ctx: &Context<'_>,
        input: OpportunityRestoreInput,
    ) -> Result<OpportunityRestorePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = opportunity::set_archived(&work.change(), input.id.0, false, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }
}
