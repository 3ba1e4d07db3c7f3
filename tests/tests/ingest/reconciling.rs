//! What a stream took in, compared with its table: what is read again, what is left alone, and what it ends in, also
//! when it is broken off or two do it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use connector::Connector;
use connector::memory::{MemoryTable, Owned};
use entity::{
    RunKind, RunStatus, RunTrigger, StreamId, WorkerId, reconcile as stored, reconcile_setting,
    reconcile_slice, sync_run,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use server::app::App;
use server::auth::Viewer;
use server::clock::DAY;
use server::domain::change::Change;
use server::domain::discard;
use server::domain::reconcile::{self, Gap, Reconcile, SettingChange};
use server::domain::sync_run::{self as runs, Claimed, End};
use server::error::{Error, Result as Done};
use server::fault::Faults;
use server::ingest::reconcile::{Next, advance};
use server::ingest::{self, Lease, Range};
use tests::stand::{Gate, Shape, Stand, balanced};
use tokio_util::sync::CancellationToken;

use crate::{row, table, wide_row, wide_table};

const HOUR: i64 = 3_600;
const A_DAY: i64 = 24 * HOUR;

/// Two rows a day of the last five days, a second apart; all of one series.
fn filled() -> MemoryTable {
    let table = table();
    for id in 0..10_i128 {
        let updated = -A_DAY * (5 - id as i64 / 2) + HOUR + id as i64;
        table.push(row(id, "acme", "seats", &format!("{id}.5"), id as i64 * 60, updated));
    }
    table
}

async fn synced(stand: &Stand) -> Result<(MemoryTable, StreamId)> {
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    let table = filled();
    let stream = stand.stream(&table, Shape::default()).await?;
    stand.sync(stream, &table).await?;
    Ok((table, stream))
}

async fn ask(stand: &Stand, stream: StreamId) -> Result<Reconcile> {
    let key = (stand.organization, stream);
    let (db, now) = (stand.app.db.orm(), stand.app.clock.now());
    Ok(reconcile::start(db, now, key, RunTrigger::Manual, None).await?.reconcile)
}

/// Goes on with a comparison to its end, and carries its runs out.
async fn carry_on(app: &App, source: &Arc<dyn Connector>, mut of: Reconcile) -> Done<()> {
    while advance(app, source, &mut of).await? != Next::Done {
        carry_out(app, source, of.stream_id).await?;
    }
    Ok(())
}

/// Carries out the backfill that waits, as a worker does.
async fn carry_out(app: &App, source: &Arc<dyn Connector>, stream: StreamId) -> Done<()> {
    let waiting = sync_run::Entity::find()
        .filter(sync_run::Column::StreamId.eq(stream))
        .filter(sync_run::Column::Kind.eq(RunKind::Backfill))
        .filter(sync_run::Column::Status.eq(RunStatus::Queued))
        .one(app.db.orm())
        .await?;
    let run = waiting.ok_or_else(|| Error::internal("carry out a run", "none waits"))?;
    let now = app.clock.now();
    let key = (run.organization_id, run.id);
    let Claimed::Ours(claim) = runs::claim(app.db.orm(), now, now + 1_000_000, key, WorkerId::new()).await?
    else {
        return Err(Error::internal("carry out a run", "it is not to be had"));
    };
    let lease = Lease {
        organization: claim.organization(),
        run: claim.id(),
        number: claim.run.number,
        fence: claim.fence(),
    };
    let range = Range::Between { since: run.since, until: run.until };
    ingest::run(app, source.clone(), &lease, stream, &range, &CancellationToken::new()).await?;
    runs::finish(&app.db, now, &claim, End::Succeeded).await?;
    Ok(())
}

async fn find(stand: &Stand, of: &Reconcile) -> Result<Reconcile> {
    let found = stored::Entity::find_by_id((of.organization_id, of.id)).one(stand.app.db.orm()).await?;
    found.context("the comparison exists")
}

async fn slices(stand: &Stand, of: &Reconcile) -> Result<Vec<reconcile_slice::Model>> {
    Ok(reconcile::slices(stand.app.db.orm(), of).await?)
}

/// One night: asks for a comparison and carries it out.
async fn night(stand: &Stand, stream: StreamId, source: &Arc<dyn Connector>) -> Result<Reconcile> {
    let of = ask(stand, stream).await?;
    carry_on(&stand.app, source, of.clone()).await?;
    find(stand, &of).await
}

fn source(table: &MemoryTable) -> Arc<dyn Connector> {
    Arc::new(table.clone())
}

/// The backfills of a stream, in order.
async fn backfills(stand: &Stand, stream: StreamId) -> Result<Vec<sync_run::Model>> {
    let found = sync_run::Entity::find()
        .filter(sync_run::Column::StreamId.eq(stream))
        .filter(sync_run::Column::Kind.eq(RunKind::Backfill))
        .order_by_asc(sync_run::Column::Number)
        .all(stand.app.db.orm())
        .await?;
    found.iter().try_for_each(balanced)?;
    Ok(found)
}

/// Slices compared, read again and left alone, and readings written.
fn counts(of: &Reconcile) -> (i64, i64, i64, i64) {
    (of.slices, of.differing, of.explained, of.written)
}

#[tokio::test]
async fn of_an_untouched_table_nothing_is_read_again() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        let gate = Gate::open(&table);
        let counted: Arc<dyn Connector> = Arc::new(gate.clone());
        let of = night(&stand, stream, &counted).await?;
        assert_eq!(counts(&of), (5, 0, 0, 0));
        assert_eq!((gate.reads(), gate.others()), (0, 1), "one statement");
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
        assert!(measured.contains("=2.50000000000000000000000000001") && measured.contains("=80"), "{measured}");
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
        let wanted = server::domain::stream::StreamChange { name: Some("Other".to_owned()), ..Default::default() };
        server::domain::stream_change::update(&change, stream, wanted, None).await?;
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
        assert!(slices(&stand, &of).await?[0].rest.as_deref().and_then(Gap::parse).is_some_and(|it| it.closed()));
    }
    Ok(())
}

