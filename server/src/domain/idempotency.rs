//! Makes a repeated request answer as the first did.
//!
//! The key is stored in the transaction of the effect. So a request that failed or was refused leaves no trace and may
//! be sent again, and one that repeats another still at work waits for it and then gets its answer.

use entity::choice::IdempotencyStatus;
use entity::idempotency::{self, Column, Entity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::DAY;
use crate::custody::Keyring;
use crate::domain::change::Change;
use crate::domain::refusal;
use crate::error::{Error, Result};

/// The longest key.
const KEY_MOST: usize = 200;

/// A request that may be repeated: its key, and the hash that tells it from others.
#[derive(Clone, Debug)]
pub struct Request {
    key: String,
    /// By each key of the ring, the sealing one first: arguments may hold secrets, which nobody shall guess from a hash.
    hashes: Vec<String>,
}

impl Request {
    /// Takes a request with its name and arguments.
    ///
    /// # Errors
    /// When the key is empty or too long.
    pub fn new(ring: &Keyring, key: String, name: &str, arguments: &str) -> Result<Self> {
        if key.is_empty() || key.len() > KEY_MOST {
            return Err(Error::invalid("idempotencyKey", format!("must be 1 to {KEY_MOST} bytes long")));
        }
        Ok(Self { key, hashes: ring.hashes("request", &[name, arguments]) })
    }
}

fn actor<C: ConnectionTrait>(change: &Change<'_, C>) -> String {
    format!("{}:{}", change.viewer.kind(), change.viewer.actor_id().unwrap_or_default())
}

/// Claims the request, or returns the answer given when it was made before.
///
/// # Errors
/// When the key was used for another request within a day, or the database fails.
pub async fn claim<T: DeserializeOwned>(
    change: &Change<'_, impl ConnectionTrait>,
    request: &Request,
) -> Result<Option<T>> {
    let id = (change.organization(), actor(change), request.key.clone());
    if let Some(old) = Entity::find_by_id(id.clone()).one(change.db).await?
        && old.created_at < change.now - DAY
    {
        Entity::delete_by_id(id.clone()).exec(change.db).await?;
    }
    let row = idempotency::ActiveModel {
        organization_id: Set(id.0),
        actor: Set(id.1.clone()),
        key: Set(id.2.clone()),
        request_hash: Set(request.hashes.first().cloned().unwrap_or_default()),
        response: Set(None),
        status: Set(IdempotencyStatus::Running),
        created_at: Set(change.now),
    };
    let conflict =
        OnConflict::columns([Column::OrganizationId, Column::Actor, Column::Key]).do_nothing().to_owned();
    let inserted = Entity::insert(row).on_conflict(conflict).exec_without_returning(change.db).await?;
    if inserted == 1 {
        return Ok(None);
    }
    match answered(change, request).await? {
        Some(answer) => Ok(Some(answer)),
        None => Err(Error::internal("reading an idempotency key", "it vanished")),
    }
}

/// Returns the answer given when the request was made before.
///
/// # Errors
/// When the key was used for another request within a day, or the database fails.
pub async fn answered<T: DeserializeOwned>(
    change: &Change<'_, impl ConnectionTrait>,
    request: &Request,
) -> Result<Option<T>> {
    let id = (change.organization(), actor(change), request.key.clone());
    let seen = Entity::find_by_id(id).one(change.db).await?;
    let Some(seen) = seen.filter(|seen| seen.created_at >= change.now - DAY) else { return Ok(None) };
    if !request.hashes.contains(&seen.request_hash) {
        return Err(refusal::key_mismatch());
    }
    let response = seen.response.unwrap_or_default();
    let answer = serde_json::from_str(&response);
    answer.map(Some).map_err(|error| Error::internal("reading an idempotent answer", error))
}

/// Keeps the answer of a claimed request.
///
/// # Errors
/// When the database fails.
pub async fn remember<T: Serialize + Sync>(
    change: &Change<'_, impl ConnectionTrait>,
    request: &Request,
    answer: &T,
) -> Result<()> {
    let text = serde_json::to_string(answer).map_err(|error| Error::internal("writing an answer", error))?;
    let row = idempotency::ActiveModel {
        organization_id: Set(change.organization()),
        actor: Set(actor(change)),
        key: Set(request.key.clone()),
        response: Set(Some(text)),
        status: Set(IdempotencyStatus::Done),
        ..Default::default()
    };
    Entity::update(row).exec(change.db).await?;
    Ok(())
}
