//! What is read, what is not, and how the watermark moves.

use anyhow::Result;
use connector::memory::Owned;
use connector::{CursorKind, Watermark};
use entity::{NullCursor, RunKind, checkpoint};
use sea_orm::EntityTrait;
use server::ingest::{Outcome, Range};
use tests::stand::{Shape, Stand};

use crate::{at, row, table};

async fn watermark(stand: &Stand, stream: entity::StreamId) -> Result<String> {
    let key = (stand.organization, stream);
    let found = checkpoint::Entity::find_by_id(key).one(stand.app.db.orm()).await?;
    Ok(found.map(|checkpoint| checkpoint.watermark).unwrap_or_default())
}

#[tokio::test]
async fn pitfall_01_rows_with_the_boundary_value_arrive() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        table.push(row(1, "acme", "seats", "1", 0, -10));
        assert_eq!(stand.sync(stream, &table).await?.written, 1);
        table.push(row(2, "acme", "seats", "2", 60, -10));
        let run = stand.sync(stream, &table).await?;
        assert_eq!(
            (run.written, run.unchanged),
            (1, 1),
            "the tie is found, the row before it changes nothing"
        );
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_read, run.rows_repeated), (2, 2), "the window holds what it held");
        assert_eq!(stand.measurements().await?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_02_ties_longer_than_a_page() -> Result<()> {
    for mut stand in Stand::both().await? {
        set_batch(&mut stand, 100);
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        for id in 0..350 {
            table.push(row(id, "acme", "seats", &id.to_string(), id as i64, -10));
        }
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_read, run.written, run.batches), (350, 350, 4));
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_04_late_commits_are_found_within_the_lookback() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 30_000_000, ..Shape::default() }).await?;
        table.push(row(1, "acme", "seats", "1", 0, -10));
        stand.sync(stream, &table).await?;
        let before = watermark(&stand, stream).await?;
        for id in 0..100 {
            table.push(row(100 + id, "acme", "late", "7", id as i64, -20));
        }
        let run = stand.sync(stream, &table).await?;
        assert_eq!(run.written, 100, "rows ten seconds older than the watermark");
        assert_eq!(watermark(&stand, stream).await?, before, "the lookback is subtracted in the query only");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_06_the_mark_never_moves_backwards() -> Result<()> {
    for stand in Stand::both().await? {
        let table = table();
        let stream = stand.stream(&table, Shape { lookback: 3_600_000_000, ..Shape::default() }).await?;
        table.push(row(1, "acme", "seats", "1", 0, -10));
        stand.sync(stream, &table).await?;
        let mark = watermark(&stand, stream).await?;
        table.change(|rows| rows[0][5] = Owned::Zoned(at(-60)));
        stand.sync(stream, &table).await?;
        table.change(Vec::clear);
        stand.sync(stream, &table).await?;
        assert_eq!(watermark(&stand, stream).await?, mark);
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_11_null_cursors_follow_the_policy_and_are_counted() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let mut null = row(1, "acme", "seats", "1", 0, 0);
        null[5] = Owned::Null;
        table.push(null);
        table.push(row(2, "acme", "seats", "2", 60, -10));
        let reject = stand.stream(&table, Shape::default()).await?;
        let run = stand.sync(reject, &table).await?;
        assert_eq!((run.rows_rejected, run.null_cursors, run.written), (1, 1, 1));
        assert_eq!(stand.waiting().await?, ["rejected 1/ null_cursor"]);
        let include =
            stand.stream(&table, Shape { null_cursor: NullCursor::Include, ..Shape::default() }).await?;
        for _ in 0..2 {
            let run = stand.sync(include, &table).await?;
            assert_eq!((run.rows_rejected, run.null_cursors), (0, 1));
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_12_one_row_from_2099_does_not_freeze_the_feed() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        table.push(row(1, "acme", "seats", "1", 0, -10));
        table.push(row(2, "acme", "seats", "9", 60, 73 * 365 * 86_400));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.written, run.rows_rejected), (1, 1));
        assert_eq!(stand.waiting().await?, ["rejected 2/ future_cursor"]);
        table.push(row(3, "acme", "seats", "3", 120, 5));
        assert_eq!(stand.sync(stream, &table).await?.written, 1, "the feed goes on");
        table.change(|rows| rows[1][5] = Owned::Zoned(at(6)));
        assert_eq!(stand.sync(stream, &table).await?.written, 1, "the row comes in once its date is mended");
        assert!(stand.waiting().await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_13_a_mark_of_another_column_does_not_count() -> Result<()> {
    let stand = Stand::sqlite().await?;
    let table = table();
    let stream = stand.stream(&table, Shape::default()).await?;
    table.push(row(1, "acme", "seats", "1", -600, -10));
    stand.sync(stream, &table).await?;
    let mut model: entity::stream::ActiveModel =
        entity::stream::Entity::find_by_id((stand.organization, stream))
            .one(stand.app.db.orm())
            .await?
            .expect("the stream exists")
            .into();
    model.cursor_column = sea_orm::Set("at".to_owned());
    sea_orm::ActiveModelTrait::update(model, stand.app.db.orm()).await?;
    assert_eq!(stand.sync(stream, &table).await?.rows_read, 1, "everything is read by the new column");
    assert_eq!(watermark(&stand, stream).await?, "2025-12-31T23:50:00Z");
    Ok(())
}

#[tokio::test]
async fn a_backfill_reads_its_range_and_leaves_the_checkpoint() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        for id in 0..10 {
            table.push(row(id, "acme", "seats", &id.to_string(), id as i64, -100 + id as i64));
        }
        stand.sync(stream, &table).await?;
        let mark = watermark(&stand, stream).await?;
        table.change(|rows| rows[4][3] = Owned::Decimal("44".to_owned()));
        let lease = stand.claim(stream, RunKind::Backfill).await?;
        let text = |second| {
            Watermark::of(CursorKind::Zoned, &connector::Cell::Zoned(at(second))).map(|mark| mark.text)
        };
        let range = Range::Between { since: text(-97), until: text(-95) };
        assert_eq!(stand.attempt(stream, &table, &lease, &range).await?, Outcome::Done);
        let run = stand.finish(&lease).await?;
        assert_eq!(
            (run.rows_read, run.written, run.unchanged),
            (3, 1, 2),
            "a value changed in place is corrected"
        );
        assert_eq!(watermark(&stand, stream).await?, mark);
        assert_eq!(stand.count("SELECT COUNT(*) FROM measurement_revision").await?, 1);
    }
    Ok(())
}

/// Makes batches small enough to see their edges.
pub fn set_batch(stand: &mut Stand, rows: usize) {
    let mut config = (*stand.app.config).clone();
    config.sync.batch_rows = rows;
    stand.app.config = std::sync::Arc::new(config);
}

#[tokio::test]
async fn pitfall_03_the_state_is_one_position_however_many_rows_tie() -> Result<()> {
    let stand = Stand::sqlite().await?;
    let table = table();
    let stream = stand.stream(&table, Shape::default()).await?;
    table.push(row(0, "acme", "seats", "1", 0, -10));
    stand.sync(stream, &table).await?;
    let size =
        "SELECT LENGTH(watermark) + LENGTH(position) + COALESCE(LENGTH(window_hash), 0) FROM checkpoint";
    let before = stand.count(size).await?;
    for id in 1..1_000 {
        table.push(row(id, "acme", "seats", "1", id as i64, -10));
    }
    stand.sync(stream, &table).await?;
    assert!(stand.count(size).await? < before + 10, "a thousand ties take no more room than one");
    Ok(())
}
