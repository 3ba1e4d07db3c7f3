//! API tokens: `weir_<prefix>_<secret>`, the secret shown once and kept as a hash.

use entity::{ApiTokenId, Hidden, api_token};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter};
use secrecy::{ExposeSecret, SecretString};

use super::random;
use super::viewer::{Permission, Viewer};
use crate::clock::{Micros, SECOND};
use crate::error::{Error, Result};

/// How every token begins, so that scanners of leaked secrets know it.
const MARK: &str = "weir_";
/// How often at most a token's last use is written.
const NOTED_EVERY: Micros = 60 * SECOND;

/// A new token: what is stored of it, and the whole text, to be shown once.
#[derive(Debug)]
pub struct Minted {
    /// The whole token.
    pub text: SecretString,
    /// The part it is found by.
    pub prefix: String,
    /// The SHA-256 of the secret part.
    pub secret_hash: Hidden,
    /// The last four characters.
    pub last4: String,
}

/// Makes a new token. Storing it is the caller's.
///
/// # Errors
/// When the system has no randomness to give.
pub fn mint() -> Result<Minted> {
    let prefix = hex::encode(random::bytes::<6>()?);
    let secret = hex::encode(random::bytes::<32>()?);
    Ok(Minted {
        text: format!("{MARK}{prefix}_{secret}").into(),
        secret_hash: random::hash(&secret).into(),
        last4: secret[secret.len() - 4..].to_owned(),
        prefix,
    })
}

/// Finds the viewer a bearer token stands for; `None` when it is wrong, revoked or expired.
///
/// # Errors
/// When the database fails.
pub async fn find<C: ConnectionTrait>(db: &C, token: &SecretString, now: Micros) -> Result<Option<Viewer>> {
    let text = token.expose_secret();
    let Some((prefix, secret)) = text.strip_prefix(MARK).and_then(|rest| rest.split_once('_')) else {
        return Ok(None);
    };
    let found = api_token::Entity::find().filter(api_token::Column::Prefix.eq(prefix)).one(db).await?;
    let Some(token) = found else { return Ok(None) };
    let genuine = random::same(&random::hash(secret), token.secret_hash.as_str());
    let alive = token.revoked_at.is_none() && token.expires_at.is_none_or(|at| now < at);
    if !genuine || !alive {
        return Ok(None);
    }
    note_use(db, &token, now).await?;
    let scopes: Vec<Permission> = serde_json::from_str(&token.scopes)
        .map_err(|error| Error::internal(&format!("read the scopes of the API token {}", token.id), error))?;
    Ok(Some(Viewer::token(token.organization_id, token.id, token.name, scopes)))
}

async fn note_use<C: ConnectionTrait>(db: &C, token: &api_token::Model, now: Micros) -> Result<()> {
    let due = now - NOTED_EVERY;
    if token.last_used_at.is_some_and(|at| at > due) {
        return Ok(());
    }
    let id: ApiTokenId = token.id;
    // Of several requests at once one writes.
    let unnoted = api_token::Column::LastUsedAt.is_null().or(api_token::Column::LastUsedAt.lte(due));
    api_token::Entity::update_many()
        .col_expr(api_token::Column::LastUsedAt, Expr::value(now))
        .filter(api_token::Column::OrganizationId.eq(token.organization_id))
        .filter(api_token::Column::Id.eq(id))
        .filter(unnoted)
        .exec(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_prefix_and_known_by_its_hash() {
        let minted = mint().expect("randomness");
        let text = minted.text.expose_secret();
        let (prefix, secret) =
            text.strip_prefix("weir_").and_then(|it| it.split_once('_')).expect("three parts");
        assert_eq!(prefix, minted.prefix);
        assert_eq!(secret.len(), 64);
        assert!(text.ends_with(&minted.last4));
        assert_eq!(random::hash(secret), minted.secret_hash.as_str());
        assert!(!format!("{minted:?}").contains(secret));
    }
}
