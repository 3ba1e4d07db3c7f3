//! Inputs.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result};
use entity::input::{Column, Entity, Model};
use entity::{InputId, OpportunityId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::auth::Permission;
use crate::domain::input::{self, InputChange, NewInput};
use crate::graphql::context::{Work, load, maybe, must};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::metric_link::{LinkInto, MetricLink};
use crate::graphql::opportunity::Opportunity;
use crate::graphql::payload::payload;
use crate::graphql::scalar::{DateTime, Decimal};
use crate::graphql::series::{Series, SeriesOf};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Input(pub Model);

impl From<Model> for Input {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A quantity inside an opportunity.
#[Object]
impl Input {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The opportunity.
    async fn opportunity(&self, ctx: &Context<'_>) -> Result<Opportunity> {
        must(ctx, self.0.opportunity_id).await
    }

    /// The name, unique in the opportunity.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The unit.
    async fn unit(&self) -> Option<&str> {
        self.0.unit.as_deref()
    }

    /// A constant, or a series of measurements.
    async fn kind(&self) -> InputKind {
        self.0.kind.into()
    }

    /// The constant.
    async fn constant_value(&self) -> Option<Decimal> {
        self.0.constant_value.clone().map(Decimal)
    }

    /// The link that feeds it.
    async fn metric_link(&self, ctx: &Context<'_>) -> Result<Option<MetricLink>> {
        maybe(ctx, Some(LinkInto(self.0.id))).await
    }

    /// The series that feed it.
    async fn series(&self, ctx: &Context<'_>) -> Result<Vec<Series>> {
        let Some(link) = load(ctx, LinkInto(self.0.id)).await? else { return Ok(Vec::new()) };
        let rows = load(ctx, SeriesOf(link.account_id, link.metric_id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Series::from).collect())
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

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::InputKind")]
pub enum InputKind {
    /// One typed value.
    Constant,
    /// Measurements over time.
    Series,
}

/// Asks for the inputs of an opportunity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InputsOf(pub OpportunityId);

impl Loader<InputsOf> for Fetch {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[InputsOf]) -> std::result::Result<HashMap<InputsOf, Vec<Model>>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::OpportunityId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(Column::Name)
            .order_by_asc(Column::Id)
            .all(self.db())
            .await?;
        let mut found: HashMap<InputsOf, Vec<Model>> = HashMap::new();
        for row in rows {
            found.entry(InputsOf(row.opportunity_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The queries about inputs.
#[derive(Default)]
pub struct InputQuery;

#[Object]
impl InputQuery {
    /// One input.
    async fn input(&self, ctx: &Context<'_>, id: Global<InputId>) -> Result<Option<Input>> {
        maybe(ctx, Some(id.0)).await
    }
}

/// The input of `inputCreate`.
#[derive(InputObject)]
struct InputCreateInput {
    /// The opportunity.
    opportunity_id: Global<OpportunityId>,
    /// The name.
    name: String,
    /// The unit.
    unit: Option<String>,
    /// A constant, or a series of measurements.
    #[graphql(default_with = "InputKind::Series")]
    kind: InputKind,
    /// The constant.
    constant_value: Option<Decimal>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `inputCreate`.
    InputCreatePayload {
        /// The result; null when refused.
        input: Input
    }
}

/// The input of `inputUpdate`.
#[derive(InputObject)]
struct InputUpdateInput {
    /// The input.
    id: Global<InputId>,
    /// A new name.
    name: Option<String>,
    /// A new unit; null removes it.
    unit: MaybeUndefined<String>,
    /// A new constant.
    constant_value: Option<Decimal>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `inputUpdate`.
    InputUpdatePayload {
        /// The result; null when refused.
        input: Input
    }
}

/// The input of `inputArchive`.
#[derive(InputObject)]
struct InputArchiveInput {
    /// The input.
    id: Global<InputId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `inputArchive`.
    InputArchivePayload {
        /// The result; null when refused.
        input: Input
    }
}

/// The input of `inputRestore`.
#[derive(InputObject)]
struct InputRestoreInput {
    /// The input.
    id: Global<InputId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `inputRestore`.
    InputRestorePayload {
        /// The result; null when refused.
        input: Input
    }
}

/// The mutations of inputs.
#[derive(Default)]
pub struct InputMutation;

#[Object]
impl InputMutation {
    /// Adds an input to an opportunity.
    async fn input_create(&self, ctx: &Context<'_>, input: InputCreateInput) -> Result<InputCreatePayload> {
        let mut work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return input::find(&work.change(), id).await;
            }
            let new = NewInput {
                opportunity: input.opportunity_id.0,
                name: input.name,
                unit: input.unit,
                kind: input.kind.into(),
                constant_value: input.constant_value.map(|value| value.0),
            };
            let made = input::create(&work.change(), new).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes an input.
    async fn input_update(&self, ctx: &Context<'_>, input: InputUpdateInput) -> Result<InputUpdatePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let wanted = InputChange {
            name: input.name,
            unit: input.unit.into(),
            constant_value: input.constant_value.map(|value| value.0),
        };
        let made = input::update(&work.change(), input.id.0, wanted, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Archives an input.
    async fn input_archive(
        &self,
        ctx: &Context<'_>,
        input: InputArchiveInput,
    ) -> Result<InputArchivePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = input::set_archived(&work.change(), input.id.0, true, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Brings an archived input back.
    async fn input_restore(
        &self,
        ctx: &Context<'_>,
        input: InputRestoreInput,
    ) -> Result<InputRestorePayload> {
        let work = Work::begin(ctx, Permission::AccountsWrite).await?;
        let made = input::set_archived(&work.change(), input.id.0, false, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }
}
