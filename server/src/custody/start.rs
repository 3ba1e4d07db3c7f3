//! Taking up the key ring at the start, and refusing to start without the right one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;

use super::keyring::{KeyId, Keyring};
use super::resealing::{PLACES, Stored};
use super::ring_file;
use super::sealed::Sealed;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result as Done, StartError};
use crate::sql::Sql;

/// The install-wide setting that names the sealing key, so that servers with different rings notice.
const PRIMARY: &str = "keyring.primary";

/// How many sealed rows are looked at together.
const PAGE: u32 = 500;

/// Takes the key ring from the settings, from its file, or, on a database without secrets, makes one.
///
/// # Errors
/// When the ring cannot be read, or does not open what the database holds.
pub async fn start(config: &Config, db: &Db) -> Result<Keyring, StartError> {
    let ring = if config.keyring.value.expose_secret().is_empty() {
        from_file(config, db).await?
    } else {
        Keyring::parse(&config.keyring.value).map_err(|error| StartError::new(error.to_string()))?
    };
    verify(db, &ring).await?;
    agree(db, &ring).await?;
    Ok(ring)
}

async fn from_file(config: &Config, db: &Db) -> Result<Keyring, StartError> {
    if !config.keyring.file.is_empty() {
        return ring_file::load(&PathBuf::from(&config.keyring.file));
    }
    let path = config.data_dir.join("keyring");
    if path.exists() {
        return ring_file::load(&path);
    }
    let mut needed: Vec<KeyId> = samples(db).await?.into_keys().collect();
    needed.extend(agreed(db).await?.filter(|id| !needed.contains(id)));
    if !needed.is_empty() {
        return Err(StartError::new(format!(
            "there is no key ring file {}, and the database needs {}; restore the file or set keyring.file",
            path.display(),
            named(&needed)
        )));
    }
    let ring = ring_file::create(&path)?;
    tracing::info!(file = %path.display(), "a key ring was made; keep a copy of it, it opens the stored credentials");
    Ok(ring)
}

/// Checks that the ring opens what is stored.
///
/// # Errors
/// When keys are missing, which are named, or a key of the ring is not the one that sealed.
pub async fn verify(db: &Db, ring: &Keyring) -> Result<(), StartError> {
    let samples = samples(db).await?;
    let missing: Vec<KeyId> = samples.keys().filter(|id| !ring.holds(id)).cloned().collect();
    if !missing.is_empty() {
        return Err(StartError::new(format!(
            "stored secrets need {}, which the key ring does not hold; add it to the ring",
            named(&missing)
        )));
    }
    for (id, row) in samples {
        ring.open(&row.owner(), &row.sealed).map_err(|error| {
            StartError::new(format!("the key {id} of the key ring does not open {}: {error}", row.name()))
        })?;
    }
    Ok(())
}

/// One sealed row for each key in use.
async fn samples(db: &Db) -> Result<BTreeMap<KeyId, Stored>, StartError> {
    let mut samples = BTreeMap::new();
    for place in PLACES {
        let mut after = None;
        loop {
            let rows = place.page(db.orm(), after, None, PAGE).await.map_err(unreadable)?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key());
            for row in rows {
                let sealed = Sealed::parse(&row.sealed)
                    .map_err(|error| StartError::new(format!("{} is damaged: {error}", row.name())))?;
                samples.entry(sealed.key).or_insert(row);
            }
        }
    }
    Ok(samples)
}

/// The sealing key the servers of this database have agreed on.
async fn agreed(db: &Db) -> Result<Option<KeyId>, StartError> {
    let setting = Sql::new(db.orm(), "SELECT key, value FROM setting WHERE key = ").bind(PRIMARY);
    let setting = setting.one::<entity::setting::Model>(db.orm()).await.map_err(unreadable)?;
    Ok(setting.and_then(|setting| KeyId::parse(&setting.value)))
}

/// Makes servers of one database use one ring: the first names its sealing key, the others must hold it.
async fn agree(db: &Db, ring: &Keyring) -> Result<(), StartError> {
    let primary = ring.primary().as_str();
    let first = Sql::new(db.orm(), "INSERT INTO setting (key, value) VALUES (")
        .bind(PRIMARY)
        .text(", ")
        .bind(primary);
    first.text(") ON CONFLICT (key) DO NOTHING").run(db.orm()).await.map_err(unreadable)?;
    match agreed(db).await? {
        Some(id) if id == *ring.primary() => Ok(()),
        Some(id) if !ring.holds(&id) => Err(StartError::new(format!(
            "the servers of this database seal with the key {id}, which this key ring does not hold; give every server \
             the same key ring"
        ))),
        _ => {
            let moved = Sql::new(db.orm(), "UPDATE setting SET value = ").bind(primary);
            moved.text(" WHERE key = ").bind(PRIMARY).run(db.orm()).await.map_err(unreadable)?;
            Ok(())
        }
    }
}

/// Refuses to seal for a server that began with an older ring, since the keys of that may be dropped soon. In the
/// transaction that stores what is sealed: whoever moves to another key waits for its end, and then finds what was stored.
///
/// # Errors
/// `Conflict` when the servers of this database seal with another key.
pub async fn may_seal(db: &impl ConnectionTrait, ring: &Keyring) -> Done<()> {
    let setting = Sql::new(db, "SELECT key, value FROM setting WHERE key = ").bind(PRIMARY);
    let setting = setting.postgres(" FOR SHARE").one::<entity::setting::Model>(db).await?;
    match setting {
        Some(setting) if setting.value != ring.primary().as_str() => Err(Error::Conflict(format!(
            "this server began with an older key ring, of which {} seals, and others seal with {}: restart it with the \
             present ring, then store the secret again",
            ring.primary(),
            setting.value
        ))),
        _ => Ok(()),
    }
}

fn named(ids: &[KeyId]) -> String {
    let ids: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
    format!("{} {}", if ids.len() == 1 { "the key" } else { "the keys" }, ids.join(", "))
}

fn unreadable(error: impl std::fmt::Display) -> StartError {
    StartError::new(format!("the stored secrets cannot be checked: {error}"))
}
