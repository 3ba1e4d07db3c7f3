//! Values, corrections and what is kept of them.

use anyhow::Result;
use connector::memory::Owned;
use entity::{Decimal, SeriesId};
use server::auth::Viewer;
use server::domain::change::Change;
use tests::stand::{START, Shape, Stand};

use crate::{row, table};

#[tokio::test]
async fn pitfall_14_values_are_exact_to_the_last_digit() -> Result<()> {
    let numbers = [
        "0",
        "-0.1",
        "99999999999999.999999",
        "12345678901234567890123456789012345678",
        "0.0000000000000000000000000000000000001",
        "99999999999999999999999999999999999999.99999999999999999999999999999999999999",
        "123456789012345678901234567890123456789012345678901234567890",
    ];
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        for (index, number) in numbers.iter().enumerate() {
            table.push(row(index as i128, "acme", "exact", number, index as i64, -10));
        }
        assert_eq!(stand.sync(stream, &table).await?.written, numbers.len() as i64);
        let wanted: Vec<String> = numbers
            .iter()
            .enumerate()
            .map(|(index, number)| format!("exact/acme/Acme@{}={number}", index * 1_000_000))
            .collect();
        assert_eq!(stand.measurements().await?, wanted);
        stand.changed().await?;
        assert_eq!(stand.sync(stream, &table).await?.unchanged, numbers.len() as i64);
    }
    Ok(())
}

#[tokio::test]
async fn the_newest_value_wins_and_the_old_one_is_kept() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        table.push(row(1, "acme", "seats", "1", 0, -100));
        stand.sync(stream, &table).await?;
        table.change(|rows| rows[0] = row(1, "acme", "seats", "2", 0, -50));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.written, run.superseded), (1, 0));
        table.push(row(2, "acme", "seats", "3", 0, -80));
        let run = stand.sync(stream, &table).await?;
        assert_eq!(
            (run.written, run.unchanged, run.superseded),
            (0, 1, 1),
            "the late row lost within its batch"
        );
        assert_eq!(stand.measurements().await?, ["seats/acme/Acme@0=2"]);
        assert_eq!(stand.count("SELECT COUNT(*) FROM measurement_revision").await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_unchanged_value_still_moves_its_cursor() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        table.push(row(1, "acme", "seats", "5", 0, -100));
        stand.sync(stream, &table).await?;
        table.change(|rows| rows[0] = row(1, "acme", "seats", "5", 0, -50));
        assert_eq!(stand.sync(stream, &table).await?.unchanged, 1);
        table.change(|rows| *rows = vec![row(2, "acme", "seats", "7", 0, -70)]);
        let run = stand.sync(stream, &table).await?;
        assert_eq!(run.superseded, 1, "a row older than the confirmation loses");
        assert_eq!(stand.measurements().await?, ["seats/acme/Acme@0=5"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_value_typed_by_a_person_stands_and_the_conflict_is_kept_once() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        table.push(row(1, "acme", "seats", "1", 0, -100));
        stand.sync(stream, &table).await?;
        let series = SeriesId(stand.count("SELECT MIN(id) FROM series").await?);
        let typed: Decimal = "42".parse()?;
        let viewer = Viewer::system(stand.organization);
        let transaction = stand.app.db.begin().await?;
        let change = Change::new(&transaction, &viewer, stand.app.clock.now());
        server::domain::measurement::set(&change, series, START, typed, None).await?;
        transaction.commit().await?;
        for _ in 0..3 {
            table.change(|rows| rows[0] = row(1, "acme", "seats", "2", 0, -50));
            stand.changed().await?;
            assert_eq!(stand.sync(stream, &table).await?.superseded, 1);
        }
        assert_eq!(stand.measurements().await?, ["seats/acme/Acme@0=42"]);
        let conflicts = "SELECT COUNT(*) FROM measurement_revision WHERE reason = 'conflict'";
        assert_eq!(stand.count(conflicts).await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn rejected_rows_heal_when_the_source_mends_them() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 600_000_000, ..Shape::default() }).await?;
        let mut bad = row(1, "acme", "seats", "1", 0, -10);
        bad[1] = Owned::Null;
        table.push(bad);
        let mut worse = row(2, "acme", "seats", "1", 60, -10);
        worse[4] = Owned::Null;
        table.push(worse);
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_rejected, run.rows_mapped), (2, 0));
        stand.changed().await?;
        assert_eq!(stand.sync(stream, &table).await?.rows_rejected, 2);
        assert_eq!(stand.waiting().await?.len(), 2, "reading them again keeps them once");
        table.change(|rows| {
            rows[1] = row(2, "acme", "seats", "8", 60, -10);
        });
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_rejected, run.written), (1, 1));
        assert_eq!(stand.waiting().await?, ["rejected 1/ null_key"], "under its own key");
        table.change(|rows| rows[0] = row(1, "acme", "seats", "9", 30, -5));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_rejected, run.written), (0, 1));
        assert!(stand.waiting().await?.is_empty(), "what was mended waits no more");
    }
    Ok(())
}
