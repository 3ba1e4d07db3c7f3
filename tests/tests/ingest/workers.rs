//! Two processes on one database: one that lost its lease, two streams, a sync beside a replay and beside a backfill.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use connector::memory::Owned;
use entity::{RunKind, RunStatus, RunTrigger, StreamId, WorkerId, checkpoint, sync_run};
use sea_orm::EntityTrait;
use server::app::App;
use server::domain::sync_run::{self as runs, Claim, Claimed, End, Request};
use server::error::{Error, Result as Done};
use server::ingest::{self, Lease, Outcome, Range};
use tests::stage::until;
use tests::stand::{Gate, Hold, Shape, Stand, balanced};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cursor::set_batch;
use crate::faults::{filled, undisturbed};
use crate::model::{Feed, Model};
use crate::{row, table};

/// Microseconds a claim holds. The clock stands still until a test moves it.
pub const LEASE: i64 = 15_000_000;

/// Takes a run as a worker does, for as long as [`LEASE`].
pub async fn claim(app: &App, run: &sync_run::Model) -> Result<Claim> {
    let (now, key) = (app.clock.now(), (run.organization_id, run.id));
    match runs::claim(app.db.orm(), now, now + LEASE, key, WorkerId::new()).await? {
        Claimed::Ours(claim) => Ok(*claim),
        other => anyhow::bail!("the run is not to be had: {other:?}"),
    }
}

pub fn lease(claim: &Claim) -> Lease {
    let (organization, run) = (claim.organization(), claim.id());
    Lease { organization, run, number: claim.run.number, fence: claim.fence() }
}

/// Begins an attempt in a task of its own.
pub fn work(
    app: &App,
    source: &Gate,
    stream: StreamId,
    lease: Lease,
    range: Range,
) -> JoinHandle<Done<Outcome>> {
    let (app, source) = (app.clone(), Arc::new(source.clone()));
    tokio::spawn(
        async move { ingest::run(&app, source, &lease, stream, &range, &CancellationToken::new()).await },
    )
}

pub async fn ask(stand: &Stand, stream: StreamId) -> Result<sync_run::Model> {
    let request = Request::sync(stand.organization, stream, RunTrigger::Manual);
    Ok(runs::start(stand.app.db.orm(), stand.app.clock.now(), request).await?.run)
}

pub async fn find(stand: &Stand, lease: &Lease) -> Result<sync_run::Model> {
    let key = (lease.organization, lease.run);
    sync_run::Entity::find_by_id(key).one(stand.app.db.orm()).await?.context("the run exists")
}

/// Waits until a run has stored so many batches.
pub async fn stored(stand: &Stand, lease: &Lease, batches: i64) -> Result<()> {
    until("batches are stored", 60, async || Ok(find(stand, lease).await?.batches >= batches)).await
}

/// All that a run may change.
async fn everything(stand: &Stand, lease: &Lease) -> Result<String> {
    let marks = checkpoint::Entity::find().all(stand.app.db.orm()).await?;
    let (measured, waiting) = (stand.measurements().await?, stand.waiting().await?);
    Ok(format!("{measured:#?}\n{waiting:#?}\n{:#?}\n{marks:#?}", find(stand, lease).await?))
}

