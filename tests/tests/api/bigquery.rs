//! BigQuery sources over the emulator behind its gate: the whole job.

use anyhow::Result;
use systems::bigquery::Place;

use crate::warehouse::bigquery::{Bigquery, homes};
use crate::whole_job::{compares_and_reads_what_differs, pauses_when_a_column_is_dropped, reads_and_polls};
use crate::world::World;

async fn both() -> Result<Vec<(World, Bigquery)>> {
    homes(async |place: &Place| Ok(place.gate.port)).await
}

#[tokio::test]
async fn values_are_exact_and_a_poll_that_finds_nothing_is_one_statement() -> Result<()> {
    for (world, warehouse) in both().await? {
        reads_and_polls(&world, &warehouse, 1).await?;
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
