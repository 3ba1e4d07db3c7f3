//! Sources: the object, its lists and its queries.

use async_graphql::{Context, Enum, ID, InputObject, InputType, Object, Result};
use connector::kinds;
use entity::SourceId;
use entity::source::{Column, Entity, Model};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::error::Error;
use crate::graphql::context::{Reach, load, maybe};
use crate::graphql::error::Fault;
use crate::graphql::id::{Global, global};
use crate::graphql::key_pair::{KeyPair, KeysOf};
use crate::graphql::page::{Page, nested, page};
use crate::graphql::problem::ConnectorProblem;
use crate::graphql::scalar::DateTime;
use crate::graphql::search::contains;
use crate::graphql::source_check::SourceCheck;
use crate::graphql::source_config::{SourceConfig, SourceKind};
use crate::graphql::source_setup::{SourceSetup, instructions, scripts};
use crate::graphql::stream::{Stream, StreamsOf};
use crate::graphql::stream_part::TableRefInput;
use crate::graphql::window::{Key, Order, PageArgs};
use crate::sources::config;

/// A stored row on its way out.
#[derive(Clone)]
pub struct Source(pub Model);

impl From<Model> for Source {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// One configured connection: kind, config and credential.
#[Object]
impl Source {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The name, unique in the organization.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Which kind of system it reads.
    async fn kind(&self) -> Result<SourceKind> {
        SourceKind::stored(&self.0.kind).map_err(|error| Fault::from(error).into())
    }

    /// The connection details without secrets.
    async fn config(&self) -> Result<SourceConfig> {
        SourceConfig::stored(&self.0).map_err(|error| Fault::from(error).into())
    }

    /// Whether a credential is stored.
    async fn has_secret(&self) -> bool {
        self.0.sealed_credential.is_some()
    }

    /// Whether its streams may run.
    async fn state(&self) -> SourceState {
        self.0.state.into()
    }

    /// The last connection test.
    async fn last_check(&self) -> Option<SourceCheck> {
        self.0.last_check.as_deref().and_then(SourceCheck::stored)
    }

    /// Why the last run could not use the source, until a run can, a test passes, or the source is changed. What is
    /// wrong with one table alone is told by its stream's runs.
    async fn problem(&self) -> Option<ConnectorProblem> {
        self.0.last_error.as_deref().and_then(ConnectorProblem::stored)
    }

    /// The key pairs by slot.
    async fn key_pairs(&self, ctx: &Context<'_>) -> Result<Vec<KeyPair>> {
        let rows = load(ctx, KeysOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(KeyPair::from).collect())
    }

    /// What it signs in with, as configured.
    async fn sign_in(&self) -> Result<SourceSignIn> {
        let told = config(&self.0).and_then(|config| Ok(kinds::sign_in(&self.0.kind, &config)?));
        told.map(SourceSignIn::from).map_err(|error| Fault::from(error).into())
    }

    /// Whether the system bills for the bytes a statement reads, so that a limit of them can be set.
    async fn bills_by_bytes(&self) -> Result<bool> {
        let least = kinds::least_billed(&self.0.kind).map_err(|error| Fault::from(Error::from(error)))?;
        Ok(least.is_some())
    }

    /// The scripts that let Weir read the tables named, or those of its streams; null where nothing is to be granted.
    async fn setup(
        &self,
        ctx: &Context<'_>,
        tables: Option<Vec<TableRefInput>>,
    ) -> Result<Option<SourceSetup>> {
        let tables = tables.map(|tables| tables.into_iter().map(Into::into).collect());
        Ok(scripts(ctx, &self.0, tables).await?.map(SourceSetup::from))
    }

    /// The page to send to the customer's data team, as Markdown: addresses, scripts, the public key. No secret is in
    /// it.
    async fn instructions(&self, ctx: &Context<'_>, tables: Option<Vec<TableRefInput>>) -> Result<String> {
        let tables = tables.map(|tables| tables.into_iter().map(Into::into).collect());
        instructions(ctx, &self.0, tables).await
    }

    /// Its streams, by name.
    async fn streams(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<Stream>> {
        nested::<StreamsOf, _>(ctx, PageArgs::new(first, after, last, before), Key::Uuid(self.0.id.0)).await
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

/// What a source signs in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "connector::setup::SignIn")]
pub enum SourceSignIn {
    /// Nothing.
    Nothing,
    /// A secret that a person types: a password, a token, a key file.
    Secret,
    /// A key pair made here; its public half is installed at the system.
    KeyPair,
}

/// Whether a source's streams may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::SourceState")]
pub enum SourceState {
    /// They may.
    Active,
    /// They may not.
    Paused,
}

/// Which sources.
#[derive(InputObject, Default)]
pub struct SourceWhere {
    /// Part of the name.
    pub search: Option<String>,
    /// Only of this kind.
    pub kind: Option<SourceKind>,
    /// Only in this state.
    pub state: Option<SourceState>,
}

/// The queries about sources.
#[derive(Default)]
pub struct SourceQuery;

#[Object]
impl SourceQuery {
    /// The sources, by name.
    async fn sources(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<SourceWhere>,
    ) -> Result<Page<Source>> {
        let organization = ctx.need(Permission::SourcesRead)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let mut rows = Entity::kept(organization);
        if let Some(text) = &wanted.search {
            rows = rows.filter(contains(Column::Name, text));
        }
        if let Some(kind) = wanted.kind {
            rows = rows.filter(Column::Kind.eq(kind.stored_word()));
        }
        if let Some(state) = wanted.state {
            rows = rows.filter(Column::State.eq(entity::SourceState::from(state)));
        }
        let order = Order::ascending([Column::Name, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["sources", &filters], order, rows).await
    }

    /// One source.
    async fn source(&self, ctx: &Context<'_>, id: Global<SourceId>) -> Result<Option<Source>> {
        maybe(ctx, Some(id.0)).await
    }
}