#[tokio::test]
async fn broken_off_anywhere_and_taken_up_again_it_ends_the_same() -> Result<()> {
    let late = |table: &MemoryTable| {
        table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
        table.push(row(78, "acme", "seats", "8", 7_060, -4 * A_DAY + 5 * HOUR));
    };
    for place in
        ["reconcile.summed", "reconcile.compared", "reconcile.started", "batch.stored", "reconcile.ended"]
    {
        for mut stand in Stand::both().await? {
            let (table, stream) = synced(&stand).await?;
            late(&table);
            let of = ask(&stand, stream).await?;
            let armed = Arc::new(AtomicBool::new(true));
            let trigger = armed.clone();
            stand.app.faults = Faults::when(move |at| at == place && trigger.swap(false, Ordering::SeqCst));
            let mut broken = 0;
            // What was in memory is gone each time: only what is stored goes on.
            while let Some(found) =
                reconcile::find_live(stand.app.db.orm(), stand.organization, of.id).await?
            {
                match carry_on(&stand.app, &source(&table), found).await {
                    Ok(()) => break,
                    Err(Error::Internal(_)) => broken += 1,
                    Err(other) => return Err(other.into()),
                }
                stand.app.clock.advance(2_000_000);
                let left = sync_run::Entity::find()
                    .filter(sync_run::Column::Status.eq(RunStatus::Running))
                    .all(stand.app.db.orm())
                    .await?;
                for run in left {
                    // As the next worker would find it.
                    let back = sync_run::ActiveModel { status: sea_orm::Set(RunStatus::Queued), ..run.into() };
                    sea_orm::ActiveModelTrait::update(back, stand.app.db.orm()).await?;
                }
                ensure!(broken < 3, "{place}: it does not end");
            }
            assert_eq!(broken, 1, "{place} was passed");
            assert_eq!(counts(&find(&stand, &of).await?), (5, 2, 0, 2), "{place}");
            assert_eq!(backfills(&stand, stream).await?.len(), 2, "{place}");
            assert_eq!(stand.measurements().await?.len(), 12, "{place}");
            assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 0, 0, 0), "{place}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn of_two_workers_the_one_that_lost_it_changes_nothing() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
        let (first, second) = (stand.process().await?, stand.process().await?);
        let mut one = ask(&stand, stream).await?;
        let mut other = ask(&stand, stream).await?;
        assert_eq!(one.id, other.id, "a second request joins the first");
        let table = source(&table);
        assert!(matches!(advance(&first, &table, &mut one).await?, Next::Wait(_)));
        let refused = advance(&second, &table, &mut other).await;
        assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
        carry_out(&first, &table, stream).await?;
        let taken_up = reconcile::find_live(second.db.orm(), stand.organization, one.id).await?;
        let mut heir = taken_up.context("it goes on")?;
        assert_eq!(advance(&second, &table, &mut heir).await?, Next::Done);
        let late = advance(&first, &table, &mut one).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        assert_eq!(counts(&find(&stand, &one).await?), (5, 1, 0, 1));
        assert_eq!(backfills(&stand, stream).await?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_does_not_succeed_leaves_its_slices_unexplained() -> Result<()> {
    let stand = Stand::sqlite().await?;
    let (table, stream) = synced(&stand).await?;
    table.push(row(77, "acme", "seats", "7", 7_000, -2 * A_DAY + 5 * HOUR));
    let mut of = ask(&stand, stream).await?;
    assert!(matches!(advance(&stand.app, &source(&table), &mut of).await?, Next::Wait(_)));
    let run = backfills(&stand, stream).await?[0].clone();
    runs::cancel(stand.app.db.orm(), stand.app.clock.now(), stand.organization, run.id).await?;
    assert_eq!(advance(&stand.app, &source(&table), &mut of).await?, Next::Done);
    let of = find(&stand, &of).await?;
    assert!(of.error_message.as_deref().is_some_and(|words| words.contains("did not succeed")), "{of:?}");
    assert_eq!(slices(&stand, &of).await?[0].rest, None);
    assert_eq!(counts(&night(&stand, stream, &source(&table)).await?), (5, 1, 0, 1), "the next night heals");
    Ok(())
}

#[tokio::test]
async fn a_due_time_makes_one_comparison_however_many_look() -> Result<()> {
    for stand in Stand::both().await? {
        let (_, stream) = synced(&stand).await?;
        let viewer = Viewer::system(stand.organization);
        let set = async |wanted: SettingChange| {
            let tx = stand.app.db.begin().await?;
            let change = Change::new(&tx, &viewer, stand.app.clock.now());
            reconcile::set(&change, stream, wanted).await?;
            Done::Ok(tx.commit().await?)
        };
        let refused = set(SettingChange { zone: Some("Mars/Base".to_owned()), ..Default::default() }).await;
        assert!(matches!(&refused, Err(Error::Invalid { field, .. }) if field == "zone"), "{refused:?}");
        let refused = set(SettingChange { days: Some(0), ..Default::default() }).await;
        assert!(matches!(&refused, Err(Error::Invalid { field, .. }) if field == "days"), "{refused:?}");
        let time = Some("02:30".to_owned());
        set(SettingChange { enabled: Some(true), time, ..Default::default() }).await?;
        let due = async || {
            let found = reconcile_setting::Entity::find().one(stand.app.db.orm()).await?;
            anyhow::Ok(found.context("a setting")?.due_at)
        };
        let first = stand.app.clock.now() + 5 * DAY / 48;
        assert_eq!(due().await?, Some(first));
        let look = async |app: &App| {
            let tx = app.db.begin().await?;
            let started = reconcile::start_due(&tx, app.clock.now()).await?;
            tx.commit().await?;
            Done::Ok(started)
        };
        let other = stand.process().await?;
        assert_eq!((look(&stand.app).await?, look(&other).await?), (0, 0), "not yet");
        stand.app.clock.advance(first - stand.app.clock.now());
        let (one, two) = tokio::join!(look(&stand.app), look(&other));
        assert_eq!(one? + two?, 1);
        assert_eq!(due().await?, Some(first + DAY));
        assert_eq!(stand.count("SELECT COUNT(*) FROM job WHERE queue = 'reconcile'").await?, 1);
        assert_eq!(reconcile::push_missing(stand.app.db.orm(), stand.app.clock.now()).await?, 0);
        set(SettingChange { enabled: Some(false), ..Default::default() }).await?;
        assert_eq!(due().await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_compared_goes_with_its_time_and_with_its_stream() -> Result<()> {
    for stand in Stand::both().await? {
        let (table, stream) = synced(&stand).await?;
        table.change(|rows| drop(rows.remove(3)));
        night(&stand, stream, &source(&table)).await?;
        // IDs tell the time of their making, which no test sets.
        stand.app.clock.advance(2_000 * DAY);
        let pruned = server::jobs::prune(&stand.app, &CancellationToken::new()).await?;
        assert_eq!(pruned.reconciles, 1);
        assert_eq!(stand.count("SELECT COUNT(*) FROM reconcile_slice").await?, 0);
        night(&stand, stream, &source(&table)).await?;
        stand.delete(stream).await?;
        while discard::some(&stand.app.db, stand.organization, stream).await? > 0 {}
        assert_eq!(stand.left_of(stream).await?, 0);
    }
    Ok(())
}
