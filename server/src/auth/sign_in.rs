//! Signing in, out and for the first time: the steps, with nothing of HTTP in them.

use std::num::NonZeroU32;
use std::time::Duration;

use entity::{
    ActorKind, AuditEventId, OrganizationId, UserId, audit_event, membership, session as session_row, user,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use secrecy::SecretString;
use serde::Deserialize;

use super::error::{AuthError, AuthResult};
use super::session::SignedIn;
use super::setup::{self, Founder};
use super::throttle::Throttle;
use super::{password, session};
use crate::app::App;
use crate::clock::Clock;
use crate::error::Result;

const ACCOUNT_BURST: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const ACCOUNT_PACE: Duration = Duration::from_secs(30);
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::new(30).expect("thirty is not zero");
const ADDRESS_PACE: Duration = Duration::from_secs(5);

/// What signs a person in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password.
    pub password: SecretString,
}

/// What makes the first account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstAccount {
    /// The token the server printed.
    pub token: SecretString,
    /// The address.
    pub email: String,
    /// What people call the person.
    pub name: String,
    /// The password to be.
    pub password: SecretString,
    /// The organization's name.
    pub organization: String,
}

/// What changes a password.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password so far.
    pub current: SecretString,
    /// The password to be.
    pub new: SecretString,
}

/// Where an attempt comes from.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The address to count attempts by.
    pub address: String,
    /// The browser, as it names itself.
    pub agent: Option<String>,
    /// The token of the session the browser has, which ends with a new one.
    pub session: Option<SecretString>,
}

/// Counts attempts, per account and per address, in this process.
#[derive(Clone, Debug)]
pub struct Throttles {
    account: Throttle,
    address: Throttle,
}

impl Throttles {
    /// Throttles with nothing counted yet.
    pub fn new(clock: &Clock) -> Self {
        Self {
            account: Throttle::new(clock, ACCOUNT_BURST, ACCOUNT_PACE),
            address: Throttle::new(clock, ADDRESS_BURST, ADDRESS_PACE),
        }
    }

    fn address(&self, visitor: &Visitor) -> AuthResult<()> {
        self.address.attempt(&visitor.address).map_err(AuthError::Throttled)
    }

    fn account(&self, email: &str) -> AuthResult<()> {
        self.account.attempt(email).map_err(AuthError::Throttled)
    }
}

/// Signs a person in and gives the token for the cookie. Whoever has no account gets the answer of a wrong
/// password, after the same work.
///
/// # Errors
/// `WrongCredentials`, `Throttled`, `Busy`.
pub async fn sign_in(
    app: &App,
    throttles: &Throttles,
    visitor: Visitor,
    credentials: Credentials,
) -> AuthResult<SecretString> {
    throttles.address(&visitor)?;
    // An impossible address goes the same way as an unknown one.
    let email: String = credentials.email.trim().to_lowercase().chars().take(254).collect();
    throttles.account(&email)?;
    let db = app.db.orm();
    let found = user::Entity::find().filter(user::Column::Email.eq(&email)).one(db).await?;
    let member = match &found {
        Some(user) if user.disabled_at.is_none() => first_membership(db, user.id).await?,
        _ => None,
    };
    let stored = found.as_ref().map(|user| user.password_hash.as_str().to_owned());
    let right = app.passwords.verify(credentials.password, stored).await?;
    let (Some(user), Some(organization), true) = (found, member, right) else {
        tracing::info!(visitor.address, "a sign-in was refused");
        return Err(AuthError::WrongCredentials);
    };
    let member = (user.id, organization);
    let now = app.clock.now();
    let transaction = app.db.begin().await?;
    if let Some(previous) = &visitor.session {
        session::end(&transaction, previous).await?;
    }
    session_row::Entity::delete_many()
        .filter(session_row::Column::UserId.eq(user.id))
        .filter(session_row::Column::ExpiresAt.lte(now))
        .exec(&transaction)
        .await?;
    let limits = &app.config.session;
    let token = session::begin(&transaction, member, visitor.agent.as_deref(), now, limits).await?;
    audit(&transaction, member, &user.name, "user.sign_in", now).await?;
    transaction.commit().await?;
    tracing::info!(user.id = %user.id, "a user signed in");
    Ok(token)
}

