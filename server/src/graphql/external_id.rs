//! External IDs.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object, Result};
use entity::AccountId;
use entity::external_id::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::auth::Permission;
use crate::graphql::account::Account;
use crate::graphql::context::must;
use crate::graphql::id::global;
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::scalar::DateTime;

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

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}
