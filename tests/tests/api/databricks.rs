//! Databricks sources over the strict stand-in: the whole job, results inline and by links, and results that are lost.

use anyhow::Result;
use serde_json::json;
use systems::databricks::{Call, Fault, Server};

use crate::warehouse::databricks::{Databricks, homes};
use crate::warehouse::{Row, Warehouse, attempt, finished, standing};
use crate::whole_job::{compares_and_reads_what_differs, pauses_when_a_column_is_dropped, reads_and_polls};
use crate::world::{World, text};

async fn both() -> Result<Vec<(World, Databricks)>> {
    homes(async |server: &Server| Ok(server.port())).await
}

/// From now on a result of more than a row or two comes in chunks of five rows behind links.
fn by_links(server: &Server) {
    server.inline_bytes(500);
    server.chunk_rows(5);
}

#[tokio::test]
async fn values_are_exact_and_a_poll_that_finds_nothing_is_one_statement() -> Result<()> {
    for (world, warehouse) in both().await? {
        reads_and_polls(&world, &warehouse, 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_result_too_large_for_an_answer_comes_by_links() -> Result<()> {
    for (world, warehouse) in both().await? {
        by_links(&warehouse.server);
        let before = warehouse.server.count(Call::Link);
        // Once to find that it is too large for an answer.
        reads_and_polls(&world, &warehouse, 2).await?;
        assert_eq!(warehouse.server.count(Call::Link) - before, 3, "twelve rows are three links");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_34_a_dropped_column_pauses_the_stream() -> Result<()> {
    for (world, warehouse) in both().await? {
        pauses_when_a_column_is_dropped(&world, &warehouse).await?;
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

#[tokio::test]
async fn a_result_that_is_lost_in_the_middle_leaves_what_came_and_the_next_attempt_goes_on() -> Result<()> {
    for (world, warehouse) in both().await? {
        by_links(&warehouse.server);
        let stream = warehouse.stream(&world).await?;
        let mut rows = Vec::new();
        let away = || {
            let body = "upstream is away".to_owned();
            Fault::Status { on: Call::Chunk, status: 503, body, retry_after: Some(0) }
        };
        // As often as anybody tries; and a result that is gone stays so.
        for (day, faults, word) in [(1, vec![Fault::Gone], "result"), (2, vec![away(); 5], "503")] {
            let more: Vec<Row> = (0..12).map(|id| Row::of(id, day)).collect();
            warehouse.add(&more).await?;
            rows.extend(more);
            faults.into_iter().for_each(|fault| warehouse.server.fault(fault));
            let run = attempt(&world, &stream).await?;
            assert!(warehouse.server.faults().is_empty(), "it was never met: {run}");
            assert_eq!(
                (text(&run["status"]), text(&run["error"]["kind"])),
                ("QUEUED".to_owned(), "unavailable".to_owned()),
                "{run}"
            );
            assert!(text(&run["error"]["message"]).contains(word), "{run}");
            let (kept, at) = standing(&world, &stream, &rows).await?;
            assert_eq!(at, kept, "what came is kept, and the checkpoint is where it ends");
            assert!(kept < rows.len(), "all {kept} rows came in spite of it");
            assert!(kept > rows.len() - 12, "what came before it is kept");
            let run = finished(&world, &run).await?;
            assert_eq!(
                (text(&run["status"]), &run["balanced"]),
                ("SUCCEEDED".to_owned(), &json!(true)),
                "{run}"
            );
            assert_eq!(standing(&world, &stream, &rows).await?, (rows.len(), rows.len()));
            assert_eq!(world.sync_well(&stream).await?["tally"]["written"], "0");
        }
    }
    Ok(())
}
