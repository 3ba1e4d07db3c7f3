//! External-ID settings.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::ExternalIdSettingId;
use entity::external_id_setting::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::auth::Permission;
use crate::domain::external_id_setting;
use crate::graphql::context::{Reach, Work, maybe};
use crate::graphql::error::Fault;
use crate::graphql::id::{Global, global};
use crate::graphql::id_space::{IdSpace, SpaceName};
use crate::graphql::page::{Page, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct ExternalIdSetting(pub Model);

impl From<Model> for ExternalIdSetting {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Which ID spaces a stream tries, in which order.
#[Object]
impl ExternalIdSetting {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The name, unique in the organization.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The spaces in order.
    async fn spaces(&self, ctx: &Context<'_>) -> Result<Vec<IdSpace>> {
        let names = external_id_setting::spaces(&self.0).map_err(Fault::from)?;
        let mut found = ctx.loader()?.load_many(names.iter().cloned().map(SpaceName)).await?;
        Ok(names.into_iter().filter_map(|name| found.remove(&SpaceName(name)).map(IdSpace)).collect())
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

/// The queries about external-ID settings.
#[derive(Default)]
pub struct ExternalIdSettingQuery;

#[Object]
impl ExternalIdSettingQuery {
    /// The external-ID settings, by name.
    async fn external_id_settings(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<ExternalIdSetting>> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let rows = Entity::find().filter(Column::OrganizationId.eq(organization));
        let order = Order::ascending([Column::Name, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["externalIdSettings"], order, rows).await
    }

    /// One external-ID setting.
    async fn external_id_setting(
        &self,
        ctx: &Context<'_>,
        id: Global<ExternalIdSettingId>,
    ) -> Result<Option<ExternalIdSetting>> {
        maybe(ctx, Some(id.0)).await
    }
}

/// The input of `externalIdSettingCreate`.
#[derive(InputObject)]
struct ExternalIdSettingCreateInput {
    /// The name.
    name: String,
    /// The ID spaces in order.
    spaces: Vec<String>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `externalIdSettingCreate`.
    ExternalIdSettingCreatePayload {
        /// The result; null when refused.
        external_id_setting: ExternalIdSetting
    }
}

/// The input of `externalIdSettingUpdate`.
#[derive(InputObject)]
struct ExternalIdSettingUpdateInput {
    /// The setting.
    id: Global<ExternalIdSettingId>,
    /// A new name.
    name: Option<String>,
    /// The ID spaces in order.
    spaces: Option<Vec<String>>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `externalIdSettingUpdate`.
    ExternalIdSettingUpdatePayload {
        /// The result; null when refused.
        external_id_setting: ExternalIdSetting
    }
}

/// The input of `externalIdSettingDelete`.
#[derive(InputObject)]
struct ExternalIdSettingDeleteInput {
    /// The setting.
    id: Global<ExternalIdSettingId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `externalIdSettingDelete`.
    ExternalIdSettingDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_external_id_setting_id: ID
    }
}

/// The mutations of external-ID settings.
#[derive(Default)]
pub struct ExternalIdSettingMutation;

#[Object]
impl ExternalIdSettingMutation {
    /// Adds an external-ID setting.
    async fn external_id_setting_create(
        &self,
        ctx: &Context<'_>,
        input: ExternalIdSettingCreateInput,
    ) -> Result<ExternalIdSettingCreatePayload> {
        let mut work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return external_id_setting::find(&work.change(), id).await;
            }
            let made = external_id_setting::create(&work.change(), &input.name, &input.spaces).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes an external-ID setting.
    async fn external_id_setting_update(
        &self,
        ctx: &Context<'_>,
        input: ExternalIdSettingUpdateInput,
    ) -> Result<ExternalIdSettingUpdatePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let (name, spaces, version) = (input.name, input.spaces, input.expected_version);
        let made = external_id_setting::update(&work.change(), input.id.0, name, spaces, version).await;
        Ok(work.end(made).await?.into())
    }

    /// Deletes an unused external-ID setting.
    async fn external_id_setting_delete(
        &self,
        ctx: &Context<'_>,
        input: ExternalIdSettingDeleteInput,
    ) -> Result<ExternalIdSettingDeletePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let gone = external_id_setting::delete(&work.change(), input.id.0, input.expected_version).await;
        Ok(work.end(gone.map(global)).await?.into())
    }
}
