//! Streams deleted while others write to them, and discarded by processes that are killed: nothing of them is left, and
//! nothing else is gone.

use std::sync::Arc;

use anyhow::{Result, ensure};
use connector::memory::MemoryTable;
use entity::{RunStatus, StreamId};
use secrecy::ExposeSecret;
use server::auth::Viewer;
use server::clock::Clock;
use server::db::Backend;
use server::domain::change::Change;
use server::domain::matching_change::Scope;
use server::domain::stream_change;
use server::domain::sync_run::{self as runs, End};
use server::error::Error;
use server::ingest::{self, Outcome, Range};
use server::jobs::{self, Reader};
use tests::stage::until;
use tests::stand::{Gate, Hold, Shape, Stand};
use tests::worker::{Process, arrange};
use tokio_util::sync::CancellationToken;

use crate::cursor::set_batch;
use crate::faults::filled;
use crate::workers::{LEASE, ask, claim, find, lease, work};
use crate::{row, table};

/// The program of `tests/src/bin/node.rs`.
const NODE: &str = env!("CARGO_BIN_EXE_node");
/// Rows that are measured, and rows that wait: each many transactions to discard.
const MANY: i128 = 30_000;

/// Rows of an account that is known, of some that are not, and rivals of the first ones.
fn large() -> MemoryTable {
    let table = table();
    for id in 0..MANY {
        let value = id.to_string();
        table.push(row(id, "acme", "seats", &value, id as i64, -100_000 + id as i64));
        let unknown = format!("nobody {}", id % 40);
        table.push(row(MANY + id, &unknown, "seats", &value, id as i64, -100_000 + id as i64));
    }
    for id in 0..2_500 {
        table.push(row(2 * MANY + id, "acme", "seats", "0.5", id as i64, -1));
    }
    table
}

/// Makes it take some tenths of a millisecond to delete a row of the table, so that many take seconds however seldom one
/// looks.
async fn slow(stand: &Stand, table: &str) -> Result<()> {
    let db = &stand.app.db;
    let act = match db.backend() {
        Backend::Sqlite => "BEGIN SELECT length(randomblob(100000)); END",
        Backend::Postgres => {
            arrange(
                db,
                "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN PERFORM pg_sleep(0.0003); RETURN OLD; END'",
            )
            .await?;
            "EXECUTE FUNCTION slow()"
        }
    };
    arrange(db, &format!("CREATE TRIGGER slow_{table} BEFORE DELETE ON {table} FOR EACH ROW {act}")).await
}

