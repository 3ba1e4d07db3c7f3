//! The organization and the viewer.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entity::organization::{Entity, Model};
use sea_orm::EntityTrait;

use crate::auth::{self, Actor, Viewer as Who};
use crate::domain::organization;
use crate::graphql::api_token::ApiToken;
use crate::graphql::context::{Reach, Work, maybe};
use crate::graphql::error::Fault;
use crate::graphql::id::global;
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::user::{Role, User};

/// A stored row on its way out.
#[derive(Clone)]
pub struct Organization(pub Model);

impl From<Model> for Organization {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The owner of everything else.
#[Object]
impl Organization {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether runs may start.
    async fn ingestion_enabled(&self) -> bool {
        self.0.ingestion_enabled
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// Who is asking.
pub struct Viewer(Who);

/// Who is asking.
#[Object]
impl Viewer {
    /// The signed-in person; null for an API token.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        // Whoever asks may see themselves, whatever else they may see.
        maybe(ctx, self.0.user_id().map(Own)).await
    }

    /// The API token; null for a person.
    async fn api_token(&self, ctx: &Context<'_>) -> Result<Option<ApiToken>> {
        match self.0.actor {
            Actor::Token { id, .. } => maybe(ctx, Some(Own(id))).await,
            _ => Ok(None),
        }
    }

    /// The organization the answer is about.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        own(ctx).await
    }

    /// The person's role; null for an API token.
    async fn role(&self) -> Option<Role> {
        self.0.role().map(Role::from)
    }

    /// What the viewer may do.
    async fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().map(Permission::from).collect()
    }
}

/// One right. API tokens carry them as scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "auth::Permission")]
pub enum Permission {
    /// See sources, streams and runs.
    SourcesRead,
    /// Add and change sources and streams.
    SourcesWrite,
    /// Set credentials and make keys.
    SecretsWrite,
    /// Start and cancel runs, move checkpoints.
    SyncsRun,
    /// See accounts, external IDs, opportunities, inputs, metrics and links.
    AccountsRead,
    /// Add and change accounts, opportunities, inputs, metrics and settings.
    AccountsWrite,
    /// Add and change external IDs and metric links.
    LinksWrite,
    /// See series and measurements.
    MeasurementsRead,
    /// Type measurements.
    MeasurementsWrite,
    /// See unmatched and rejected rows.
    UnmatchedRead,
    /// Link, ignore, assign, note and replay them.
    UnmatchedTriage,
    /// See the people of the organization.
    MembersRead,
    /// Manage people, API tokens and the organization, and see the audit log.
    Admin,
}

/// Asks for what belongs to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Own<T>(pub T);

/// The viewer's organization.
pub async fn own(ctx: &Context<'_>) -> Result<Organization> {
    let id = ctx.viewer()?.organization;
    let found = Entity::find_by_id(id).one(ctx.db()).await.map_err(Fault::from)?;
    let missing = || Fault::from(crate::error::Error::NotFound("organization"));
    found.map(Organization).ok_or_else(|| missing().into())
}

/// The queries about the viewer and their organization.
#[derive(Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// Who is asking, in which organization, with which permissions.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(ctx.viewer()?.clone()))
    }

    /// The viewer's organization.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        own(ctx).await
    }
}

/// The input of `organizationUpdate`.
#[derive(InputObject)]
struct OrganizationUpdateInput {
    /// A new name.
    name: Option<String>,
    /// Whether runs may start.
    ingestion_enabled: Option<bool>,
}

payload! {
    /// The answer of `organizationUpdate`.
    OrganizationUpdatePayload {
        /// The result; null when refused.
        organization: Organization
    }
}

/// The mutation of the organization.
#[derive(Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Renames the organization or switches ingestion on or off.
    async fn organization_update(
        &self,
        ctx: &Context<'_>,
        input: OrganizationUpdateInput,
    ) -> Result<OrganizationUpdatePayload> {
        let work = Work::begin(ctx, auth::Permission::Admin).await?;
        let made = organization::update(&work.change(), input.name, input.ingestion_enabled).await;
        Ok(work.end(made).await?.into())
    }
}
