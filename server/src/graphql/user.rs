//! People and their place in the organization.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entity::user::{Column, Entity, Model};
use entity::{UserId, membership};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::auth::Permission;
use crate::auth::error::AuthError;
use crate::auth::password;
use crate::domain::member::{self, NewMember};
use crate::error::Error;
use crate::graphql::context::{Reach, Work, must};
use crate::graphql::error::outcome;
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::organization::Own;
use crate::graphql::page::{Page, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct User(pub Model);

impl From<Model> for User {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A person who can sign in.
#[Object]
impl User {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The person's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The address they sign in with.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// Whether signing in is blocked.
    async fn disabled(&self) -> bool {
        self.0.disabled_at.is_some()
    }

    /// When the person was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::Role")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but owners and the organization itself.
    Admin,
    /// Reads everything but credentials, triages and links.
    Support,
    /// Reads everything but credentials.
    Viewer,
}

impl Fetch {
    async fn people(&self, ids: impl Iterator<Item = UserId>) -> std::result::Result<Vec<Model>, LoadError> {
        let members = membership::Entity::find()
            .select_only()
            .column(membership::Column::UserId)
            .filter(membership::Column::OrganizationId.eq(self.viewer.organization));
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids))
            .filter(Column::Id.in_subquery(members.into_query()))
            .all(self.db())
            .await?;
        Ok(rows)
    }
}

impl Loader<UserId> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, ids: &[UserId]) -> std::result::Result<HashMap<UserId, Model>, LoadError> {
        self.organization(Permission::MembersRead)?;
        let rows = self.people(ids.iter().copied()).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<Own<UserId>> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, ids: &[Own<UserId>]) -> std::result::Result<HashMap<Own<UserId>, Model>, LoadError> {
        let own = ids.iter().map(|id| id.0).filter(|id| self.viewer.user_id() == Some(*id));
        let rows = self.people(own).await?;
        Ok(rows.into_iter().map(|row| (Own(row.id), row)).collect())
    }
}

/// A stored membership on its way out.
#[derive(Clone)]
pub struct Membership(pub membership::Model);

impl From<membership::Model> for Membership {
    fn from(model: membership::Model) -> Self {
        Self(model)
    }
}

/// A person's place in the organization.
#[Object]
impl Membership {
    /// The person.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        must(ctx, self.0.user_id).await
    }

    /// What they may do.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// When they joined.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// The queries about people.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The people of the organization, by the time they joined.
    async fn memberships(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<Membership>> {
        let organization = ctx.need(Permission::MembersRead)?;
        let rows = membership::Entity::find().filter(membership::Column::OrganizationId.eq(organization));
        let order = Order::ascending([membership::Column::CreatedAt, membership::Column::UserId]);
        page(ctx, PageArgs::new(first, after, last, before), &["memberships"], order, rows).await
    }
}

/// The input of `userCreate`.
#[derive(InputObject)]
struct UserCreateInput {
    /// The person's name.
    name: String,
    /// The address they sign in with.
    email: String,
    /// A first password of at least 12 characters.
    password: String,
    /// What they may do.
    role: Role,
}

payload! {
    /// The answer of `userCreate`.
    UserCreatePayload {
        /// The result; null when refused.
        membership: Membership
    }
}

/// The input of `membershipUpdate`.
#[derive(InputObject)]
struct MembershipUpdateInput {
    /// The person.
    user_id: Global<UserId>,
    /// The new role.
    role: Role,
}

payload! {
    /// The answer of `membershipUpdate`.
    MembershipUpdatePayload {
        /// The result; null when refused.
        membership: Membership
    }
}

/// The input of `membershipRemove`.
#[derive(InputObject)]
struct MembershipRemoveInput {
    /// The person.
    user_id: Global<UserId>,
}

payload! {
    /// The answer of `membershipRemove`.
    MembershipRemovePayload {
        /// Who was removed; null when refused.
        removed_user_id: ID
    }
}

/// The mutations of people.
#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Adds a person with a first password.
    async fn user_create(&self, ctx: &Context<'_>, input: UserCreateInput) -> Result<UserCreatePayload> {
        ctx.need(Permission::Admin)?;
        // Hashing takes long on purpose, so it is done before the transaction begins.
        let new = match prepare(ctx, input).await {
            Ok(new) => new,
            Err(error) => return Ok(outcome::<Membership>(Err(error))?.into()),
        };
        let work = Work::begin(ctx, Permission::Admin).await?;
        let made = member::create(&work.change(), new).await;
        Ok(work.end(made).await?.into())
    }

    /// Gives a member another role.
    async fn membership_update(
        &self,
        ctx: &Context<'_>,
        input: MembershipUpdateInput,
    ) -> Result<MembershipUpdatePayload> {
        let work = Work::begin(ctx, Permission::Admin).await?;
        let made = member::set_role(&work.change(), input.user_id.0, input.role.into()).await;
        Ok(work.end(made).await?.into())
    }

    /// Removes a member and ends their sessions.
    async fn membership_remove(
        &self,
        ctx: &Context<'_>,
        input: MembershipRemoveInput,
    ) -> Result<MembershipRemovePayload> {
        let work = Work::begin(ctx, Permission::Admin).await?;
        let gone = member::remove(&work.change(), input.user_id.0).await;
        Ok(work.end(gone.map(global)).await?.into())
    }
}

async fn prepare(ctx: &Context<'_>, input: UserCreateInput) -> crate::error::Result<NewMember> {
    let refused = |error: AuthError| match error {
        AuthError::Invalid { field, reason } => Error::invalid(field, reason),
        AuthError::Internal(error) => error,
        other => Error::Conflict(other.to_string()),
    };
    let email = password::email(&input.email).map_err(refused)?;
    let secret = input.password.into();
    password::accept(&secret, &email).map_err(refused)?;
    let password_hash = ctx.app().passwords.hash(secret).await.map_err(refused)?;
    Ok(NewMember { name: input.name, email, password_hash: password_hash.into(), role: input.role.into() })
}
