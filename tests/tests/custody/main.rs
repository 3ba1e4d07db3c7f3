//! The key ring against stored secrets: taken up, refused, rotated, on both databases.

mod moved;
mod older_ring;

use std::path::Path;

use anyhow::Result;
use secrecy::ExposeSecret;
use server::config::Config;
use server::custody::{self, Keyring, Resealed};
use tests::databases::Both;
use tests::sealed::{fill, opened};

fn settings(data_dir: &Path) -> Result<Config> {
    let mut config = Config::load(None)?;
    config.data_dir = data_dir.to_owned();
    Ok(config)
}

fn text(ring: &Keyring) -> String {
    ring.text().expose_secret().to_owned()
}

#[tokio::test]
async fn a_first_start_makes_a_ring_and_the_next_takes_it_up() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let folder = tempfile::tempdir()?;
        let config = settings(folder.path())?;
        let ring = custody::start(&config, db).await?;
        assert!(folder.path().join("keyring").is_file());
        assert_eq!(text(&custody::start(&config, db).await?), text(&ring));
    }
    Ok(())
}

#[tokio::test]
async fn stored_secrets_without_their_ring_mean_no_start() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let folder = tempfile::tempdir()?;
        let config = settings(folder.path())?;
        let ring = Keyring::generate()?;
        fill(db, &ring, 2).await?;

        let refused = custody::start(&config, db).await.expect_err("a ring was made").to_string();
        assert!(refused.contains(ring.primary().as_str()), "{refused}");
        assert!(!folder.path().join("keyring").exists());

        custody::save(&folder.path().join("keyring"), &Keyring::generate()?)?;
        let refused = custody::start(&config, db).await.expect_err("the wrong ring was taken").to_string();
        assert!(refused.contains(ring.primary().as_str()), "{refused}");

        let forged = text(&Keyring::generate()?);
        let forged =
            forged.split_once(':').map(|(_, key)| format!("{}:{key}", ring.primary())).expect("a key");
        let mut by_value = config.clone();
        by_value.keyring.value = forged.into();
        let refused = custody::start(&by_value, db).await.expect_err("a forged key was taken").to_string();
        assert!(refused.contains("does not open the credential of source"), "{refused}");

        by_value.keyring.value = ring.text();
        assert_eq!(text(&custody::start(&by_value, db).await?), text(&ring));
    }
    Ok(())
}

#[tokio::test]
async fn servers_of_one_database_need_one_ring() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let first = custody::start(&settings(one.path())?, db).await?;
        let refused =
            custody::start(&settings(two.path())?, db).await.expect_err("a second ring").to_string();
        assert!(refused.contains(first.primary().as_str()), "{refused}");

        let other = two.path().join("keyring");
        custody::save(&other, &Keyring::generate()?)?;
        let refused = custody::start(&settings(two.path())?, db).await.expect_err("another ring").to_string();
        assert!(refused.contains(first.primary().as_str()), "{refused}");

        let rotated = first.rotated()?;
        custody::save(&other, &rotated)?;
        custody::start(&settings(two.path())?, db).await?;
        let refused =
            custody::start(&settings(one.path())?, db).await.expect_err("the ring of before").to_string();
        assert!(refused.contains(rotated.primary().as_str()), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_38_rotation_reseals_every_secret_in_batches() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let ring = Keyring::generate()?;
        fill(db, &ring, 120).await?;
        fill(db, &ring, 105).await?;
        let rotated = ring.rotated()?;
        assert_eq!(opened(db, &rotated).await?, [ring.primary().to_string()].into());

        assert_eq!(custody::reseal(db, &rotated).await?, Resealed { resealed: 450, refused: vec![] });
        assert_eq!(custody::reseal(db, &rotated).await?, Resealed::default());
        let alone = rotated.without_older_keys();
        assert_eq!(opened(db, &alone).await?, [rotated.primary().to_string()].into());
        custody::verify(db, &alone).await?;
        assert!(custody::verify(db, &ring).await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_that_does_not_open_stops_no_other() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let (lost, ring) = (Keyring::generate()?, Keyring::generate()?);
        fill(db, &lost, 1).await?;
        fill(db, &ring, 2).await?;
        let resealed = custody::reseal(db, &ring.rotated()?).await?;
        assert_eq!(resealed.resealed, 4);
        assert_eq!(resealed.refused.len(), 2);
        assert!(resealed.refused.iter().all(|reason| reason.contains(lost.primary().as_str())));
    }
    Ok(())
}
