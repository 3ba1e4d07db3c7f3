//! `weir keys`: rotating the ring and sealing anew, without losing a credential.

use anyhow::{Context, Result};
use entity::{OrganizationId, SourceId, SourceState, organization, source};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use secrecy::ExposeSecret;
use server::custody::{self, credential};
use server::db::Db;

use crate::program::Install;

async fn database(install: &Install) -> Result<Db> {
    Ok(Db::connect(&format!("sqlite:{}", install.data().join("weir.db").display()).into(), 1).await?)
}

/// Stores a source whose credential is sealed by the present ring.
async fn seal(install: &Install) -> Result<(OrganizationId, SourceId)> {
    let db = database(install).await?;
    let (organization, source) = (OrganizationId::new(), SourceId::new());
    organization::ActiveModel {
        id: Set(organization),
        name: Set("Acme".to_owned()),
        ingestion_enabled: Set(true),
        created_at: Set(0),
    }
    .insert(db.orm())
    .await?;
    let ring = custody::load(&install.data().join("keyring"))?;
    let sealed = credential::seal(&ring, organization, source, &"s3cret".to_owned().into())?;
    source::ActiveModel {
        organization_id: Set(organization),
        id: Set(source),
        name: Set("warehouse".to_owned()),
        kind: Set("postgres".to_owned()),
        config: Set("{}".to_owned()),
        sealed_credential: Set(Some(sealed)),
        state: Set(SourceState::Active),
        last_check: Set(None),
        last_error: Set(None),
        version: Set(1),
        created_at: Set(0),
        updated_at: Set(0),
        deleted_at: Set(None),
    }
    .insert(db.orm())
    .await?;
    Ok((organization, source))
}

async fn opened(install: &Install, (organization, id): (OrganizationId, SourceId)) -> Result<String> {
    let db = database(install).await?;
    let row = source::Entity::find_by_id((organization, id)).one(db.orm()).await?.context("it is stored")?;
    let ring = custody::load(&install.data().join("keyring"))?;
    let sealed = row.sealed_credential.context("it has a credential")?;
    Ok(credential::open(&ring, organization, id, &sealed)?.expose_secret().to_owned())
}

fn ids(install: &Install) -> Result<Vec<String>> {
    let said = install.run(&["keys", "list"])?;
    assert!(said.success, "{said:?}");
    Ok(said.out.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

#[tokio::test]
async fn a_rotated_ring_seals_everything_anew() -> Result<()> {
    let install = Install::new()?;
    let server = install.start("serve")?;
    server.line("set-up token: ")?;
    server.stop()?;
    let stored = seal(&install).await?;
    let first = ids(&install)?;
    assert_eq!(first.len(), 1);

    let said = install.run(&["keys", "rotate"])?;
    assert!(said.success, "{said:?}");
    let rotated = ids(&install)?;
    assert_eq!((rotated.len(), &rotated[1]), (2, &first[0]));
    assert!(opened(&install, stored).await?.contains("s3cret"));

    let said = install.run(&["keys", "reseal", "--drop-older"])?;
    assert!(said.success && said.out.starts_with("1 sealed anew"), "{said:?}");
    assert_eq!(ids(&install)?, rotated[..1]);
    assert!(opened(&install, stored).await?.contains("s3cret"));
    let server = install.start("serve")?;
    server.line("Weir is at")?;
    server.stop()?;
    Ok(())
}

#[tokio::test]
async fn without_the_ring_that_sealed_there_is_no_start() -> Result<()> {
    let install = Install::new()?;
    assert!(install.run(&["migrate"])?.success);
    std::fs::write(install.data().join("keyring"), install.run(&["keys", "generate"])?.out)?;
    seal(&install).await?;
    let key = ids(&install)?.remove(0);
    std::fs::remove_file(install.data().join("keyring"))?;
    let said = install.run(&["serve"])?;
    assert!(!said.success && said.err.contains(&key), "{said:?}");
    assert!(!install.data().join("keyring").exists(), "it made another ring");
    std::fs::write(install.data().join("keyring"), install.run(&["keys", "generate"])?.out)?;
    let other = install.run(&["serve"])?;
    assert!(!other.success && other.err.contains(&key), "{other:?}");
    let reseal = install.run(&["keys", "reseal"])?;
    assert!(!reseal.success && reseal.err.contains(&key), "{reseal:?}");
    Ok(())
}

#[test]
fn a_ring_from_the_settings_cannot_be_changed_here() -> Result<()> {
    let ring = Install::new()?.run(&["keys", "generate"])?.out;
    let install = Install::new()?.with("KEYRING__VALUE", ring.trim());
    let said = install.run(&["keys", "rotate"])?;
    assert!(!said.success && said.err.contains("keys generate"), "{said:?}");
    assert_eq!(ids(&install)?.len(), 1);
    let secret = ring.trim().split_once(':').map_or("", |(_, secret)| secret);
    assert!(!said.err.contains(secret), "{said:?}");
    Ok(())
}
