//! Operations: work that goes on after its mutation has answered.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, Object, Result};
use entity::OperationId;
use entity::operation::{Column, Entity, Model};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::auth::{Permission, Viewer};
use crate::graphql::context::{Reach, maybe};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::page::{Page, page};
use crate::graphql::scalar::{BigInt, DateTime, Json};
use crate::graphql::user::User;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Operation(pub Model);

impl From<Model> for Operation {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Work that goes on after its mutation has answered.
#[Object]
impl Operation {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// What it does.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Where it is.
    async fn status(&self) -> OperationStatus {
        self.0.status.into()
    }

    /// How much there is.
    async fn total(&self) -> BigInt {
        BigInt(self.0.total)
    }

    /// How much is done.
    async fn done(&self) -> BigInt {
        BigInt(self.0.done)
    }

    /// What came of it.
    async fn result(&self) -> Option<Json> {
        self.0.result.as_deref().map(Json::stored)
    }

    /// What went wrong.
    async fn errors(&self) -> Option<Json> {
        self.0.errors.as_deref().map(Json::stored)
    }

    /// Who asked for it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.created_by).await
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::OperationStatus")]
pub enum OperationStatus {
    /// Waiting.
    Queued,
    /// At work.
    Running,
    /// Done.
    Succeeded,
    /// Ended with errors.
    Failed,
}

/// People see their own operations; those who manage the organization see all.
fn visible(viewer: &Viewer) -> Condition {
    let mine = Condition::all().add(Column::OrganizationId.eq(viewer.organization));
    match viewer.user_id() {
        _ if viewer.permissions.has(Permission::Admin) => mine,
        Some(user) => mine.add(Column::CreatedBy.eq(user)),
        None => mine.add(Column::CreatedBy.is_null()),
    }
}

impl Loader<OperationId> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, ids: &[OperationId]) -> std::result::Result<HashMap<OperationId, Model>, LoadError> {
        let rows = Entity::find()
            .filter(visible(&self.viewer))
            .filter(Column::Id.is_in(ids.iter().copied()))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The queries about operations.
#[derive(Default)]
pub struct OperationQuery;

#[Object]
impl OperationQuery {
    /// Long-running work, newest first.
    async fn operations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<Operation>> {
        let rows = Entity::find().filter(visible(ctx.viewer()?));
        let order = Order::descending([Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["operations"], order, rows).await
    }

    /// One operation.
    async fn operation(&self, ctx: &Context<'_>, id: Global<OperationId>) -> Result<Option<Operation>> {
        maybe(ctx, Some(id.0)).await
    }
}
