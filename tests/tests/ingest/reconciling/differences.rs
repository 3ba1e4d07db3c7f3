//! What differs, what is read again, and what is left alone.

use std::sync::Arc;

use anyhow::{Context, Result};
use connector::Connector;
use connector::memory::Owned;
use entity::RunTrigger;
use server::auth::Viewer;
use server::domain::change::Change;
use server::domain::reconcile::Gap;
use server::domain::stream_change;
use server::domain::stream_change::StreamChange;
use tests::stand::{Gate, Shape, Stand};

use super::{A_DAY, HOUR, backfills, counts, night, slices, source, synced};
use crate::{row, table, wide_row, wide_table};

#[tokio::test]
async fn of_an_untouched_table_nothing_is_read_again() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        let gate = Gate::open(&table);
        let counted: Arc<dyn Connector> = Arc::new(gate.clone());
        let of = night(&stand, stream, &counted).await?;
        assert_eq!(counts(&of), (5, 0, 0, 0));
        assert_eq!((gate.reads(), gate.others()), (0, 1), "one statement");
        assert_eq!(of.source_statements, 1, "and it is counted");
        assert!(of.finished_at.is_some() && of.error_message.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_04_a_row_later_than_the_lookback_is_found_and_only_its_day_is_read_again() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
        assert_eq!(stand.sync(stream, &table).await?.written, 0, "no run sees it");
        let of = night(&stand, stream, &source(&table)).await?;
        assert_eq!(counts(&of), (5, 1, 0, 1));
        let runs = backfills(&stand, stream).await?;
        assert_eq!(runs.len(), 1);
        let range = (runs[0].since.as_deref(), runs[0].until.as_deref());
        assert_eq!(range, (Some("2025-12-30T00:00:00Z"), Some("2025-12-30T23:59:59.999999999Z")));
        assert_eq!((runs[0].rows_read, runs[0].trigger), (3, RunTrigger::Reconcile));
        let slices = slices(&stand, &of).await?;
        assert_eq!(Gap::parse(&slices[0].gap).context("a gap")?.readings, 1);
        assert!(slices[0].rest.as_deref().and_then(Gap::parse).is_some_and(|rest| rest.closed()));
        assert_eq!(stand.measurements().await?.len(), 11);
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 0, 0));
    }
    Ok(())
}

#[tokio::test]
async fn values_changed_in_place_are_found_on_neighboring_days_by_one_run() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.change(|rows| {
            for (row, value) in [(2, "2.50000000000000000000000000001"), (4, "-4.5"), (8, "80")] {
                rows[row][3] = Owned::Decimal(value.to_owned());
            }
        });
        let of = night(&stand, stream, &source(&table)).await?;
        assert_eq!(counts(&of), (5, 3, 0, 3));
        let read: Vec<i64> = backfills(&stand, stream).await?.iter().map(|run| run.rows_read).collect();
        assert_eq!(read, [4, 2], "two days by one run, and one by another");
        let measured = stand.measurements().await?.join(" ");
        assert!(
            measured.contains("=2.50000000000000000000000000001") && measured.contains("=80"),
            "{measured}"
        );
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 0, 0));
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_row_is_told_once_and_its_measurement_stays() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.change(|rows| drop(rows.remove(3)));
        let of = night(&stand, stream, &source(&table)).await?;
        assert_eq!(counts(&of), (5, 1, 0, 0));
        let rest = slices(&stand, &of).await?[0].rest.as_deref().and_then(Gap::parse).context("a rest")?;
        assert_eq!((rest.readings, rest.sum.as_deref()), (-1, Some("-3.5")));
        assert_eq!(stand.measurements().await?.len(), 10);
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 1, 0), "explained");
        assert_eq!(backfills(&stand, stream).await?.len(), 1);
        // All that the table held of a day is gone.
        table.change(|rows| rows.retain(|row| row[0] != Owned::Int(4) && row[0] != Owned::Int(5)));
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 1, 1, 0));
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 2, 0));
    }
    Ok(())
}

