//! ClickHouse sources on the real engine: what a run costs, and the comparison of a stream with its table.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use systems::clickhouse::Database;
use tests::worker::arrange;

use crate::warehouse::clickhouse::{Clickhouse, homes};
use crate::warehouse::{Row, Warehouse};
use crate::whole_job::compares_and_reads_what_differs;
use crate::world::{World, text};

/// A world on each database, and a table of the engine for each.
async fn both() -> Result<Vec<(World, Clickhouse)>> {
    homes(async |database: &Database| Ok(database.server.port)).await
}

#[tokio::test]
async fn a_run_tells_what_the_engine_scanned_and_an_empty_poll_is_one_statement() -> Result<()> {
    for (world, warehouse) in both().await? {
        let stream = warehouse.stream(&world).await?;
        warehouse.add(&Row::some(0..12)).await?;
        let cost = async |run: &Value| -> Result<[i64; 4]> {
            let query = "query($id: ID!) { syncRun(id: $id) { cost { statements milliseconds rowsScanned bytesScanned } } }";
            let told = world.ask(query, json!({ "id": run["id"] })).await?["syncRun"]["cost"].take();
            let number = |field: &str| text(&told[field]).parse().with_context(|| format!("{field}: {told}"));
            Ok([
                number("statements")?,
                number("milliseconds")?,
                number("rowsScanned")?,
                number("bytesScanned")?,
            ])
        };
        let first = world.sync_well(&stream).await?;
        assert_eq!(first["tally"]["written"], "12");
        let [statements, milliseconds, scanned, bytes] = cost(&first).await?;
        ensure!(statements >= 1 && milliseconds >= 0, "{statements} statements in {milliseconds} ms");
        // Six columns of twelve rows, most of them eight bytes or more.
        ensure!(scanned >= 12 && bytes >= 12 * 40, "{scanned} rows, {bytes} bytes scanned");
        world.sync_well(&stream).await?;
        let poll = world.sync_well(&stream).await?;
        assert_eq!((&poll["tally"]["written"], &poll["tally"]["rowsRead"]), (&json!("0"), &json!("1")));
        let [statements, _, scanned, _] = cost(&poll).await?;
        assert_eq!(statements, 1, "a poll that finds nothing");
        ensure!(scanned >= 1, "the engine tells what it scanned");
        // Now and then the table is looked at, which is a statement more.
        arrange(&world.site.app.db, "UPDATE stream SET columns_seen_at = 0").await?;
        warehouse.add(&Row::some(20..21)).await?;
        let news = world.sync_well(&stream).await?;
        assert_eq!(news["tally"]["written"], "1");
        assert_eq!(cost(&news).await?[0], 2, "the rows, and the look at the table");
    }
    Ok(())
}

#[tokio::test]
async fn a_comparison_reads_only_the_days_that_differ_again() -> Result<()> {
    for (world, warehouse) in both().await? {
        compares_and_reads_what_differs(&world, &warehouse).await?;
    }
    Ok(())
}
