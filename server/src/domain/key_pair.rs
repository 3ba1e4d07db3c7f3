//! Key pairs of a source: two slots, so that one can be made and tested while the other is in use.

use entity::key_pair::{ActiveModel, Column, Entity, Model};
use entity::{KeyPairId, KeyPairState, SourceId, source as source_model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use secrecy::SecretString;
use serde_json::json;

use crate::custody::{self, KeyPair, Keyring, Owner};
use crate::domain::change::Change;
use crate::domain::{refusal, source};
use crate::error::{Error, Result};

/// Finds a key pair of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: KeyPairId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("key pair"))
}

/// The key pair of that ID, if it is the source's.
///
/// # Errors
/// `NotFound` when it is not.
pub async fn of_source(
    db: &impl ConnectionTrait,
    source: &source_model::Model,
    id: KeyPairId,
) -> Result<Model> {
    let found = Entity::find_by_id((source.organization_id, id)).one(db).await?;
    found.filter(|pair| pair.source_id == source.id).ok_or(Error::NotFound("key pair"))
}

/// The key pair a source signs with; none when none is in use.
///
/// # Errors
/// What the database says.
pub async fn in_use(db: &impl ConnectionTrait, source: &source_model::Model) -> Result<Option<Model>> {
    let found = Entity::find()
        .filter(Column::OrganizationId.eq(source.organization_id))
        .filter(Column::SourceId.eq(source.id))
        .filter(Column::State.eq(KeyPairState::Active));
    Ok(found.one(db).await?)
}

/// Opens the private half of a key pair, as PKCS#8 in PEM, on its way to a connector.
///
/// # Errors
/// `Internal` when the ring lacks its key or it was moved or changed; `Conflict` when it is retired.
pub fn private_key(ring: &Keyring, pair: &Model) -> Result<SecretString> {
    if pair.state == KeyPairState::Retired {
        return Err(Error::Conflict("this key pair is retired; make a new one".to_owned()));
    }
    let owner = Owner::private_key(pair.organization_id, pair.source_id, pair.id);
    ring.open(&owner, &pair.sealed_private_key)
        .map_err(|error| Error::internal(&format!("open the private half of key pair {}", pair.id), error))
}

/// A key pair of the organization, while its source is held: the state of one pair decides by those of the other.
async fn held(change: &Change<'_, impl ConnectionTrait>, id: KeyPairId) -> Result<Model> {
    let source = find(change, id).await?.source_id;
    source::hold(change, source).await?;
    find(change, id).await
}

async fn of(change: &Change<'_, impl ConnectionTrait>, source: SourceId) -> Result<Vec<Model>> {
    let found = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::SourceId.eq(source))
        .all(change.db)
        .await?;
    Ok(found)
}

/// Refuses unless a fresh key pair of this source could be stored. Ask before making one, which takes a while.
///
/// # Errors
/// When there is no such source, or both slots are in use.
pub async fn has_room(change: &Change<'_, impl ConnectionTrait>, source: SourceId) -> Result<()> {
    room(change, source).await.map(drop)
}

/// A slot for a fresh key pair, and the retired pair that gives it up.
async fn room(
    change: &Change<'_, impl ConnectionTrait>,
    source: SourceId,
) -> Result<(i32, Option<KeyPairId>)> {
    match source::hold(change, source).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("sourceId", noun)),
        found => drop(found?),
    }
    let pairs = of(change, source).await?;
    if let Some(slot) = [1, 2].into_iter().find(|slot| pairs.iter().all(|pair| pair.slot != *slot)) {
        return Ok((slot, None));
    }
    match pairs.iter().find(|pair| pair.state == KeyPairState::Retired) {
        Some(old) => Ok((old.slot, Some(old.id))),
        None => Err(Error::Conflict("both slots hold a key pair; retire one first".to_owned())),
    }
}

/// Stores a fresh key pair in a free slot; a retired pair gives its slot up. The private half is sealed.
///
/// # Errors
/// When there is no such source, both slots are in use, or the ring is not the one that seals.
pub async fn store(
    change: &Change<'_, impl ConnectionTrait>,
    ring: &Keyring,
    source: SourceId,
    made: KeyPair,
) -> Result<Model> {
    let (slot, old) = room(change, source).await?;
    if let Some(old) = old {
        Entity::delete_by_id((change.organization(), old)).exec(change.db).await?;
    }
    custody::may_seal(change.db, ring).await?;
    let id = KeyPairId::new();
    let owner = Owner::private_key(change.organization(), source, id);
    let sealed = ring.seal(&owner, &made.private_key);
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(id),
        source_id: Set(source),
        slot: Set(slot),
        public_key: Set(made.public_key),
        fingerprint: Set(made.fingerprint),
        sealed_private_key: Set(sealed.map_err(|error| Error::internal("sealing a private key", error))?),
        state: Set(KeyPairState::Made),
        created_at: Set(change.now),
        activated_at: Set(None),
        retired_at: Set(None),
    };
    let model = model.insert(change.db).await?;
    let detail = json!({ "source": source, "fingerprint": model.fingerprint });
    change.audit("key_pair.generate", "KeyPair", id, detail).await?;
    Ok(model)
}

/// Switches the source to a key pair; the one in use before waits to be retired.
///
/// # Errors
/// When it is gone or retired.
pub async fn activate(change: &Change<'_, impl ConnectionTrait>, id: KeyPairId) -> Result<Model> {
    let stored = held(change, id).await?;
    match stored.state {
        KeyPairState::Active => return Ok(stored),
        KeyPairState::Retired => {
            return Err(Error::Conflict("this key pair is retired; make a new one".to_owned()));
        }
        KeyPairState::Made => {}
    }
    for other in of(change, stored.source_id).await? {
        if other.state == KeyPairState::Active {
            let mut row = other.into_active_model();
            row.state = Set(KeyPairState::Made);
            Entity::update(row).exec(change.db).await?;
        }
    }
    // Whoever has the source open signs with the former key until it sees another version.
    source::renew(change, stored.source_id).await?;
    set_state(change, stored, KeyPairState::Active).await
}

/// Retires a key pair; it signs nothing any more.
///
/// # Errors
/// When it is gone, or is the one in use.
pub async fn retire(change: &Change<'_, impl ConnectionTrait>, id: KeyPairId) -> Result<Model> {
    let stored = held(change, id).await?;
    match stored.state {
        KeyPairState::Retired => Ok(stored),
        KeyPairState::Active => {
            Err(Error::Conflict("this key pair is in use; switch to the other one first".to_owned()))
        }
        KeyPairState::Made => set_state(change, stored, KeyPairState::Retired).await,
    }
}

async fn set_state(
    change: &Change<'_, impl ConnectionTrait>,
    stored: Model,
    state: KeyPairState,
) -> Result<Model> {
    let mut row = stored.into_active_model();
    row.state = Set(state);
    match state {
        KeyPairState::Active => row.activated_at = Set(Some(change.now)),
        KeyPairState::Retired => row.retired_at = Set(Some(change.now)),
        KeyPairState::Made => {}
    }
    let model = Entity::update(row).exec(change.db).await?;
    let action = if state == KeyPairState::Active { "key_pair.activate" } else { "key_pair.retire" };
    let detail = json!({ "fingerprint": model.fingerprint });
    change.audit(action, "KeyPair", model.id, detail).await?;
    Ok(model)
}
