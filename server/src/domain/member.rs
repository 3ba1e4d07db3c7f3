//! Members: people, their place in the organization, and who may change it.

use entity::{Hidden, Role, UserId, membership, session, user};
use sea_orm::sea_query::{ExprTrait, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// A person to add; the password is hashed already.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// The person's name.
    pub name: String,
    /// The address they sign in with, in its stored form.
    pub email: String,
    /// The hash of their first password.
    pub password_hash: Hidden,
    /// What they may do.
    pub role: Role,
}

/// Finds a member of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, user: UserId) -> Result<membership::Model> {
    let found = membership::Entity::find_by_id((change.organization(), user)).one(change.db).await?;
    found.ok_or_else(|| refusal::not_found("userId", "member"))
}

/// Adds a person.
///
/// # Errors
/// When the address has an account, or the viewer may not grant the role.
pub async fn create(change: &Change<'_, impl ConnectionTrait>, new: NewMember) -> Result<membership::Model> {
    may_touch(change, new.role)?;
    let name = text::name("name", &new.name)?;
    let known = user::Entity::find().filter(user::Column::Email.eq(&new.email)).count(change.db).await?;
    if known > 0 {
        return Err(refusal::taken("email", "this address has an account already"));
    }
    let id = UserId::new();
    let person = user::ActiveModel {
        id: Set(id),
        email: Set(new.email.clone()),
        name: Set(name.clone()),
        password_hash: Set(new.password_hash),
        created_at: Set(change.now),
        disabled_at: Set(None),
    };
    person.insert(change.db).await?;
    let place = membership::ActiveModel {
        organization_id: Set(change.organization()),
        user_id: Set(id),
        role: Set(new.role),
        created_at: Set(change.now),
    };
    let place = place.insert(change.db).await?;
    let detail = json!({ "name": name, "email": new.email, "role": new.role });
    change.audit("user.create", "User", id, detail).await?;
    Ok(place)
}

/// Gives a member another role.
///
/// # Errors
/// When there is no such member, the viewer may not grant or take the role, or no owner would be left.
pub async fn set_role(
    change: &Change<'_, impl ConnectionTrait>,
    user: UserId,
    role: Role,
) -> Result<membership::Model> {
    let (stored, last) = held(change, user).await?;
    if stored.role == role {
        return Ok(stored);
    }
    may_touch(change, stored.role)?;
    may_touch(change, role)?;
    keep_an_owner(last)?;
    let before = stored.role;
    let mut next = stored.into_active_model();
    next.role = Set(role);
    let model = membership::Entity::update(next).exec(change.db).await?;
    change.audit("membership.update", "User", user, json!({ "from": before, "to": role })).await?;
    Ok(model)
}

/// Removes a member and ends their sessions here.
///
/// # Errors
/// When there is no such member, the viewer may not remove them, or no owner would be left.
pub async fn remove(change: &Change<'_, impl ConnectionTrait>, user: UserId) -> Result<UserId> {
    let (stored, last) = held(change, user).await?;
    may_touch(change, stored.role)?;
    keep_an_owner(last)?;
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::OrganizationId.eq(change.organization()))
        .exec(change.db)
        .await?;
    membership::Entity::delete_by_id((change.organization(), user)).exec(change.db).await?;
    change.audit("membership.remove", "User", user, json!({ "role": stored.role })).await?;
    Ok(user)
}

/// Only an owner touches owners.
fn may_touch(change: &Change<'_, impl ConnectionTrait>, role: Role) -> Result<()> {
    if role == Role::Owner { change.viewer.require_owner() } else { Ok(()) }
}

/// A member, and whether there is no other owner. They and the owners stay as they are until the transaction ends.
async fn held(change: &Change<'_, impl ConnectionTrait>, user: UserId) -> Result<(membership::Model, bool)> {
    let owner = membership::Column::Role.eq(Role::Owner);
    let members = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(change.organization()))
        .filter(owner.or(membership::Column::UserId.eq(user)))
        .order_by_asc(membership::Column::UserId)
        .lock(LockType::NoKeyUpdate)
        .all(change.db)
        .await?;
    let owners = members.iter().filter(|member| member.role == Role::Owner).count();
    let stored = members.into_iter().find(|member| member.user_id == user);
    let stored = stored.ok_or_else(|| refusal::not_found("userId", "member"))?;
    let last = stored.role == Role::Owner && owners == 1;
    Ok((stored, last))
}

fn keep_an_owner(last: bool) -> Result<()> {
    if last {
        return Err(Error::Conflict("the organization needs an owner; make another one first".to_owned()));
    }
    Ok(())
}
