//! Servers that began with an older ring, while others have moved on.

use anyhow::Result;
use server::custody;
use server::error::Error;
use tests::databases::Both;

use crate::settings;

#[tokio::test]
async fn a_server_with_the_ring_of_before_seals_nothing_more() -> Result<()> {
    let both = Both::migrated().await?;
    for db in both.each() {
        let folder = tempfile::tempdir()?;
        let ring = custody::start(&settings(folder.path())?, db).await?;
        custody::may_seal(db.orm(), &ring).await?;

        let rotated = ring.rotated()?;
        custody::save(&folder.path().join("keyring"), &rotated)?;
        custody::start(&settings(folder.path())?, db).await?;
        custody::may_seal(db.orm(), &rotated).await?;
        let refused = custody::may_seal(db.orm(), &ring).await.expect_err("an older key sealed");
        assert!(matches!(&refused, Error::Conflict(text) if text.contains("restart it")), "{refused}");
        let named = refused.to_string();
        assert!(
            named.contains(ring.primary().as_str()) && named.contains(rotated.primary().as_str()),
            "{named}"
        );
    }
    Ok(())
}
