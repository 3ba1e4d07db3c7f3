//! Broken off at every named place and started again, the end is the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use entity::RunKind;
use server::error::Error;
use server::fault::Faults;
use server::ingest::{Outcome, Range};
use tests::stand::{Shape, Stand, balanced};

use crate::cursor::set_batch;
use crate::{row, table};

const PLACES: [&str; 6] =
    ["batch.locked", "batch.routed", "batch.measured", "batch.stored", "batch.counted", "batch.committed"];
/// The places of a replay.
const REPLAYS: [&str; 2] = ["replay.stored", "replay.committed"];

/// 500 rows, some of an account nobody knows, some unreadable.
pub fn filled() -> connector::memory::MemoryTable {
    let table = table();
    for id in 0..500_i128 {
        let account = if id % 7 == 0 { "nobody" } else { "acme" };
        let mut made = row(id, account, "seats", &id.to_string(), (id % 90) as i64, -600 + (id / 50) as i64);
        if id % 31 == 0 {
            made[4] = connector::memory::Owned::Null;
        }
        table.push(made);
    }
    table
}

/// The end of a run that nothing disturbs.
pub async fn undisturbed(stand: &mut Stand) -> Result<(Vec<String>, Vec<String>)> {
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    set_batch(stand, 100);
    let table = filled();
    let stream = stand.stream(&table, Shape::default()).await?;
    stand.sync(stream, &table).await?;
    Ok((stand.measurements().await?, stand.waiting().await?))
}

#[tokio::test]
async fn stopping_at_every_fail_point_and_starting_again_ends_the_same() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for place in PLACES {
        for mut stand in Stand::both().await? {
            let acme = stand.account("Acme").await?;
            stand.identify(acme, "acme").await?;
            set_batch(&mut stand, 100);
            let table = filled();
            let stream = stand.stream(&table, Shape::default()).await?;
            let lease = stand.claim(stream, RunKind::Sync).await?;
            let passed = Arc::new(AtomicUsize::new(0));
            let mut broken = 0;
            // Each attempt gets one batch further than the one before, then breaks off.
            loop {
                let limit = broken;
                let counter = Arc::clone(&passed);
                counter.store(0, Ordering::SeqCst);
                stand.app.faults = Faults::when(move |at| {
                    at == place && limit < 4 && counter.fetch_add(1, Ordering::SeqCst) == limit.min(1)
                });
                match stand.attempt(stream, &table, &lease, &Range::New).await {
                    Ok(outcome) => {
                        assert_eq!(outcome, Outcome::Done);
                        break;
                    }
                    Err(Error::Internal(_)) => broken += 1,
                    Err(other) => return Err(other.into()),
                }
            }
            assert!(broken > 0, "{place} was never reached");
            stand.app.faults = Faults::default();
            balanced(&stand.finish(&lease).await?)?;
            assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted, "after {place}");
            stand.groups_add_up().await?;
        }
    }
    Ok(())
}

/// The names of the places in the sources of the engine.
fn places(folder: &std::path::Path, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            places(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)?;
            for call in text.split("faults.pass(").skip(1) {
                let name = call.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                anyhow::ensure!(name.is_some(), "{}: a place is named by a literal", path.display());
                found.extend(name.map(|(name, _)| name.to_owned()));
            }
        }
    }
    Ok(())
}

