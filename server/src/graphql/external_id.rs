//! External IDs.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::external_id::{Column, Entity, Model};
use entity::{AccountId, ExternalIdId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::auth::Permission;
use crate::domain::external_id;
use crate::error::Error;
use crate::graphql::account::Account;
use crate::graphql::context::{Work, maybe, must};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::user::User;

/// A stored external ID on its way out.
pub struct ExternalId(pub Model);

impl From<Model> for ExternalId {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Asks for the external IDs of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdsOf(pub AccountId);

impl Loader<IdsOf> for Fetch {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[IdsOf]) -> std::result::Result<HashMap<IdsOf, Vec<Model>>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::AccountId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(Column::Space)
            .order_by_asc(Column::Value)
            .all(self.db())
            .await?;
        let mut found: HashMap<IdsOf, Vec<Model>> = HashMap::new();
        for row in rows {
            found.entry(IdsOf(row.account_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// An account's ID in one ID space.
#[Object]
impl ExternalId {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account> {
        must(ctx, self.0.account_id).await
    }

    /// The ID space.
    async fn space(&self) -> &str {
        &self.0.space
    }

    /// The ID as given.
    async fn value(&self) -> &str {
        &self.0.value
    }

    /// The ID as compared.
    async fn normalized(&self) -> &str {
        &self.0.normalized
    }

    /// Who added it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.created_by).await
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// The input of `externalIdCreate`.
#[derive(InputObject)]
struct ExternalIdCreateInput {
    /// The account.
    account_id: Global<AccountId>,
    /// The ID space.
    space: String,
    /// The ID as the other system has it.
    value: String,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `externalIdCreate`.
    ExternalIdCreatePayload {
        /// The result; null when refused.
        external_id: ExternalId
    }
}

/// The input of `externalIdUpdate`.
#[derive(InputObject)]
struct ExternalIdUpdateInput {
    /// The external ID.
    id: Global<ExternalIdId>,
    /// The account it belongs to from now on.
    account_id: Global<AccountId>,
}

payload! {
    /// The answer of `externalIdUpdate`.
    ExternalIdUpdatePayload {
        /// The result; null when refused.
        external_id: ExternalId
    }
}

/// The input of `externalIdDelete`.
#[derive(InputObject)]
struct ExternalIdDeleteInput {
    /// The external ID.
    id: Global<ExternalIdId>,
}

payload! {
    /// The answer of `externalIdDelete`.
    ExternalIdDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_external_id_id: ID
    }
}

/// The mutations of external IDs.
#[derive(Default)]
pub struct ExternalIdMutation;

#[Object]
impl ExternalIdMutation {
    /// Gives an account an external ID. Rows that waited for it are matched.
    async fn external_id_create(
        &self,
        ctx: &Context<'_>,
        input: ExternalIdCreateInput,
    ) -> Result<ExternalIdCreatePayload> {
        let mut work = Work::begin(ctx, Permission::LinksWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return external_id::find(&work.change(), id).await;
            }
            let (space, value) = (input.space.clone(), input.value.clone());
            let new = external_id::NewExternalId { space, value, field: String::new() };
            let made = external_id::create(&work.change(), input.account_id.0, &[new]).await?;
            let made = made.into_iter().next().ok_or(Error::NotFound("external ID"))?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Moves an external ID to another account, with its series.
    async fn external_id_update(
        &self,
        ctx: &Context<'_>,
        input: ExternalIdUpdateInput,
    ) -> Result<ExternalIdUpdatePayload> {
        let work = Work::begin(ctx, Permission::LinksWrite).await?;
        let made = external_id::assign(&work.change(), input.id.0, input.account_id.0).await;
        Ok(work.end(made).await?.into())
    }

    /// Takes an external ID away.
    async fn external_id_delete(
        &self,
        ctx: &Context<'_>,
        input: ExternalIdDeleteInput,
    ) -> Result<ExternalIdDeletePayload> {
        let work = Work::begin(ctx, Permission::LinksWrite).await?;
        let gone = external_id::delete(&work.change(), input.id.0).await;
        Ok(work.end(gone.map(global)).await?.into())
    }
}
