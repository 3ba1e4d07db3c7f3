//! The first start: a one-time token for whoever reads the server's output, who makes the organization and its owner.

use entity::{
    ActorKind, AuditEventId, Normalizer, OrganizationId, Role, UserId, audit_event, counter, id_space,
    match_state, membership, organization, setting, user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, SqlErr,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::{AuthError, AuthResult};
use super::random;
use crate::clock::{DAY, Micros};
use crate::error::{Error, Result};

/// How long a set-up token works.
const TOKEN_LIFE: Micros = DAY;
/// Settings that hold the hash of a set-up token begin so. Servers that start together each have their own.
const TOKEN_KEY: &str = "setup_token.";
/// The setting that says the set-up is done. Its key is what two set-ups at once collide on.
const DONE_KEY: &str = "setup_done";

/// Most characters of a name.
const NAME_LENGTH: usize = 200;

/// What an organization starts with: its ID spaces and how each compares IDs.
const ID_SPACES: [(&str, Normalizer); 4] = [
    ("salesforce", Normalizer::Salesforce),
    ("salesforce_oauth", Normalizer::Salesforce),
    ("hubspot", Normalizer::Numeric),
    ("account_id", Normalizer::Exact),
];

/// The numbers an organization counts.
const COUNTERS: [&str; 2] = ["run", "group"];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredToken {
    hash: String,
    expires_at: Micros,
}

/// The first owner and their organization, as asked for.
#[derive(Clone, Debug)]
pub struct Founder {
    /// The address, as stored.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// The argon2 hash of the password.
    pub password_hash: String,
    /// The organization's name.
    pub organization: String,
}

/// Tells whether the first account is still to be made.
///
/// # Errors
/// When the database fails.
pub async fn needed<C: ConnectionTrait>(db: &C) -> Result<bool> {
    Ok(user::Entity::find().count(db).await? == 0)
}

/// Makes a set-up token when one is needed, and forgets those that have expired.
///
/// # Errors
/// When the database fails.
pub async fn issue<C: ConnectionTrait>(db: &C, now: Micros) -> Result<Option<SecretString>> {
    if !needed(db).await? {
        return Ok(None);
    }
    for row in stored(db).await? {
        if token_of(&row)?.expires_at <= now {
            setting::Entity::delete_by_id(row.key).exec(db).await?;
        }
    }
    let token = random::secret()?;
    let value = StoredToken { hash: random::hash(&token), expires_at: now + TOKEN_LIFE };
    let text =
        serde_json::to_string(&value).map_err(|error| Error::internal("write a set-up token", error))?;
    let key = format!("{TOKEN_KEY}{}", hex::encode(random::bytes::<8>()?));
    setting::ActiveModel { key: Set(key), value: Set(text) }.insert(db).await?;
    Ok(Some(token.into()))
}

/// Checks a set-up token without using it up, so that no password is hashed for a stranger.
///
/// # Errors
/// `AlreadySetUp` or `WrongSetupToken`.
pub async fn verify<C: ConnectionTrait>(db: &C, token: &SecretString, now: Micros) -> AuthResult<()> {
    if !needed(db).await? {
        return Err(AuthError::AlreadySetUp);
    }
    let hash = random::hash(token.expose_secret());
    let mut found = false;
    for row in stored(db).await? {
        let stored = token_of(&row)?;
        found |= random::same(&stored.hash, &hash) && now < stored.expires_at;
    }
    if found { Ok(()) } else { Err(AuthError::WrongSetupToken) }
}

/// Uses the token up and makes the organization with its owner, all in the caller's transaction.
///
/// # Errors
/// `AlreadySetUp` when someone else came first, `WrongSetupToken`.
pub async fn complete<C: ConnectionTrait>(
    transaction: &C,
    token: &SecretString,
    founder: Founder,
    now: Micros,
) -> AuthResult<(UserId, OrganizationId)> {
    let done = setting::ActiveModel { key: Set(DONE_KEY.to_owned()), value: Set(now.to_string()) };
    // The second of two set-ups waits here for the first, and then finds the key taken.
    done.insert(transaction).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => AuthError::AlreadySetUp,
        _ => AuthError::from(error),
    })?;
    verify(transaction, token, now).await?;
    setting::Entity::delete_many()
        .filter(setting::Column::Key.starts_with(TOKEN_KEY))
        .exec(transaction)
        .await?;
    Ok(found(transaction, founder, now).await?)
}

/// Makes an organization with what it starts with, and its owner.
///
/// # Errors
/// When the database fails.
pub async fn found<C: ConnectionTrait>(
    db: &C,
    founder: Founder,
    now: Micros,
) -> Result<(UserId, OrganizationId)> {
    let (organization_id, user_id) = (OrganizationId::new(), UserId::new());
    organization::ActiveModel {
        id: Set(organization_id),
        name: Set(founder.organization.clone()),
        ingestion_enabled: Set(true),
        created_at: Set(now),
    }
    .insert(db)
    .await?;
    let counters = COUNTERS.map(|name| counter::ActiveModel {
        organization_id: Set(organization_id),
        name: Set(name.to_owned()),
        value: Set(0),
    });
    counter::Entity::insert_many(counters).exec_without_returning(db).await?;
    match_state::ActiveModel { organization_id: Set(organization_id), version: Set(0) }.insert(db).await?;
    let spaces = ID_SPACES.map(|(name, normalizer)| id_space::ActiveModel {
        organization_id: Set(organization_id),
        name: Set(name.to_owned()),
        normalizer: Set(normalizer),
        created_at: Set(now),
    });
    id_space::Entity::insert_many(spaces).exec_without_returning(db).await?;
    user::ActiveModel {
        id: Set(user_id),
        email: Set(founder.email),
        name: Set(founder.name.clone()),
        password_hash: Set(founder.password_hash.into()),
        created_at: Set(now),
        disabled_at: Set(None),
    }
    .insert(db)
    .await?;
    membership::ActiveModel {
        organization_id: Set(organization_id),
        user_id: Set(user_id),
        role: Set(Role::Owner),
        created_at: Set(now),
    }
    .insert(db)
    .await?;
    audit_event::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(AuditEventId::new()),
        at: Set(now),
        actor_kind: Set(ActorKind::User),
        actor_id: Set(Some(user_id.0)),
        actor_name: Set(founder.name),
        action: Set("organization.create".to_owned()),
        subject_type: Set("Organization".to_owned()),
        subject_id: Set(organization_id.to_string()),
        detail: Set(serde_json::json!({ "name": founder.organization }).to_string()),
    }
    .insert(db)
    .await?;
    Ok((user_id, organization_id))
}

/// Trims a name and refuses an empty or endless one.
///
/// # Errors
/// `Invalid`, naming `field`.
pub fn name(field: &'static str, text: &str) -> AuthResult<String> {
    let name = text.trim();
    if name.is_empty() {
        return Err(AuthError::invalid(field, "a value is needed here"));
    }
    if name.chars().count() > NAME_LENGTH || name.chars().any(char::is_control) {
        return Err(AuthError::invalid(field, format!("use at most {NAME_LENGTH} characters on one line")));
    }
    Ok(name.to_owned())
}

async fn stored<C: ConnectionTrait>(db: &C) -> Result<Vec<setting::Model>> {
    Ok(setting::Entity::find().filter(setting::Column::Key.starts_with(TOKEN_KEY)).all(db).await?)
}

fn token_of(row: &setting::Model) -> Result<StoredToken> {
    serde_json::from_str(&row.value).map_err(|error| Error::internal("read a set-up token", error))
}
