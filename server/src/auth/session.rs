//! Signed-in browsers: a random token in a cookie, its hash in the database.

use entity::{OrganizationId, Role, SessionId, UserId, membership, organization, session, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use secrecy::{ExposeSecret, SecretString};

use super::random;
use super::viewer::Viewer;
use crate::clock::{Micros, SECOND};
use crate::config::Session as Limits;
use crate::error::Result;

/// How often at most a session's last use is written.
const NOTED_EVERY: Micros = 60 * SECOND;
/// Most characters of a browser's name that are kept.
const AGENT_LENGTH: usize = 200;

/// A person with a session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The organization they look at.
    pub organization: OrganizationId,
}

impl SignedIn {
    /// The viewer the person is.
    pub fn viewer(&self) -> Viewer {
        Viewer::user(self.organization, self.user, self.name.clone(), self.role)
    }
}

/// Begins a session and gives the token for its cookie.
///
/// # Errors
/// When the database fails.
pub async fn begin<C: ConnectionTrait>(
    db: &C,
    member: (UserId, OrganizationId),
    agent: Option<&str>,
    now: Micros,
    limits: &Limits,
) -> Result<SecretString> {
    let token = random::secret()?;
    let row = session::ActiveModel {
        id: Set(SessionId::new()),
        token_hash: Set(random::hash(&token).into()),
        user_id: Set(member.0),
        organization_id: Set(member.1),
        created_at: Set(now),
        last_seen_at: Set(now),
        expires_at: Set(now + limits.longest()),
        user_agent: Set(agent.map(|agent| agent.chars().take(AGENT_LENGTH).collect())),
    };
    row.insert(db).await?;
    Ok(token.into())
}

/// Finds the person a cookie's token stands for; `None` when the session has ended or they have left.
///
/// # Errors
/// When the database fails.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    token: &SecretString,
    now: Micros,
    limits: &Limits,
) -> Result<Option<SignedIn>> {
    let hash = random::hash(token.expose_secret());
    let found = session::Entity::find()
        .filter(session::Column::TokenHash.eq(hash))
        .find_also_related(user::Entity)
        .one(db)
        .await?;
    let Some((session, Some(user))) = found else { return Ok(None) };
    let ended = now >= session.expires_at || now >= session.last_seen_at + limits.idle();
    if ended || user.disabled_at.is_some() {
        return Ok(None);
    }
    let member = membership::Entity::find_by_id((session.organization_id, user.id)).one(db).await?;
    let Some(member) = member else { return Ok(None) };
    if now - session.last_seen_at >= NOTED_EVERY {
        session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(now))
            .filter(session::Column::Id.eq(session.id))
            .exec(db)
            .await?;
    }
    Ok(Some(SignedIn {
        session: session.id,
        user: user.id,
        email: user.email,
        name: user.name,
        role: member.role,
        organization: session.organization_id,
    }))
}

/// Ends the session a token stands for, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn end<C: ConnectionTrait>(db: &C, token: &SecretString) -> Result<()> {
    let hash = random::hash(token.expose_secret());
    session::Entity::delete_many().filter(session::Column::TokenHash.eq(hash)).exec(db).await?;
    Ok(())
}

/// Ends all sessions of a person: after a new password, or when they leave.
///
/// # Errors
/// When the database fails.
pub async fn end_all<C: ConnectionTrait>(db: &C, user: UserId) -> Result<()> {
    session::Entity::delete_many().filter(session::Column::UserId.eq(user)).exec(db).await?;
    Ok(())
}

/// Removes sessions that have ended by themselves, and gives their number.
///
/// # Errors
/// When the database fails.
pub async fn prune<C: ConnectionTrait>(db: &C, now: Micros, limits: &Limits) -> Result<u64> {
    let ended = session::Column::ExpiresAt.lte(now);
    let idle = session::Column::LastSeenAt.lte(now - limits.idle());
    let done = session::Entity::delete_many()
        .filter(sea_orm::Condition::any().add(ended).add(idle))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// The name of an organization.
///
/// # Errors
/// When the database fails.
pub async fn organization_name<C: ConnectionTrait>(db: &C, id: OrganizationId) -> Result<String> {
    let found = organization::Entity::find_by_id(id).one(db).await?;
    Ok(found.map(|found| found.name).unwrap_or_default())
}
