//! A series is what the source says: rules of matching and IDs come and go, and only its account moves.

use anyhow::Result;
use entity::{Normalizer, StreamId};
use server::domain::matching_change::Scope;
use server::ingest;
use tests::stand::{Shape, Stand};
use tokio_util::sync::CancellationToken;

use crate::{row, table};

const SPACE: &str = "account_id";
/// One Salesforce ID, as 15 and as 18 characters.
const SHORT: &str = "001D000000IRFma";
const LONG: &str = "001D000000IRFmaIAH";

async fn read_twice(
    stand: &Stand,
    rows: &[(&str, &str, i64)],
) -> Result<(StreamId, connector::memory::MemoryTable)> {
    let table = table();
    let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
    for (id, (account, value, of)) in rows.iter().enumerate() {
        table.push(row(id as i128, account, "seats", value, *of, -90 + id as i64));
    }
    for _ in 0..2 {
        stand.sync(stream, &table).await?;
    }
    Ok((stream, table))
}

async fn replay(stand: &Stand, scope: Scope) -> Result<()> {
    ingest::replay::waiting(&stand.app, stand.organization, &scope, &CancellationToken::new()).await?;
    Ok(())
}

async fn rule(stand: &Stand, normalizer: Normalizer) -> Result<()> {
    stand.normalize(SPACE, normalizer).await?;
    replay(stand, Scope::Space { space: SPACE.to_owned() }).await
}

#[tokio::test]
async fn a_coarser_rule_and_back_ends_as_if_it_had_never_been() -> Result<()> {
    for stand in Stand::both().await? {
        let (upper, lower) = (stand.account("Upper").await?, stand.account("Lower").await?);
        stand.identify(upper, "A-1").await?;
        stand.identify(lower, "a-1").await?;
        let (stream, table) = read_twice(&stand, &[("A-1", "10", 0), ("a-1", "20", 0)]).await?;
        let apart = ["seats/A-1/Upper@0=10", "seats/a-1/Lower@0=20"];
        assert_eq!(stand.measurements().await?, apart);
        rule(&stand, Normalizer::Lowercase).await?;
        assert_eq!(stand.measurements().await?, ["seats/A-1/@0=10", "seats/a-1/@0=20"], "ambiguous now");
        stand.forget("a-1").await?;
        replay(&stand, Scope::Everything).await?;
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.written, run.unmatched), (0, 0));
        assert_eq!(stand.measurements().await?, ["seats/A-1/Upper@0=10", "seats/a-1/Upper@0=20"]);
        stand.identify(lower, "a-1").await?;
        rule(&stand, Normalizer::Exact).await?;
        assert_eq!(stand.sync(stream, &table).await?.written, 0);
        assert_eq!(stand.measurements().await?, apart);
    }
    Ok(())
}

#[tokio::test]
async fn ids_that_one_space_takes_for_one_and_another_for_two_do_not_share_a_series() -> Result<()> {
    for stand in Stand::both().await? {
        stand.normalize("salesforce", Normalizer::Numeric).await?;
        stand.tries(&[SPACE, "salesforce"]).await?;
        let (seven, bond) = (stand.account("Seven").await?, stand.account("Bond").await?);
        stand.identify(seven, "7").await?;
        stand.identify_in("salesforce", Normalizer::Numeric, bond, "7").await?;
        read_twice(&stand, &[("7", "10", 0), ("007", "20", 0)]).await?;
        assert_eq!(stand.measurements().await?, ["seats/007/Bond@0=20", "seats/7/Seven@0=10"]);
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_25_one_id_in_two_spellings_is_one_measurement_and_the_newest_row_wins() -> Result<()> {
    for stand in Stand::both().await? {
        stand.normalize(SPACE, Normalizer::Numeric).await?;
        let (acme, globex) = (stand.account("Acme").await?, stand.account("Globex").await?);
        stand.identify_in("salesforce", Normalizer::Salesforce, acme, SHORT).await?;
        stand.identify(globex, "7").await?;
        let rows = [(SHORT, "1", 0), (LONG, "2", 0), ("7.0", "3", 0), ("7", "4", 0), (" 7", "5", 0)];
        read_twice(&stand, &rows).await?;
        let wanted = ["seats/001D000000IRFma/Acme@0=2", "seats/7/Globex@0=5"];
        assert_eq!(stand.measurements().await?, wanted);
    }
    Ok(())
}

#[tokio::test]
async fn an_id_moves_its_series_whatever_the_space_makes_of_the_spelling() -> Result<()> {
    for stand in Stand::both().await? {
        stand.normalize(SPACE, Normalizer::Lowercase).await?;
        let (one, other) = (stand.account("One").await?, stand.account("Other").await?);
        stand.identify(one, "a-1").await?;
        read_twice(&stand, &[("A-1", "10", 0)]).await?;
        assert_eq!(stand.measurements().await?, ["seats/A-1/One@0=10"]);
        let scope = Scope::ExternalAccounts { space: SPACE.to_owned(), normalized: vec!["a-1".to_owned()] };
        stand.forget("a-1").await?;
        replay(&stand, scope.clone()).await?;
        assert_eq!(stand.measurements().await?, ["seats/A-1/@0=10"]);
        stand.identify(other, "a-1").await?;
        replay(&stand, scope).await?;
        assert_eq!(stand.measurements().await?, ["seats/A-1/Other@0=10"]);
    }
    Ok(())
}
