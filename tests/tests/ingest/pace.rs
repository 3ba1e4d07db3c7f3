//! How reading keeps pace with writing: at the same time, never far ahead, and with little asked when nothing is new.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use connector::Connector;
use connector::memory::MemoryTable;
use entity::{RunKind, StreamId};
use server::fault::Faults;
use server::ingest::{self, Outcome, Range};
use tests::stage::until;
use tests::stand::{Gate, Hold, Shape, Stand, balanced};
use tokio_util::sync::CancellationToken;

use crate::cursor::set_batch;
use crate::{at, row, table};

fn filled(rows: i128) -> MemoryTable {
    let table = table();
    for id in 0..rows {
        table.push(row(id, "acme", "seats", &id.to_string(), id as i64, -100_000 + id as i64));
    }
    table
}

async fn stand_with(batch: usize, table: &MemoryTable) -> Result<(Stand, StreamId)> {
    let mut stand = Stand::sqlite().await?;
    set_batch(&mut stand, batch);
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    let stream = stand.stream(table, Shape::default()).await?;
    Ok((stand, stream))
}

/// Runs what is new, read through a gate.
async fn sync(stand: &Stand, stream: StreamId, gate: &Gate) -> Result<entity::sync_run::Model> {
    let lease = stand.claim(stream, RunKind::Sync).await?;
    let (source, stop): (Arc<dyn Connector>, _) = (Arc::new(gate.clone()), CancellationToken::new());
    let outcome = ingest::run(&stand.app, source, &lease, stream, &Range::New, &stop).await?;
    ensure!(outcome == Outcome::Done, "the run ended {outcome:?}");
    let run = stand.finish(&lease).await?;
    balanced(&run)?;
    Ok(run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_next_batch_is_read_while_one_is_written() -> Result<()> {
    let table = filled(300);
    let (mut stand, stream) = stand_with(100, &table).await?;
    let (faults, writing) = Hold::at("batch.stored", 1);
    stand.app.faults = faults;
    let gate = Gate::closed(&table);
    gate.allow(1);
    let stand = Arc::new(stand);
    let (worker, source) = (stand.clone(), gate.clone());
    let run = tokio::spawn(async move { sync(&worker, stream, &source).await });
    writing.reached().await?;
    // The first batch is in its transaction and stays there until the second has been read.
    assert_eq!(gate.batches(), 1);
    gate.allow(1);
    until("the second batch is read", 60, async || Ok(gate.batches() == 2)).await?;
    gate.lift();
    writing.release();
    let run = run.await??;
    assert_eq!((run.rows_read, run.batches), (300, 3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reader_is_never_more_than_three_batches_ahead_of_what_is_stored() -> Result<()> {
    // Of one thousand rows and of four times as many: what is in memory does not grow with what is to be read.
    for rows in [1_000, 4_000] {
        let table = filled(rows);
        let (mut stand, stream) = stand_with(20, &table).await?;
        let gate = Gate::open(&table);
        let (stored, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest, source) = (stored.clone(), most.clone(), gate.clone());
        stand.app.faults = Faults::when(move |place| {
            let alive = source.batches() - counted.load(Ordering::SeqCst);
            highest.fetch_max(alive, Ordering::SeqCst);
            counted.fetch_add(usize::from(place == "batch.committed"), Ordering::SeqCst);
            false
        });
        let run = sync(&stand, stream, &gate).await?;
        assert_eq!((run.rows_read as i128, run.batches as i128), (rows, rows / 20));
        // One that is written, one that waits, one in the reader's hand.
        let most = most.load(Ordering::SeqCst);
        assert!((1..=3).contains(&most), "{most} batches at once");
    }
    Ok(())
}

#[tokio::test]
async fn a_poll_that_finds_nothing_asks_the_source_once() -> Result<()> {
    let table = filled(50);
    let (stand, stream) = stand_with(20, &table).await?;
    let gate = Gate::open(&table);
    sync(&stand, stream, &gate).await?;
    // The first after a load looks at the last rows again and remembers them.
    sync(&stand, stream, &gate).await?;
    let (reads, others) = (gate.reads(), gate.others());
    for _ in 0..3 {
        let run = sync(&stand, stream, &gate).await?;
        assert_eq!((run.written, run.rows_read, run.rows_repeated), (0, 1, 1));
    }
    assert_eq!((gate.reads() - reads, gate.others() - others), (3, 0), "one read each, and nothing else");
    Ok(())
}

#[tokio::test]
async fn a_row_of_the_future_comes_in_when_its_time_has_come() -> Result<()> {
    for stand in Stand::both().await? {
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let table = table();
        let stream = stand.stream(&table, Shape::default()).await?;
        table.push(row(1, "acme", "seats", "1", 0, -10));
        table.push(row(2, "acme", "seats", "2", 60, 3_600));
        for _ in 0..2 {
            let run = stand.sync(stream, &table).await?;
            assert_eq!(run.rows_rejected, 1);
            assert_eq!(stand.waiting().await?, ["rejected 2/ future_cursor"]);
        }
        // Nothing changes but the time, here and there.
        stand.app.clock.advance(3_600_000_000);
        table.set_clock(at(3_600));
        let run = stand.sync(stream, &table).await?;
        assert_eq!((run.rows_rejected, run.written), (0, 1));
        assert!(stand.waiting().await?.is_empty());
        let wanted = ["seats/acme/Acme@0=1", "seats/acme/Acme@60000000=2"];
        assert_eq!(stand.measurements().await?, wanted);
        assert_eq!(stand.sync(stream, &table).await?.written, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_only_our_clock_calls_future_is_believed() -> Result<()> {
    let stand = Stand::sqlite().await?;
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    let table = table();
    let stream = stand.stream(&table, Shape::default()).await?;
    table.push(row(1, "acme", "seats", "1", 0, 3_600));
    table.set_clock(at(3_600));
    let run = stand.sync(stream, &table).await?;
    assert_eq!((run.rows_rejected, run.written), (0, 1), "the source's own clock decides");
    Ok(())
}
