//! Series whose name changes with the rules of matching: renamed or joined, as if it had always been so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use connector::memory::MemoryTable;
use entity::{Normalizer, StreamId};
use server::domain::matching_change::Scope;
use server::error::Error;
use server::fault::Faults;
use server::ingest;
use tests::stand::{Shape, Stand};
use tokio_util::sync::CancellationToken;

use crate::{row, table};

const SPACE: &str = "account_id";

/// Rows of one account under two spellings, which the exact rule takes for two IDs.
async fn spelled_twice(stand: &Stand) -> Result<(StreamId, MemoryTable)> {
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "A-1").await?;
    stand.identify(acme, "a-1").await?;
    let table = table();
    let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
    // Of the second 1, the later row wins whichever series it is in; the others are of one series each.
    for (id, account, value, of, updated) in [
        (1, "A-1", "10", 0, -90),
        (2, "A-1", "11", 1, -80),
        (3, "a-1", "12", 1, -70),
        (4, "a-1", "13", 2, -60),
        (5, "A-1", "14", 2, -50),
    ] {
        table.push(row(id, account, "seats", value, of, updated));
    }
    stand.sync(stream, &table).await?;
    assert_eq!(stand.measurements().await?.len(), 5);
    Ok((stream, table))
}

const JOINED: [&str; 3] = ["seats/a-1/Acme@0=10", "seats/a-1/Acme@1000000=12", "seats/a-1/Acme@2000000=14"];

async fn rule(stand: &Stand, normalizer: Normalizer) -> server::error::Result<()> {
    stand.normalize(SPACE, normalizer).await.map_err(|error| Error::internal("change a rule", error))?;
    replay(stand, Scope::Space { space: SPACE.to_owned() }).await
}

async fn replay(stand: &Stand, scope: Scope) -> server::error::Result<()> {
    ingest::replay::waiting(&stand.app, stand.organization, &scope, &CancellationToken::new()).await.map(drop)
}

#[tokio::test]
async fn series_that_a_coarser_rule_names_alike_become_one_and_the_newest_value_wins() -> Result<()> {
    for stand in Stand::both().await? {
        let (stream, table) = spelled_twice(&stand).await?;
        rule(&stand, Normalizer::Lowercase).await?;
        assert_eq!(stand.measurements().await?, JOINED);
        assert_eq!(stand.count("SELECT COUNT(*) FROM series").await?, 1);
        let kept = stand.count("SELECT COUNT(*) FROM measurement_revision").await?;
        assert!((1..=2).contains(&kept), "what was replaced is kept: {kept}");
        let run = stand.sync(stream, &table).await?;
        assert_eq!(run.written, 0, "reading it all again changes nothing: {run:?}");
        assert_eq!(stand.measurements().await?, JOINED);
    }
    Ok(())
}

#[tokio::test]
async fn joining_broken_off_and_started_again_ends_the_same() -> Result<()> {
    for place in crate::faults::JOINS {
        for mut stand in Stand::both().await? {
            spelled_twice(&stand).await?;
            let passed = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&passed);
            stand.app.faults = Faults::when(move |at| {
                at == place && counter.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)
            });
            let mut broken = 0;
            while let Err(error) = rule(&stand, Normalizer::Lowercase).await {
                assert!(matches!(error, Error::Internal(_)), "{error:?}");
                broken += 1;
                assert!(broken < 20, "it never ends");
            }
            assert!(broken > 0, "{place} was never reached");
            assert_eq!(stand.measurements().await?, JOINED);
            assert_eq!(stand.count("SELECT COUNT(*) FROM series").await?, 1);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_series_is_renamed_and_back_with_the_rule() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "A-1").await?;
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        table.push(row(1, "A-1", "seats", "10", 0, -90));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.measurements().await?, ["seats/A-1/Acme@0=10"]);
        for (normalizer, name) in [(Normalizer::Lowercase, "a-1"), (Normalizer::Exact, "A-1")] {
            rule(&stand, normalizer).await?;
            assert_eq!(stand.measurements().await?, [format!("seats/{name}/Acme@0=10")]);
            let run = stand.sync(stream, &table).await?;
            assert_eq!((run.unchanged, run.written), (1, 0));
        }
        table.change(|rows| rows[0] = row(1, "A-1", "seats", "20", 0, -10));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.measurements().await?, ["seats/A-1/Acme@0=20"], "the same measurement");
        assert_eq!(stand.count("SELECT COUNT(*) FROM series").await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_id_in_a_space_that_is_tried_earlier_renames_the_series_of_a_later_one() -> Result<()> {
    // One Salesforce ID, as 15 and as 18 characters.
    let (short, long) = ("001D000000IRFma", "001D000000IRFmaIAH");
    for stand in Stand::both().await? {
        stand.tries(&["salesforce", SPACE]).await?;
        let acme = stand.account("Acme").await?;
        stand.identify(acme, short).await?;
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        table.push(row(1, short, "seats", "10", 0, -90));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.measurements().await?, [format!("seats/{short}/Acme@0=10")]);

        let crm = stand.account("Acme in the CRM").await?;
        stand.identify_in("salesforce", Normalizer::Salesforce, crm, short).await?;
        let added =
            Scope::ExternalAccounts { space: "salesforce".to_owned(), normalized: vec![long.to_owned()] };
        replay(&stand, added.clone()).await?;
        assert_eq!(stand.measurements().await?, [format!("seats/{long}/Acme in the CRM@0=10")]);
        table.change(|rows| rows[0] = row(1, short, "seats", "20", 0, -10));
        stand.sync(stream, &table).await?;
        assert_eq!(stand.measurements().await?, [format!("seats/{long}/Acme in the CRM@0=20")]);

        stand.forget_in("salesforce", short).await?;
        replay(&stand, added).await?;
        let wanted = [format!("seats/{short}/Acme@0=20")];
        assert_eq!(stand.measurements().await?, wanted, "as if it had never been there");
    }
    Ok(())
}