/// Undoes it.
async fn fast(stand: &Stand, table: &str) -> Result<()> {
    let on = match stand.app.db.backend() {
        Backend::Sqlite => String::new(),
        Backend::Postgres => format!(" ON {table}"),
    };
    arrange(&stand.app.db, &format!("DROP TRIGGER slow_{table}{on}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_has_not_discarded_the_next_one_does() -> Result<()> {
    for mut stand in Stand::both().await? {
        // That of the processes.
        stand.app.clock = Clock::system();
        let acme = stand.account("Acme").await?;
        stand.identify(acme, "acme").await?;
        let kept = filled();
        let stays = stand.stream(&kept, Shape::default()).await?;
        stand.sync(stays, &kept).await?;
        let before = (stand.measurements().await?, stand.waiting().await?, stand.left_of(stays).await?);
        set_batch(&mut stand, 4_000);
        let table = large();
        let goes = stand.stream(&table, Shape::default()).await?;
        let run = stand.sync(goes, &table).await?;
        ensure!(i128::from(run.unmatched) == MANY && i128::from(run.written) > MANY, "{run:?}");
        stand.delete(goes).await?;

        let url = stand.app.config.database.url.expose_secret().to_owned();
        let start =
            || Process::start_on(NODE, &url, &stand.app.config.data_dir, &["--runs", "--lease", "2000"]);
        for part in ["measurement", "waiting_row"] {
            let count = format!("SELECT COUNT(*) FROM {part}");
            let all = stand.count(&count).await?;
            slow(&stand, part).await?;
            let mut process = start()?;
            until("some rows are discarded", 120, async || Ok(stand.count(&count).await? < all)).await?;
            process.kill()?;
            fast(&stand, part).await?;
            let others = if part == "measurement" { &before.0 } else { &before.1 };
            let left = stand.count(&count).await? - i64::try_from(others.len())?;
            ensure!(left > 0, "it is too fast to be killed in the middle of {part}");
        }
        let last = start()?;
        until("nothing is left of it", 120, async || Ok(stand.left_of(goes).await? == 0)).await?;
        last.stop()?;
        let after = (stand.measurements().await?, stand.waiting().await?, stand.left_of(stays).await?);
        assert_eq!(after, before, "nothing else is gone");
        stand.groups_add_up().await?;
    }
    Ok(())
}

/// Waits until somebody waits for a lock of somebody else.
async fn blocked(stand: &Stand) -> Result<()> {
    let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("one waits for the other", 30, async || Ok(stand.count(waits).await? > 0)).await
}

/// Starts workers, and waits until nothing is left of a deleted stream, and no work and no trouble either.
async fn discarded(stand: &Stand, stream: StreamId) -> Result<()> {
    let stop = CancellationToken::new();
    let workers = jobs::start(&stand.process().await?, Arc::new(Reader), &stop);
    let open = "SELECT COUNT(*) FROM job WHERE status <> 'done' AND queue <> 'prune'";
    until("the stream is discarded", 60, async || {
        Ok(stand.left_of(stream).await? == 0 && stand.count(open).await? == 0)
    })
    .await?;
    stop.cancel();
    workers.finished().await;
    let tried = "SELECT COUNT(*) FROM job WHERE queue = 'discard' AND attempts <> 1";
    assert_eq!(stand.count(tried).await?, 0, "discarding went wrong at first");
    Ok(())
}

/// A stand with a stream that nobody has read yet. These are races of PostgreSQL: on SQLite one writes at a time.
async fn unread() -> Result<(Stand, MemoryTable, StreamId)> {
    let mut stand = Stand::postgres().await?;
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    set_batch(&mut stand, 100);
    let table = filled();
    let stream = stand.stream(&table, Shape::default()).await?;
    Ok((stand, table, stream))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_is_not_deleted_while_its_first_batch_is_stored_but_afterwards() -> Result<()> {
    let (stand, table, first) = unread().await?;
    // When the first batch is stored the second comes at once, and may be before or after the delete at each lock.
    for round in 0..6 {
        let stream = if round == 0 { first } else { stand.stream(&table, Shape::default()).await? };
        let mut syncs = stand.process().await?;
        let place = ["batch.locked", "batch.counted"][round.min(1)];
        let (faults, hold) = Hold::at(place, 1);
        syncs.faults = faults;
        let claimed = claim(&syncs, &ask(&stand, stream).await?).await?;
        let sync = work(&syncs, &Gate::open(&table), stream, lease(&claimed), Range::New);
        hold.reached().await?;
        let release = async {
            blocked(&stand).await?;
            hold.release();
            anyhow::Ok(())
        };
        let (refused, released) = tokio::join!(stand.delete(stream), release);
        released?;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        assert_eq!(sync.await??, Outcome::Done);
        let ended = runs::finish(&syncs.db, syncs.clock.now(), &claimed, End::Succeeded).await?;
        assert_eq!((ended, find(&stand, &lease(&claimed)).await?.rows_read), (RunStatus::Succeeded, 500));
        stand.delete(stream).await?;
        discarded(&stand, stream).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_deleted_while_a_former_holder_stores_its_first_batch_is_gone_whole() -> Result<()> {
    for place in ["batch.locked", "batch.stored"] {
        let (stand, table, stream) = unread().await?;
        let (mut first, second) = (stand.process().await?, stand.process().await?);
        let (faults, hold) = Hold::at(place, 1);
        first.faults = faults;
        let run = ask(&stand, stream).await?;
        let old = claim(&first, &run).await?;
        let late = work(&first, &Gate::open(&table), stream, lease(&old), Range::New);
        hold.reached().await?;
        stand.app.clock.advance(LEASE + 1);
        runs::release(second.db.orm(), &claim(&second, &run).await?).await?;
        let release = async {
            blocked(&stand).await?;
            hold.release();
            anyhow::Ok(())
        };
        let (deleted, released) = tokio::join!(stand.delete(stream), release);
        released?;
        deleted?;
        let late = late.await?;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        discarded(&stand, stream).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_first_batch_that_comes_while_its_stream_is_deleted_is_not_stored() -> Result<()> {
    let (stand, table, stream) = unread().await?;
    let (first, second) = (stand.process().await?, stand.process().await?);
    let run = ask(&stand, stream).await?;
    let (old, slow) = (claim(&first, &run).await?, Gate::closed(&table));
    let late = work(&first, &slow, stream, lease(&old), Range::New);
    until("it reads", 30, async || Ok(slow.reads() == 1)).await?;
    stand.app.clock.advance(LEASE + 1);
    runs::release(second.db.orm(), &claim(&second, &run).await?).await?;
    let tx = stand.app.db.begin().await?;
    let viewer = Viewer::system(stand.organization);
    stream_change::delete(&Change::new(&tx, &viewer, stand.app.clock.now()), stream, None).await?;
    slow.lift();
    blocked(&stand).await?;
    tx.commit().await?;
    let late = late.await?;
    assert!(matches!(late, Err(Error::NotFound("stream"))), "{late:?}");
    discarded(&stand, stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_deleted_while_a_replay_makes_its_checkpoint_takes_nothing_from_the_others() -> Result<()> {
    let (stand, table, one) = unread().await?;
    let other = stand.stream(&table, Shape::default()).await?;
    // A replay takes one stream after the other, by their IDs.
    let (goes, stays) = (one.min(other), one.max(other));
    for stream in [goes, stays] {
        stand.sync(stream, &table).await?;
    }
    arrange(&stand.app.db, "DELETE FROM checkpoint").await?;
    let nobody = stand.account("Nobody").await?;
    stand.identify(nobody, "nobody").await?;
    let mut replays = stand.process().await?;
    let (faults, hold) = Hold::at("replay.stored", 1);
    replays.faults = faults;
    let organization = stand.organization;
    let replay = tokio::spawn(async move {
        let stop = CancellationToken::new();
        ingest::replay::waiting(&replays, organization, &Scope::Everything, &stop).await
    });
    hold.reached().await?;
    let release = async {
        blocked(&stand).await?;
        hold.release();
        anyhow::Ok(())
    };
    let (deleted, released) = tokio::join!(stand.delete(goes), release);
    released?;
    deleted?;
    let moved = replay.await??.readings;
    discarded(&stand, goes).await?;
    let left = stand.measurements().await?;
    assert!(moved > 0 && left.iter().any(|line| line.starts_with("seats/nobody/Nobody@")), "{left:?}");
    assert!(stand.waiting().await?.iter().all(|line| line.starts_with("rejected")), "its rows still wait");
    stand.groups_add_up().await
}