/// A stand with a stream of 500 rows in five batches, and what a run that nothing disturbs makes of them.
pub async fn scene(stand: &mut Stand) -> Result<(connector::memory::MemoryTable, StreamId)> {
    let acme = stand.account("Acme").await?;
    stand.identify(acme, "acme").await?;
    set_batch(stand, 100);
    let table = filled();
    let stream = stand.stream(&table, Shape::default()).await?;
    Ok((table, stream))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_former_holder_that_writes_on_after_a_takeover_stores_nothing() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for mut stand in Stand::both().await? {
        let (table, stream) = scene(&mut stand).await?;
        let (first, second) = (stand.process().await?, stand.process().await?);
        let run = ask(&stand, stream).await?;

        let (old, slow) = (claim(&first, &run).await?, Gate::closed(&table));
        slow.allow(2);
        let late = work(&first, &slow, stream, lease(&old), Range::New);
        stored(&stand, &lease(&old), 2).await?;

        // The first is silent for too long, and the second goes on behind its last batch.
        stand.app.clock.advance(LEASE + 1);
        let (heir, brisk) = (claim(&second, &run).await?, Gate::closed(&table));
        assert_eq!((heir.run.attempt, heir.fence()), (2, old.fence() + 1));
        brisk.allow(1);
        let goes_on = work(&second, &brisk, stream, lease(&heir), Range::New);
        stored(&stand, &lease(&old), 3).await?;

        let before = everything(&stand, &lease(&old)).await?;
        slow.lift();
        let late = late.await?;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        let ended = runs::finish(&first.db, first.clock.now(), &old, End::Succeeded).await;
        assert!(matches!(ended, Err(Error::LeaseLost)), "{ended:?}");
        assert_eq!(everything(&stand, &lease(&old)).await?, before, "nothing changed");

        brisk.lift();
        assert_eq!(goes_on.await??, Outcome::Done);
        let now = second.clock.now();
        assert_eq!(runs::finish(&second.db, now, &heir, End::Succeeded).await?, RunStatus::Succeeded);
        balanced(&find(&stand, &lease(&heir)).await?)?;
        stand.groups_add_up().await?;
        assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_takeover_while_a_batch_is_being_written_undoes_that_batch() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    // On SQLite the batch in hand holds the write lock, so that nobody can take over before it is stored.
    let mut stand = Stand::postgres().await?;
    let (table, stream) = scene(&mut stand).await?;
    let (mut first, second) = (stand.process().await?, stand.process().await?);
    let run = ask(&stand, stream).await?;
    let (faults, hold) = Hold::at("batch.stored", 3);
    first.faults = faults;
    let old = claim(&first, &run).await?;
    let late = work(&first, &Gate::open(&table), stream, lease(&old), Range::New);
    hold.reached().await?;
    stand.app.clock.advance(LEASE + 1);
    let heir = claim(&second, &run).await?;
    // It waits at the stream's lock until the former holder has seen that it is none any more.
    let goes_on = work(&second, &Gate::open(&table), stream, lease(&heir), Range::New);
    hold.release();
    let late = late.await?;
    assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
    assert_eq!(goes_on.await??, Outcome::Done);
    let run = find(&stand, &lease(&heir)).await?;
    balanced(&run)?;
    assert!(run.rows_read < 600, "two batches were stored before: {}", run.rows_read);
    assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
    stand.groups_add_up().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_read_two_streams_into_the_same_metrics_at_once() -> Result<()> {
    let mut stand = Stand::postgres().await?;
    set_batch(&mut stand, 100);
    let acme = stand.account("acme").await?;
    stand.identify(acme, "acme").await?;
    let (mut first, mut second) = (stand.process().await?, stand.process().await?);
    let (one, other) = (table(), table());
    for id in 0..300_i128 {
        // The same thirty metrics in opposite orders, and accounts nobody knows yet.
        let account = if id % 3 == 0 { format!("new {}", id % 9) } else { "acme".to_owned() };
        let (rising, falling) = (format!("m{}", id % 30), format!("m{}", 29 - id % 30));
        one.push(row(id, &account, &rising, &id.to_string(), id as i64, -10));
        other.push(row(id, &account, &falling, &id.to_string(), id as i64, -10));
    }
    let streams =
        [stand.stream(&one, Shape::default()).await?, stand.stream(&other, Shape::default()).await?];
    // The first has made metrics and series that nobody sees yet when the second begins to look for its own.
    let (faults, making) = Hold::at("batch.stored", 1);
    first.faults = faults;
    let (faults, looking) = Hold::at("batch.locked", 1);
    second.faults = faults;
    let leases = [lease(&claim(&first, &ask(&stand, streams[0]).await?).await?), {
        lease(&claim(&second, &ask(&stand, streams[1]).await?).await?)
    }];
    let begun = work(&first, &Gate::open(&one), streams[0], leases[0].clone(), Range::New);
    making.reached().await?;
    let beside = work(&second, &Gate::open(&other), streams[1], leases[1].clone(), Range::New);
    looking.reached().await?;
    looking.release();
    making.release();
    assert_eq!((begun.await??, beside.await??), (Outcome::Done, Outcome::Done));
    let mut models = [Model::default(), Model::default()];
    for (model, table) in models.iter_mut().zip([&one, &other]) {
        model.known.entry("acme".to_owned()).or_default().identified = true;
        model.sync(Feed::Usage, table, 0);
    }
    let both = |lines: fn(&Model) -> Vec<String>| {
        let mut both: Vec<String> = models.iter().flat_map(lines).collect();
        both.sort();
        both
    };
    assert_eq!(stand.measurements().await?, both(Model::measurements));
    assert_eq!(stand.waiting().await?, both(Model::waiting));
    assert_eq!(stand.count("SELECT COUNT(*) FROM metric").await?, 30, "each once");
    for lease in &leases {
        let run = find(&stand, lease).await?;
        balanced(&run)?;
        assert_eq!((run.rows_read, run.written, run.unmatched), (300, 200, 100));
    }
    stand.groups_add_up().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replay_while_a_sync_runs_moves_each_row_once() -> Result<()> {
    const ACCOUNTS: usize = 6;
    for mut stand in Stand::both().await? {
        set_batch(&mut stand, 25);
        let (table, mut model) = (table(), Model::default());
        for id in 0..300_i128 {
            let (account, updated) = (format!("a{}", id % ACCOUNTS as i128), -600 + id as i64);
            table.push(row(id, &account, "seats", &id.to_string(), (id / 12) as i64, updated));
        }
        let stream = stand.stream(&table, Shape::default()).await?;
        let (syncs, replays, gate) = (stand.process().await?, stand.process().await?, Gate::closed(&table));
        let claimed = lease(&claim(&syncs, &ask(&stand, stream).await?).await?);
        let sync = work(&syncs, &gate, stream, claimed.clone(), Range::New);
        for number in 0..ACCOUNTS {
            gate.allow(2);
            let account = stand.account(&format!("a{number}")).await?;
            stand.identify(account, &format!("a{number}")).await?;
            model.known.entry(format!("a{number}")).or_default().identified = true;
            // While the sync writes the batches it was just allowed.
            let stop = CancellationToken::new();
            let everything = server::domain::matching_change::Scope::Everything;
            ingest::replay::waiting(&replays, stand.organization, &everything, &stop).await?;
            ensure!(!sync.is_finished() || number + 1 == ACCOUNTS, "the sync was to run until the end");
        }
        gate.lift();
        assert_eq!(sync.await??, Outcome::Done);
        let run = find(&stand, &claimed).await?;
        balanced(&run)?;
        assert_eq!(run.rows_read, 300);
        let moved = stand.replay().await?;
        model.sync(Feed::Usage, &table, 0);
        assert_eq!(stand.measurements().await?, model.measurements());
        assert!(stand.waiting().await?.is_empty());
        assert!(moved.written + moved.superseded <= run.unmatched as u64);
        stand.groups_add_up().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backfill_beside_a_sync_ends_as_if_each_had_run_alone() -> Result<()> {
    for mut stand in Stand::both().await? {
        set_batch(&mut stand, 25);
        let acme = stand.account("acme").await?;
        stand.identify(acme, "acme").await?;
        let (table, mut model) = (table(), Model::default());
        model.known.entry("acme".to_owned()).or_default().identified = true;
        for id in 0..400_i128 {
            let account = if id % 5 == 0 { "nobody" } else { "acme" };
            table.push(row(id, account, "seats", &id.to_string(), (id % 90) as i64, -1_000 + id as i64));
        }
        let stream = stand.stream(&table, Shape::default()).await?;
        stand.sync(stream, &table).await?;
        model.sync(Feed::Usage, &table, 0);
        // Old rows change in place, where only the backfill looks; new ones come, which compete with them.
        table.change(|rows| {
            for row in rows.iter_mut().step_by(3) {
                row[3] = Owned::Decimal("7.5".to_owned());
            }
        });
        for id in 400..700_i128 {
            let account = if id % 5 == 0 { "nobody" } else { "acme" };
            table.push(row(id, account, "seats", &id.to_string(), (id % 90) as i64, -1_000 + id as i64));
        }
        let (live, beside) = (stand.process().await?, stand.process().await?);
        let (fast, slow) = (Gate::closed(&table), Gate::closed(&table));
        let sync = lease(&claim(&live, &ask(&stand, stream).await?).await?);
        let request = Request {
            kind: RunKind::Backfill,
            ..Request::sync(stand.organization, stream, RunTrigger::Manual)
        };
        let backfill = runs::start(stand.app.db.orm(), stand.app.clock.now(), request).await?.run;
        let backfill = lease(&claim(&beside, &backfill).await?);
        let syncing = work(&live, &fast, stream, sync.clone(), Range::New);
        let all = Range::Between { since: None, until: None };
        let filling = work(&beside, &slow, stream, backfill.clone(), all);
        // Both are under way; then each goes as fast as it can.
        fast.allow(1);
        slow.allow(1);
        stored(&stand, &sync, 1).await?;
        stored(&stand, &backfill, 1).await?;
        assert!(!syncing.is_finished() && !filling.is_finished());
        fast.lift();
        slow.lift();
        assert_eq!((syncing.await??, filling.await??), (Outcome::Done, Outcome::Done));
        model.sync(Feed::Usage, &table, 0);
        model.read(Feed::Usage, &table, i64::MIN, i64::MAX);
        assert_eq!(stand.measurements().await?, model.measurements());
        assert_eq!(stand.waiting().await?, model.waiting());
        for lease in [&sync, &backfill] {
            balanced(&find(&stand, lease).await?)?;
        }
        assert_eq!(find(&stand, &backfill).await?.rows_read, 700);
        stand.groups_add_up().await?;
        let mark =
            checkpoint::Entity::find_by_id((stand.organization, stream)).one(stand.app.db.orm()).await?;
        let mark = mark.context("there is a checkpoint")?;
        assert_eq!(mark.run_id, Some(sync.run), "the sync alone moved it");
        assert_eq!(Some(mark.watermark), find(&stand, &sync).await?.cursor_after);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_setting_changed_in_the_middle_of_a_run_counts_from_the_next_batch_on() -> Result<()> {
    let wanted = undisturbed(&mut Stand::sqlite().await?).await?;
    for mut stand in Stand::both().await? {
        let (table, stream) = scene(&mut stand).await?;
        stand.tries(&["salesforce"]).await?;
        let run = claim(&stand.app, &ask(&stand, stream).await?).await?;
        let source = Gate::closed(&table);
        source.allow(2);
        let going = work(&stand.app, &source, stream, lease(&run), Range::New);
        stored(&stand, &lease(&run), 2).await?;
        assert_eq!(stand.measurements().await?.len(), 0);
        stand.tries(&["salesforce", "account_id"]).await?;
        source.lift();
        assert_eq!(going.await??, Outcome::Done);
        let run = find(&stand, &lease(&run)).await?;
        balanced(&run)?;
        assert!(run.written > 0 && run.unmatched > 0, "{run:?}");
        stand.replay().await?;
        assert_eq!((stand.measurements().await?, stand.waiting().await?), wanted);
        stand.groups_add_up().await?;
    }
    Ok(())
}
