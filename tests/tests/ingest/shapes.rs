//! Wide rows, and the columns that tell product and period.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use connector::Type;
use connector::memory::{MemoryTable, Owned};
use entity::{Destination, RunKind, StreamShape};
use server::error::Error;
use server::fault::Faults;
use server::ingest::{Outcome, Range};
use tests::stand::{Shape, Stand, StreamSpec, balanced};

use crate::cursor::set_batch;
use crate::{at, row, wide_row, wide_table};

#[tokio::test]
async fn a_wide_row_is_a_reading_per_column_and_each_goes_its_own_way() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = wide_table();
        let inputs = Shape { destination: Destination::Inputs, lookback: 600_000_000, ..Shape::default() };
        let stream = stand.wide_stream(&table, &["w0", "w1"], inputs).await?;
        let first = stand.link(acme, "w0").await?;
        table.push(wide_row(1, "acme", [Some("1"), Some("10")], (0, -100)));
        table.push(wide_row(2, "acme", [Some("2"), None], (60, -90)));
        table.push(wide_row(3, "acme", [None, None], (120, -80)));
        table.push(wide_row(4, "acme", [Some("4"), Some(&"7".repeat(500))], (180, -70)));
        let mut nobody = wide_row(5, "acme", [Some("5"), Some("50")], (240, -60));
        nobody[1] = Owned::Null;
        table.push(nobody);
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_read, run.rows_mapped, run.rows_rejected), (5, 3, 2), "rows");
        assert_eq!((run.readings, run.written, run.unmatched, run.null_cells), (3, 2, 1, 3), "readings");
        assert_eq!(stand.measurements().await?, ["w0/acme/Acme@0=1", "w0/acme/Acme@60000000=2"]);
        let waiting =
            ["rejected 4/ value_too_long", "rejected 5/ null_key", "unmatched 1/w1 metric_unlinked"];
        assert_eq!(stand.waiting().await?, waiting, "a row with one bad cell says nothing at all");
        stand.groups_add_up().await?;

        stand.enable(first, false).await?;
        table.push(wide_row(6, "acme", [Some("6"), Some("60")], (300, -50)));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.readings, run.written + run.unchanged, run.unmatched), (5, 0, 5));
        stand.link(acme, "w1").await?;
        let moved = stand.replay().await?;
        assert_eq!((moved.readings, moved.written), (2, 2), "the parts of the linked column alone");
        stand.enable(first, true).await?;
        let moved = stand.replay().await?;
        assert_eq!((moved.readings, moved.written, moved.unchanged), (3, 1, 2));
        table.change(|rows| {
            rows[3] = wide_row(4, "acme", [Some("4"), Some("40")], (180, -70));
            rows[4] = wide_row(5, "acme", [Some("5"), Some("50")], (240, -60));
        });
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_rejected, run.written), (0, 4), "mended rows heal whole");
        assert!(stand.waiting().await?.is_empty());
        let seconds = |name: &str, seconds: &[i64]| {
            let line = |at: &i64| {
                let value = (at / 60 + 1) * if name == "w1" { 10 } else { 1 };
                format!("{name}/acme/Acme@{}={value}", at * 1_000_000)
            };
            seconds.iter().map(line).collect::<Vec<_>>()
        };
        let mut wanted =
            [seconds("w0", &[0, 60, 180, 240, 300]), seconds("w1", &[0, 180, 240, 300])].concat();
        wanted.sort();
        assert_eq!(stand.measurements().await?, wanted);
        stand.groups_add_up().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wide_load_that_breaks_off_anywhere_ends_the_same() -> Result<()> {
    let filled = || {
        let table = wide_table();
        for id in 0..120_i128 {
            let account = if id % 5 == 0 { "nobody" } else { "acme" };
            let (one, other) = (id.to_string(), format!("{id}.5"));
            let other = (id % 4 > 0).then_some(other.as_str());
            table.push(wide_row(id, account, [Some(&one), other], ((id % 40) as i64, -600 + id as i64)));
        }
        table
    };
    let mut wanted = None;
    for places in [0_usize, 3, 10, 17] {
        for mut stand in Stand::both().await? {
            set_batch(&mut stand, 30);
            let acme = stand.account("Acme").await?;
            stand.identify(acme, "acme").await?;
            let table = filled();
            let stream = stand.wide_stream(&table, &["w0", "w1"], Shape::default()).await?;
            let lease = stand.claim(stream, RunKind::Sync).await?;
            let passed = Arc::new(AtomicUsize::new(0));
            // Zero: nothing breaks off.
            stand.app.faults =
                Faults::when(move |_| places > 0 && passed.fetch_add(1, Ordering::SeqCst) + 1 == places);
            match stand.attempt(stream, &table, &lease, &Range::New).await {
                Ok(outcome) => assert_eq!((outcome, places), (Outcome::Done, 0)),
                Err(Error::Internal(_)) => {
                    assert_eq!(stand.attempt(stream, &table, &lease, &Range::New).await?, Outcome::Done);
                }
                Err(other) => return Err(other.into()),
            }
            balanced(&stand.finish(&lease).await?)?;
            stand.groups_add_up().await?;
            let found = (stand.measurements().await?, stand.waiting().await?);
            assert_eq!(&found, wanted.get_or_insert_with(|| found.clone()), "broken at the {places}th place");
            let (measured, waiting) = (found.0.len(), found.1.len());
            assert!(measured == 56 && waiting == 42, "{measured} measured, {waiting} wait");
        }
    }
    Ok(())
}

