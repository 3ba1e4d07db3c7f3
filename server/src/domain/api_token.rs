//! API tokens: made once, shown once, revoked for good.

use entity::ApiTokenId;
use entity::api_token::{ActiveModel, Entity, Model};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Set};
use secrecy::SecretString;
use serde_json::json;

use crate::auth::{Permission, Permissions, api_token};
use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// Makes a token. Its text is returned here and never again.
///
/// # Errors
/// When it would be wider than the viewer, or is expired from the start.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    scopes: &[Permission],
    expires_at: Option<Micros>,
) -> Result<(Model, SecretString)> {
    if scopes.is_empty() {
        return Err(refusal::required("scopes"));
    }
    let wanted: Permissions = scopes.iter().copied().collect();
    if !change.viewer.permissions.covers(wanted) {
        return Err(Error::Forbidden("a token cannot do more than who makes it".to_owned()));
    }
    if expires_at.is_some_and(|at| at <= change.now) {
        return Err(Error::invalid("expiresAt", "must be in the future"));
    }
    let minted = api_token::mint()?;
    let words: Vec<&str> = wanted.iter().map(Permission::as_str).collect();
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(ApiTokenId::new()),
        name: Set(text::name("name", name)?),
        prefix: Set(minted.prefix),
        secret_hash: Set(minted.secret_hash),
        last4: Set(minted.last4),
        scopes: Set(json!(words).to_string()),
        created_by: Set(change.viewer.user_id()),
        created_at: Set(change.now),
        expires_at: Set(expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
    };
    let model = model.insert(change.db).await?;
    let detail = json!({ "name": model.name, "scopes": words });
    change.audit("api_token.create", "ApiToken", model.id, detail).await?;
    Ok((model, minted.text))
}

/// Revokes a token; one revoked before stays so.
///
/// # Errors
/// When there is none.
pub async fn revoke(change: &Change<'_, impl ConnectionTrait>, id: ApiTokenId) -> Result<Model> {
    let stored = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    let stored = stored.ok_or(Error::NotFound("API token"))?;
    if stored.revoked_at.is_some() {
        return Ok(stored);
    }
    let mut next = stored.into_active_model();
    next.revoked_at = Set(Some(change.now));
    let model = Entity::update(next).exec(change.db).await?;
    change.audit("api_token.revoke", "ApiToken", id, json!({ "name": model.name })).await?;
    Ok(model)
}

/// The permissions a stored token carries.
///
/// # Errors
/// When the stored list cannot be read.
pub fn scopes(model: &Model) -> Result<Vec<Permission>> {
    serde_json::from_str(&model.scopes)
        .map_err(|error| Error::internal("reading the scopes of a token", error))
}
