//! Sealed secrets in every column that holds some, to look after.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use entity::{
    Hidden, KeyPairId, KeyPairState, OrganizationId, SourceId, SourceState, key_pair, organization, source,
};
use sea_orm::{EntityTrait, IntoActiveModel};
use secrecy::{ExposeSecret, SecretString};
use server::custody::{Keyring, Owner};
use server::db::Db;

/// Rows that are inserted together.
const TOGETHER: usize = 500;

/// A stored secret: whose it is, its sealed text, and what it is in the clear.
#[derive(Debug)]
pub struct Stored {
    /// Whose it is.
    pub owner: Owner,
    /// Its sealed text.
    pub sealed: Hidden,
    /// What [`fill`] sealed.
    pub clear: String,
}

/// Stores an organization's sources with a credential and a key pair each.
///
/// # Errors
/// When the database refuses.
pub async fn fill(db: &Db, ring: &Keyring, count: usize) -> Result<()> {
    let organization_id = OrganizationId::new();
    let model = organization::Model {
        id: organization_id,
        name: "Acme".into(),
        ingestion_enabled: true,
        created_at: 0,
    };
    organization::Entity::insert(model.into_active_model()).exec(db.orm()).await?;
    let (mut sources, mut pairs) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (source_id, pair) = (SourceId::new(), KeyPairId::new());
        let secret = |kind: &str| SecretString::from(format!("{kind} of {source_id}"));
        let credential = ring.seal(&Owner::credential(organization_id, source_id), &secret("credential"))?;
        let private_key = ring.seal(&Owner::private_key(organization_id, source_id, pair), &secret("key"))?;
        let source = source::Model {
            organization_id,
            id: source_id,
            name: format!("source {number}"),
            kind: "memory".into(),
            config: "{}".into(),
            sealed_credential: Some(credential),
            state: SourceState::Active,
            last_check: None,
            last_error: None,
            version: 1,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
        };
        let key_pair = key_pair::Model {
            organization_id,
            id: pair,
            source_id,
            slot: 1,
            public_key: String::new(),
            fingerprint: String::new(),
            sealed_private_key: private_key,
            state: KeyPairState::Made,
            created_at: 0,
            activated_at: None,
            retired_at: None,
        };
        sources.push(source.into_active_model());
        pairs.push(key_pair.into_active_model());
    }
    for sources in sources.chunks(TOGETHER) {
        source::Entity::insert_many(sources.to_vec()).exec_without_returning(db.orm()).await?;
    }
    for pairs in pairs.chunks(TOGETHER) {
        key_pair::Entity::insert_many(pairs.to_vec()).exec_without_returning(db.orm()).await?;
    }
    Ok(())
}

/// Everything sealed that is stored.
///
/// # Errors
/// When the database refuses, or a source that [`fill`] made has no credential.
pub async fn stored(db: &Db) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    for row in source::Entity::find().all(db.orm()).await? {
        found.push(Stored {
            owner: Owner::credential(row.organization_id, row.id),
            sealed: row.sealed_credential.context("it was filled")?,
            clear: format!("credential of {}", row.id),
        });
    }
    for row in key_pair::Entity::find().all(db.orm()).await? {
        found.push(Stored {
            owner: Owner::private_key(row.organization_id, row.source_id, row.id),
            sealed: row.sealed_private_key,
            clear: format!("key of {}", row.source_id),
        });
    }
    Ok(found)
}

/// Opens everything stored with a ring, checks it, and tells which keys sealed it.
///
/// # Errors
/// When something does not open, or is not what was sealed.
pub async fn opened(db: &Db, ring: &Keyring) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for Stored { owner, sealed, clear } in stored(db).await? {
        ensure!(ring.open(&owner, &sealed)?.expose_secret() == clear, "{owner:?} holds something else");
        keys.extend(sealed.as_str().split('.').nth(1).map(str::to_owned));
    }
    Ok(keys)
}