#[tokio::test]
async fn rows_that_compete_for_one_time_are_explained_until_something_else_differs() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        // The same series and time twice: the later row wins, and one of the two has no measurement.
        table.push(row(50, "acme", "seats", "50", 9_000, -HOUR));
        table.push(row(51, "acme", "seats", "51", 9_000, -HOUR + 1));
        stand.sync(stream, &table).await?;
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 1, 0, 0));
        let before = stand.measurements().await?;
        for _ in 0..2 {
            assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 1, 0));
        }
        assert_eq!(backfills(&stand, stream).await?.len(), 1, "not read again the second night");
        assert_eq!(stand.measurements().await?, before);
        // What comes in as it should does not change the gap; what comes late does.
        table.push(row(52, "acme", "seats", "52", 9_060, -HOUR + 2));
        stand.sync(stream, &table).await?;
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 1, 0));
        table.push(row(53, "acme", "seats", "53", 9_120, -2 * HOUR));
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 1, 0, 1));
        // An edit of the stream is a reason to look once more.
        let viewer = Viewer::system(stand.organization);
        let change = Change::new(stand.app.db.orm(), &viewer, stand.app.clock.now());
        let wanted = StreamChange { name: Some("Other".to_owned()), ..Default::default() };
        stream_change::update(&change, stream, wanted, None).await?;
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 1, 0, 0));
        assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 1, 0));
    }
    Ok(())
}

#[tokio::test]
async fn rows_that_wait_or_were_rejected_count_as_taken_in() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let long = table();
        long.push(row(1, "acme", "seats", "1.25", 0, -A_DAY));
        long.push(row(2, "nobody", "seats", "2.5", 0, -A_DAY + 1));
        let mut unreadable = row(3, "acme", "seats", "3.75", 0, -A_DAY + 2);
        unreadable[4] = Owned::Null;
        let mut empty = row(4, "acme", "seats", "0", 60, -A_DAY + 3);
        empty[3] = Owned::Null;
        let mut null = row(5, "acme", "seats", "5", 120, 0);
        null[5] = Owned::Null;
        [unreadable, empty, null].into_iter().for_each(|row| long.push(row));
        let stream = stand.stream(&long, Shape::default()).await?;
        let run = stand.sync(stream, &long).await?;
        assert_eq!((run.written, run.unmatched, run.rows_rejected, run.null_cells), (1, 1, 2, 1));
        assert_eq!(counts(&night(&stand, stream, &source(&long)).await?), (1, 0, 0, 0));
        // A rejected row that is another by now differs too.
        long.change(|rows| rows[2][3] = Owned::Decimal("3.5".to_owned()));
        assert_eq!(counts(&night(&stand, stream, &source(&long)).await?), (1, 1, 0, 0));
        assert_eq!(counts(&night(&stand, stream, &source(&long)).await?), (1, 0, 0, 0));

        let wide = wide_table();
        wide.push(wide_row(1, "acme", [Some("1"), Some("2.5")], (0, -A_DAY)));
        wide.push(wide_row(2, "nobody", [None, Some("4")], (60, -A_DAY + 1)));
        wide.push(wide_row(3, "acme", [None, None], (120, -A_DAY + 2)));
        let stream = stand.wide_stream(&wide, &["w0", "w1"], Shape::default()).await?;
        stand.sync(stream, &wide).await?;
        assert_eq!(counts(&night(&stand, stream, &source(&wide)).await?), (1, 0, 0, 0));
        wide.change(|rows| rows[1][2] = Owned::Decimal("9".to_owned()));
        let of = night(&stand, stream, &source(&wide)).await?;
        assert_eq!((of.slices, of.differing), (1, 1));
        assert!(
            slices(&stand, &of).await?[0].rest.as_deref().and_then(Gap::parse).is_some_and(|it| it.closed())
        );
    }
    Ok(())
}
