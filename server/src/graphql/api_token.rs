//! API tokens.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use entity::ApiTokenId;
use entity::api_token::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::ExposeSecret;

use crate::auth;
use crate::domain::api_token;
use crate::graphql::context::{Reach, Work, maybe};
use crate::graphql::error::{Fault, UserError};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::organization::{Own, Permission};
use crate::graphql::page::{Page, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::user::User;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct ApiToken(pub Model);

impl From<Model> for ApiToken {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A secret another service signs in with. The secret itself is never shown again.
#[Object]
impl ApiToken {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How the secret starts.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// How the secret ends.
    async fn last4(&self) -> &str {
        &self.0.last4
    }

    /// What the token may do.
    async fn scopes(&self) -> Result<Vec<Permission>> {
        let scopes = api_token::scopes(&self.0).map_err(Fault::from)?;
        Ok(scopes.into_iter().map(Permission::from).collect())
    }

    /// Who made it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.created_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it stops working.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// When it was last used.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}

impl Loader<Own<ApiTokenId>> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[Own<ApiTokenId>],
    ) -> std::result::Result<HashMap<Own<ApiTokenId>, Model>, LoadError> {
        let own = ids.iter().map(|id| id.0).filter(|id| self.viewer.actor_id() == Some(id.0));
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(self.viewer.organization))
            .filter(Column::Id.is_in(own))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (Own(row.id), row)).collect())
    }
}

/// The queries about API tokens.
#[derive(Default)]
pub struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// The API tokens, newest first.
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<ApiToken>> {
        let organization = ctx.need(auth::Permission::Admin)?;
        let rows = Entity::find().filter(Column::OrganizationId.eq(organization));
        let order = Order::descending([Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["apiTokens"], order, rows).await
    }
}

/// The input of `apiTokenCreate`.
#[derive(InputObject)]
struct ApiTokenCreateInput {
    /// The name.
    name: String,
    /// What the token may do; never more than the viewer.
    scopes: Vec<Permission>,
    /// When it stops working.
    expires_at: Option<DateTime>,
}

/// The answer of `apiTokenCreate`.
#[derive(SimpleObject)]
struct ApiTokenCreatePayload {
    /// The result; null when refused.
    api_token: Option<ApiToken>,
    /// The secret, shown only here.
    secret: Option<String>,
    /// Why the request was refused, if it was.
    user_errors: Vec<UserError>,
}

/// The input of `apiTokenRevoke`.
#[derive(InputObject)]
struct ApiTokenRevokeInput {
    /// The token.
    id: Global<ApiTokenId>,
}

payload! {
    /// The answer of `apiTokenRevoke`.
    ApiTokenRevokePayload {
        /// The result; null when refused.
        api_token: ApiToken
    }
}

/// The mutations of API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes an API token. The secret is in this answer only.
    async fn api_token_create(
        &self,
        ctx: &Context<'_>,
        input: ApiTokenCreateInput,
    ) -> Result<ApiTokenCreatePayload> {
        let work = Work::begin(ctx, auth::Permission::Admin).await?;
        let scopes: Vec<auth::Permission> = input.scopes.into_iter().map(Into::into).collect();
        let expires_at = input.expires_at.map(|at| at.0);
        let made = api_token::create(&work.change(), &input.name, &scopes, expires_at).await;
        Ok(match work.end(made).await? {
            Ok((model, secret)) => ApiTokenCreatePayload {
                api_token: Some(model.into()),
                secret: Some(secret.expose_secret().to_owned()),
                user_errors: Vec::new(),
            },
            Err(user_errors) => ApiTokenCreatePayload { api_token: None, secret: None, user_errors },
        })
    }

    /// Revokes an API token.
    async fn api_token_revoke(
        &self,
        ctx: &Context<'_>,
        input: ApiTokenRevokeInput,
    ) -> Result<ApiTokenRevokePayload> {
        let work = Work::begin(ctx, auth::Permission::Admin).await?;
        let made = api_token::revoke(&work.change(), input.id.0).await;
        Ok(work.end(made).await?.into())
    }
}