#[tokio::test]
async fn products_are_series_of_their_own_and_the_period_is_kept() -> Result<()> {
    for stand in Stand::both().await? {
        let table = MemoryTable::new(
            "sold",
            &[
                ("id", Type::Int),
                ("account", Type::Text),
                ("metric", Type::Text),
                ("value", Type::Decimal),
                ("at", Type::Zoned),
                ("updated", Type::Zoned),
                ("product", Type::Text),
                ("month", Type::Text),
            ],
        );
        table.set_clock(at(0));
        let add = |id: i128, value: &str, product: Option<&str>, month: Option<&str>| {
            let mut made = row(id, "acme", "seats", value, 0, -100 + id as i64);
            let text = |text: Option<&str>| text.map_or(Owned::Null, |text| Owned::Text(text.to_owned()));
            made.extend([text(product), text(month)]);
            table.push(made);
        };
        let stream = stand
            .stream_of(&StreamSpec {
                table: serde_json::to_string(table.table())?,
                mapping: r#"{"account":"account","metric":"metric","value":"value","measuredAt":"at",
                    "product":"product","period":"month"}"#
                    .to_owned(),
                cursor: "updated".to_owned(),
                schedule: r#"{"kind":"manual"}"#.to_owned(),
                form: StreamShape::Long,
                shape: Shape::default(),
            })
            .await?;
        // The same metric of the same account at the same time: only the product tells them apart.
        add(1, "1", Some("core"), Some("2026-01"));
        add(2, "2", Some("extra"), None);
        add(3, "3", None, Some("2026-02"));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.readings, run.unmatched), (3, 3));
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        assert_eq!(stand.replay().await?.written, 3, "what waited kept product and period");
        add(4, "4", Some("core"), Some("2026-03"));
        assert_eq!(stand.sync(stream, &table).await?.written, 1, "it replaces the first");
        let mut found = Vec::new();
        for (product, period) in
            [("core", "2026-03"), ("core", "2026-01"), ("extra", ""), ("", "2026-02"), ("", "")]
        {
            let sql = format!(
                "SELECT COUNT(*) FROM measurement m JOIN series s ON s.id = m.series_id \
                 WHERE s.product = '{product}' AND COALESCE(m.period, '') = '{period}'"
            );
            found.push(stand.count(&sql).await?);
        }
        assert_eq!(found, [1, 0, 1, 1, 0]);
        assert_eq!(stand.count("SELECT COUNT(*) FROM series").await?, 3);
        let mut values = stand.measurements().await?;
        values.sort();
        assert_eq!(values, ["seats/acme/Acme@0=2", "seats/acme/Acme@0=3", "seats/acme/Acme@0=4"]);
    }
    Ok(())
}
