//! Sealed text that was moved to another row or changed opens nowhere, in each column that holds any.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use entity::{Hidden, key_pair, source};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Set, Statement};
use server::custody::{self, Keyring, KeyringError};
use server::db::{Backend, Db};
use tests::databases::Both;
use tests::sealed::{fill, opened, stored};

/// The columns whose names say that they are sealed, as `table.column`.
async fn columns(db: &Db) -> Result<BTreeSet<String>> {
    let sql = match db.backend() {
        Backend::Postgres => {
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns \
             WHERE table_schema = 'public' AND column_name LIKE 'sealed%'"
        }
        Backend::Sqlite => {
            "SELECT t.name || '.' || c.name AS name FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.name LIKE 'sealed%'"
        }
    };
    let orm = db.orm();
    let found = orm.query_all_raw(Statement::from_string(orm.get_database_backend(), sql)).await?;
    found.iter().map(|row| Ok(row.try_get("", "name")?)).collect()
}

/// Seals more than one secret in every sealed column, of two organizations.
async fn scene(db: &Db) -> Result<Keyring> {
    let all = ["key_pair.sealed_private_key", "source.sealed_credential"].map(str::to_owned);
    assert_eq!(columns(db).await?, all.into(), "a new sealed column belongs into `tests::sealed`");
    let ring = Keyring::generate()?;
    fill(db, &ring, 2).await?;
    fill(db, &ring, 1).await?;
    Ok(ring)
}

#[tokio::test]
async fn what_was_sealed_for_one_row_and_column_opens_in_no_other() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let ring = scene(db).await?;
        let places = stored(db).await?;
        assert_eq!(places.len(), 6);
        for to in &places {
            for from in &places {
                let opened = ring.open(&to.owner, &from.sealed);
                if to.owner == from.owner {
                    assert!(opened.is_ok(), "{to:?}");
                } else {
                    assert_eq!(opened.err(), Some(KeyringError::Refused), "{from:?} opened as {to:?}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_or_cut_text_opens_nowhere() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let ring = scene(db).await?;
        let other = ring.rotated()?;
        for place in stored(db).await? {
            let text = place.sealed.as_str();
            let body = text.rfind('.').context("version, key and bytes")? + 1;
            // Each letter of the base64 stands for bits of nonce, ciphertext or tag; the last may hold unused ones.
            for at in body..text.len() - 1 {
                let letter = if &text[at..=at] == "A" { "B" } else { "A" };
                let changed = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
                assert!(ring.open(&place.owner, &changed.into()).is_err(), "letter {at} of {text}");
            }
            for cut in [text[..text.len() - 4].to_owned(), format!("{text}AAAA"), text[..body].to_owned()] {
                assert!(ring.open(&place.owner, &cut.into()).is_err());
            }
            let renamed = text.replacen(ring.primary().as_str(), other.primary().as_str(), 1);
            assert_eq!(other.open(&place.owner, &renamed.into()).err(), Some(KeyringError::Refused));
        }
    }
    Ok(())
}

#[tokio::test]
async fn moved_text_is_named_when_all_is_sealed_anew_and_stays_as_it_is() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let ring = scene(db).await?;
        let sources = source::Entity::find().all(db.orm()).await?;
        let pairs = key_pair::Entity::find().all(db.orm()).await?;
        let (credential, key) = (sources[0].sealed_credential.clone(), pairs[0].sealed_private_key.clone());
        let mut moved = sources[1].clone().into_active_model();
        moved.sealed_credential = Set(credential.clone());
        source::Entity::update(moved).exec(db.orm()).await?;
        let mut moved = pairs[1].clone().into_active_model();
        moved.sealed_private_key = Set(key.clone());
        key_pair::Entity::update(moved).exec(db.orm()).await?;
        assert!(opened(db, &ring).await.is_err());

        let rotated = ring.rotated()?;
        let done = custody::reseal(db, &rotated).await?;
        assert_eq!((done.resealed, done.refused.len()), (4, 2), "{done:?}");
        for (reason, id) in done.refused.iter().zip([sources[1].id.to_string(), pairs[1].id.to_string()]) {
            assert!(reason.contains(&id) && reason.contains("belongs elsewhere"), "{reason}");
        }
        let left: Vec<Hidden> = stored(db).await?.into_iter().map(|it| it.sealed).collect();
        assert!(credential.is_some_and(|text| left.contains(&text)) && left.contains(&key));
        // The old key is still needed for them: it cannot be done without.
        assert!(custody::verify(db, &rotated.without_older_keys()).await.is_err());
    }
    Ok(())
}