/// Makes the organization and its owner with a set-up token, and signs them in.
///
/// # Errors
/// `AlreadySetUp`, `WrongSetupToken`, `Invalid`, `Throttled`, `Busy`.
pub async fn set_up(
    app: &App,
    throttles: &Throttles,
    visitor: Visitor,
    first: FirstAccount,
) -> AuthResult<SecretString> {
    throttles.address(&visitor)?;
    setup::verify(app.db.orm(), &first.token, app.clock.now()).await?;
    let email = password::email(&first.email)?;
    let name = setup::name("name", &first.name)?;
    let organization = setup::name("organization", &first.organization)?;
    password::accept(&first.password, &email)?;
    let password_hash = app.passwords.hash(first.password).await?;
    let founder = Founder { email, name, password_hash, organization };
    let now = app.clock.now();
    let transaction = app.db.begin().await?;
    let member = setup::complete(&transaction, &first.token, founder, now).await?;
    let limits = &app.config.session;
    let token = session::begin(&transaction, member, visitor.agent.as_deref(), now, limits).await?;
    transaction.commit().await?;
    tracing::info!(user.id = %member.0, organization.id = %member.1, "the first account was made");
    Ok(token)
}

/// Gives a person a new password, ends all their sessions and begins a new one.
///
/// # Errors
/// `WrongCredentials` when the current password is wrong, `Invalid` when the new one breaks a rule, `Throttled`.
pub async fn change_password(
    app: &App,
    throttles: &Throttles,
    visitor: Visitor,
    signed_in: &SignedIn,
    change: NewPassword,
) -> AuthResult<SecretString> {
    throttles.address(&visitor)?;
    throttles.account(&signed_in.email)?;
    password::accept(&change.new, &signed_in.email).map_err(|error| match error {
        AuthError::Invalid { reason, .. } => AuthError::invalid("new", reason),
        other => other,
    })?;
    let stored = user::Entity::find_by_id(signed_in.user).one(app.db.orm()).await?;
    let stored = stored.map(|user| user.password_hash.into_string());
    if !app.passwords.verify(change.current, stored).await? {
        return Err(AuthError::WrongCredentials);
    }
    let hash = app.passwords.hash(change.new).await?;
    let now = app.clock.now();
    let member = (signed_in.user, signed_in.organization);
    let transaction = app.db.begin().await?;
    user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .filter(user::Column::Id.eq(signed_in.user))
        .exec(&transaction)
        .await?;
    session::end_all(&transaction, signed_in.user).await?;
    let limits = &app.config.session;
    let token = session::begin(&transaction, member, visitor.agent.as_deref(), now, limits).await?;
    audit(&transaction, member, &signed_in.name, "user.change_password", now).await?;
    transaction.commit().await?;
    Ok(token)
}

async fn first_membership<C: ConnectionTrait>(db: &C, user: UserId) -> Result<Option<OrganizationId>> {
    let found = membership::Entity::find()
        .filter(membership::Column::UserId.eq(user))
        .order_by_asc(membership::Column::CreatedAt)
        .order_by_asc(membership::Column::OrganizationId)
        .one(db)
        .await?;
    Ok(found.map(|found| found.organization_id))
}

async fn audit<C: ConnectionTrait>(
    db: &C,
    (user, organization): (UserId, OrganizationId),
    name: &str,
    action: &str,
    now: i64,
) -> Result<()> {
    audit_event::ActiveModel {
        organization_id: Set(organization),
        id: Set(AuditEventId::new()),
        at: Set(now),
        actor_kind: Set(ActorKind::User),
        actor_id: Set(Some(user.0)),
        actor_name: Set(name.to_owned()),
        action: Set(action.to_owned()),
        subject_type: Set("User".to_owned()),
        subject_id: Set(user.to_string()),
        detail: Set("{}".to_owned()),
    }
    .insert(db)
    .await?;
    Ok(())
}
