//! Accounts.

use async_graphql::{Context, ID, InputObject, InputType, MaybeUndefined, Object, Result};
use entity::account::{Column, Entity, Model};
use entity::{AccountId, external_id};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::auth::Permission;
use crate::domain::account::{self, AccountChange, NewAccount};
use crate::graphql::context::{Reach, Work, load, maybe};
use crate::graphql::external_id::{ExternalId, IdsOf};
use crate::graphql::id::{Global, global};
use crate::graphql::metric_link::{LinksOf, MetricLink};
use crate::graphql::opportunity::{OpportunitiesOf, Opportunity};
use crate::graphql::page::{Page, nested, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::search::contains;
use crate::graphql::series::{Series, SeriesOfAccount};
use crate::graphql::window::{Key, Order, PageArgs};

/// A stored account on its way out.
#[derive(Clone)]
pub struct Account(pub Model);

impl From<Model> for Account {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A customer that is measured.
#[Object]
impl Account {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The web domain.
    async fn domain(&self) -> Option<&str> {
        self.0.domain.as_deref()
    }

    /// Its IDs in other systems.
    async fn external_ids(&self, ctx: &Context<'_>) -> Result<Vec<ExternalId>> {
        let rows = load(ctx, IdsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(ExternalId::from).collect())
    }

    /// Its opportunities, by name.
    async fn opportunities(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<Opportunity>> {
        nested::<OpportunitiesOf, _>(ctx, PageArgs::new(first, after, last, before), Key::Uuid(self.0.id.0))
            .await
    }

    /// Its metric links, newest first.
    async fn metric_links(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<MetricLink>> {
        nested::<LinksOf, _>(ctx, PageArgs::new(first, after, last, before), Key::Uuid(self.0.id.0)).await
    }

    /// Its series, oldest first.
    async fn series(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<Series>> {
        nested::<SeriesOfAccount, _>(ctx, PageArgs::new(first, after, last, before), Key::Uuid(self.0.id.0))
            .await
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

/// Which accounts.
#[derive(InputObject, Default)]
struct AccountWhere {
    /// Part of the name, domain or an external ID.
    search: Option<String>,
    /// Archived ones, or those that are not; left out, those that are not.
    archived: Option<bool>,
}

/// The queries about accounts.
#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// The accounts, by name.
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<AccountWhere>,
    ) -> Result<Page<Account>> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let archived = match wanted.archived {
            Some(true) => Column::ArchivedAt.is_not_null(),
            _ => Column::ArchivedAt.is_null(),
        };
        let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization)).filter(archived);
        if let Some(text) = &wanted.search {
            let by_external_id = external_id::Entity::find()
                .select_only()
                .column(external_id::Column::AccountId)
                .filter(external_id::Column::OrganizationId.eq(organization))
                .filter(contains(external_id::Column::Value, text));
            rows = rows.filter(
                Condition::any()
                    .add(contains(Column::Name, text))
                    .add(contains(Column::Domain, text))
                    .add(Column::Id.in_subquery(by_external_id.into_query())),
            );
        }
        let order = Order::ascending([Column::Name, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["accounts", &filters], order, rows).await
    }

    /// One account.
    async fn account(&self, ctx: &Context<'_>, id: Global<AccountId>) -> Result<Option<Account>> {
        maybe(ctx, Some(id.0)).await
    }
}

/// An external ID of a new account.
#[derive(InputObject)]
struct AccountExternalIdInput {
    /// The ID space.
    space: String,
    /// The ID as the other system has it.
    value: String,
}

/// The input of `accountCreate`.
#[derive(InputObject)]
struct AccountCreateInput {
    /// The name.
    name: String,
    /// The web domain.
    domain: Option<String>,
    /// Its IDs in other systems.
    #[graphql(default)]
    external_ids: Vec<AccountExternalIdInput>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

/// The input of `accountUpdate`.
#[derive(InputObject)]
struct AccountUpdateInput {
    /// The account.
    id: Global<AccountId>,
    /// A new name.
    name: Option<String>,
    /// A new domain; null removes it.
    domain: MaybeUndefined<String>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

/// The input of `accountArchive`.
#[derive(InputObject)]
struct AccountArchiveInput {
    /// The account.
    id: Global<AccountId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

/// The input of `accountRestore`.
#[derive(InputObject)]
struct AccountRestoreInput {
    /// The account.
    id: Global<AccountId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `accountCreate`.
    AccountCreatePayload {
        /// The result; null when refused.
        account: Account
    }
}

payload! {
    /// The answer of `accountUpdate`.
    AccountUpdatePayload {
        /// The result; null when refused.
        account: Account
    }
}

payload! {
    /// The answer of `accountArchive`.
    AccountArchivePayload {
        /// The result; null when refused.
        account: Account
    }
}

payload! {
    /// The answer of `accountRestore`.
    AccountRestorePayload {
        /// The result; null when refused.
        account: Account
    }
}

/// The mutations of accounts.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Adds an account.
    async fn account_create(
        &self,
        ctx: &Context<'_>,
        input: AccountCreateInput,
    ) -> Result<AccountCreatePayload> {
        let mut work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return account::find(&work.change(), id).await;
            }
            let external_ids = input.external_ids.into_iter().map(|id| (id.space, id.value)).collect();
            let new = NewAccount { name: input.name, domain: input.domain, external_ids };
            let made = account::create(&work.change(), new).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes an account.
    async fn account_update(
        &self,
        ctx: &Context<'_>,
        input: AccountUpdateInput,
    ) -> Result<AccountUpdatePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let wanted = AccountChange { name: input.name, domain: input.domain.into() };
        let made = account::update(&work.change(), input.id.0, wanted, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Archives an account.
    async fn account_archive(
        &self,
        ctx: &Context<'_>,
        input: AccountArchiveInput,
    ) -> Result<AccountArchivePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = account::set_archived(&work.change(), input.id.0, true, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Brings an archived account back.
    async fn account_restore(
        &self,
        ctx: &Context<'_>,
        input: AccountRestoreInput,
    ) -> Result<AccountRestorePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = account::set_archived(&work.change(), input.id.0, false, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }
}
