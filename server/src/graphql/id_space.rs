//! ID spaces.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, InputObject, Object, Result};
use entity::external_id;
use entity::id_space::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use crate::auth::Permission;
use crate::domain::id_space;
use crate::graphql::context::{Reach, Work, load};
use crate::graphql::error::{Fault, outcome};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;

/// A stored row on its way out.
#[derive(Clone)]
pub struct IdSpace(pub Model);

impl From<Model> for IdSpace {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A family of external IDs with one normalization.
#[Object]
impl IdSpace {
    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How IDs are made comparable.
    async fn normalizer(&self) -> Normalizer {
        self.0.normalizer.into()
    }

    /// How many external IDs it holds.
    async fn external_id_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = load(ctx, IdsIn(self.0.name.clone())).await?.unwrap_or_default();
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// How IDs of a space are made comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::Normalizer")]
pub enum Normalizer {
    /// Trimmed, nothing else.
    Exact,
    /// Trimmed, case ignored.
    Lowercase,
    /// 15 and 18 characters are one ID; the checksum is verified.
    Salesforce,
    /// Leading zeros and `.0` are dropped.
    Numeric,
}

/// Asks for an ID space by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SpaceName(pub String);

impl Loader<SpaceName> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, names: &[SpaceName]) -> std::result::Result<HashMap<SpaceName, Model>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::Name.is_in(names.iter().map(|name| name.0.as_str())))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (SpaceName(row.name.clone()), row)).collect())
    }
}

/// Asks how many external IDs a space holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct IdsIn(String);

impl Loader<IdsIn> for Fetch {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, spaces: &[IdsIn]) -> std::result::Result<HashMap<IdsIn, i64>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let query = external_id::Entity::find()
            .select_only()
            .column(external_id::Column::Space)
            .column_as(external_id::Column::Id.count(), "count")
            .filter(external_id::Column::OrganizationId.eq(organization))
            .filter(external_id::Column::Space.is_in(spaces.iter().map(|space| space.0.as_str())))
            .group_by(external_id::Column::Space);
        let mut found = HashMap::new();
        for row in self.db().query_all(&query.into_query()).await? {
            found.insert(IdsIn(row.try_get("", "space")?), row.try_get("", "count")?);
        }
        Ok(found)
    }
}

/// The queries about ID spaces.
#[derive(Default)]
pub struct IdSpaceQuery;

#[Object]
impl IdSpaceQuery {
    /// The ID spaces, by name.
    async fn id_spaces(&self, ctx: &Context<'_>) -> Result<Vec<IdSpace>> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization))
            .order_by_asc(Column::Name)
            .all(ctx.db())
            .await
            .map_err(Fault::from)?;
        Ok(rows.into_iter().map(IdSpace::from).collect())
    }
}

/// The input of `idSpaceCreate`.
#[derive(InputObject)]
struct IdSpaceCreateInput {
    /// Lower-case letters, digits and underscores.
    name: String,
    /// How IDs are made comparable.
    normalizer: Normalizer,
}

payload! {
    /// The answer of `idSpaceCreate`.
    IdSpaceCreatePayload {
        /// The result; null when refused.
        id_space: IdSpace
    }
}

/// The input of `idSpaceUpdate`.
#[derive(InputObject)]
struct IdSpaceUpdateInput {
    /// The space.
    name: String,
    /// How IDs are made comparable.
    normalizer: Normalizer,
}

payload! {
    /// The answer of `idSpaceUpdate`.
    IdSpaceUpdatePayload {
        /// The result; null when refused.
        id_space: IdSpace
    }
}

/// The input of `idSpaceDelete`.
#[derive(InputObject)]
struct IdSpaceDeleteInput {
    /// The space.
    name: String,
}

payload! {
    /// The answer of `idSpaceDelete`.
    IdSpaceDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_name: String
    }
}

/// The mutations of ID spaces.
#[derive(Default)]
pub struct IdSpaceMutation;

#[Object]
impl IdSpaceMutation {
    /// Adds an ID space.
    async fn id_space_create(
        &self,
        ctx: &Context<'_>,
        input: IdSpaceCreateInput,
    ) -> Result<IdSpaceCreatePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = id_space::create(&work.change(), &input.name, input.normalizer.into()).await;
        Ok(work.end(made).await?.into())
    }

    /// Gives an ID space another normalizer. Its external IDs, and what they decide, follow within moments.
    async fn id_space_update(
        &self,
        ctx: &Context<'_>,
        input: IdSpaceUpdateInput,
    ) -> Result<IdSpaceUpdatePayload> {
        let organization = ctx.need(Permission::AccountsWrite)?;
        let normalizer = input.normalizer.into();
        let checked = match id_space::check(ctx.db(), organization, &input.name, normalizer).await {
            Ok(checked) => checked,
            Err(error) => return Ok(outcome::<entity::id_space::Model>(Err(error))?.into()),
        };
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = id_space::update(&work.change(), &input.name, normalizer, checked).await;
        Ok(work.end(made).await?.into())
    }

    /// Deletes an unused ID space.
    async fn id_space_delete(
        &self,
        ctx: &Context<'_>,
        input: IdSpaceDeleteInput,
    ) -> Result<IdSpaceDeletePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let gone = id_space::delete(&work.change(), &input.name).await;
        Ok(work.end(gone).await?.into())
    }
}