#[test]
fn every_place_that_the_engine_names_is_tried_here() -> Result<()> {
    let mut found = Vec::new();
    places(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/ingest"), &mut found)?;
    // Those of a comparison are tried where it is.
    found.retain(|place| !place.starts_with("reconcile."));
    found.sort();
    let mut tried = [PLACES.as_slice(), &REPLAYS].concat();
    tried.sort_unstable();
    assert_eq!(found, tried, "name it in this file, and only once in the engine");
    Ok(())
}

#[tokio::test]
async fn a_result_that_breaks_off_keeps_what_was_whole_and_goes_on() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for mut stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        set_batch(&mut stand, 100);
        let table = filled();
        let stream = stand.stream(&table, Shape::default()).await?;
        let lease = stand.claim(stream, RunKind::Sync).await?;
        table.break_after(250);
        let broken = stand.attempt(stream, &table, &lease, &Range::New).await;
        assert!(matches!(broken, Err(Error::Connector(_))), "{broken:?}");
        assert_eq!(stand.attempt(stream, &table, &lease, &Range::New).await?, Outcome::Done);
        let run = stand.finish(&lease).await?;
        balanced(&run)?;
        assert!(run.rows_read < 600, "the second attempt went on behind the first: {}", run.rows_read);
        assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing() -> Result<()> {
    for stand in Stand::both().await? {
        let table = filled();
        let stream = stand.stream(&table, Shape::default()).await?;
        let mut lease = stand.claim(stream, RunKind::Sync).await?;
        lease.fence = 0;
        let lost = stand.attempt(stream, &table, &lease, &Range::New).await;
        assert!(matches!(lost, Err(Error::LeaseLost)), "{lost:?}");
        assert_eq!(stand.count("SELECT COUNT(*) FROM waiting_row").await?, 0);
        assert_eq!(stand.count("SELECT COUNT(*) FROM checkpoint WHERE watermark <> ''").await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn replay_broken_off_at_every_point_moves_each_row_once() -> Result<()> {
    for place in REPLAYS {
        for mut stand in Stand::both().await? {
            let table = filled();
            let stream = stand.stream(&table, Shape::default()).await?;
            stand.sync(stream, &table).await?;
            for name in ["acme", "nobody"] {
                let account = stand.account(name).await?;
                stand.identify(account, name).await?;
            }
            stand.app.faults = Faults::when(move |at| at == place);
            assert!(stand.replay().await.is_err());
            stand.app.faults = Faults::default();
            stand.replay().await?;
            stand.groups_add_up().await?;
            assert!(stand.waiting().await?.iter().all(|line| line.starts_with("rejected")));
            let before = stand.measurements().await?;
            let run = stand.sync(stream, &table).await?;
            assert_eq!((run.written, run.unmatched), (0, 0));
            assert_eq!(stand.measurements().await?, before);
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_34_a_dropped_column_ends_the_run_with_a_plain_message() -> Result<()> {
    let stand = Stand::sqlite().await?;
    let table = filled();
    let stream = stand.stream(&table, Shape::default()).await?;
    table.drop_column("value");
    let lease = stand.claim(stream, RunKind::Sync).await?;
    let Err(Error::Connector(error)) = stand.attempt(stream, &table, &lease, &Range::New).await else {
        anyhow::bail!("the run must end in a connector error");
    };
    assert_eq!(error.kind(), connector::ErrorKind::Schema);
    assert!(error.message().contains("\"value\"") && error.message().contains("usage"), "{error}");
    assert!(error.action().is_some());
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_read_that_may_have_left_rows_out_is_read_again_from_where_it_began() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for mut stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        set_batch(&mut stand, 100);
        let table = filled();
        let stream = stand.stream(&table, Shape::default()).await?;
        let lease = stand.claim(stream, RunKind::Sync).await?;
        // The row is missing from the first batch, and four more are stored before the read says so. It is of an account
        // that nobody knows, so that no later row takes its place.
        table.leave_out(49);
        let failed = stand.attempt(stream, &table, &lease, &Range::New).await;
        assert!(matches!(failed, Err(Error::Connector(error)) if error.rows_may_be_missing()));
        assert_eq!(stand.waiting().await?.len() + 1, wanted.1.len(), "one row is missing among those stored");
        assert_eq!(stand.attempt(stream, &table, &lease, &Range::New).await?, Outcome::Done);
        balanced(&stand.finish(&lease).await?)?;
        assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_backfill_that_may_have_left_rows_out_reads_its_whole_stretch_again() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for mut stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        set_batch(&mut stand, 100);
        let table = filled();
        let stream = stand.stream(&table, Shape::default()).await?;
        let lease = stand.claim(stream, RunKind::Backfill).await?;
        let range = Range::Between { since: None, until: None };
        table.leave_out(49);
        let failed = stand.attempt(stream, &table, &lease, &range).await;
        assert!(matches!(failed, Err(Error::Connector(error)) if error.rows_may_be_missing()));
        assert_eq!(stand.waiting().await?.len() + 1, wanted.1.len(), "one row is missing among those stored");
        assert_eq!(stand.attempt(stream, &table, &lease, &range).await?, Outcome::Done);
        balanced(&stand.finish(&lease).await?)?;
        assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
        let moved = "SELECT COUNT(*) FROM checkpoint WHERE watermark <> ''";
        assert_eq!(stand.count(moved).await?, 0, "the checkpoint stays where the sync left it");
    }
    Ok(())
}
