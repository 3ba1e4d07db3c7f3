//! Runs: one live run per stream and kind, held by one worker at a time, whatever dies.

use std::time::{Duration, Instant};

use anyhow::Result;
use entity::{OrganizationId, RunKind, RunStatus, RunTrigger, SourceId, StreamId, SyncRunId};
use server::clock::Clock;
use server::domain::job::NewJob;
use server::domain::sync_run::{self as runs, Claim, Claimed, End, Request, SyncRun};
use server::error::Error;
use tests::stage::{Stage, until};
use tests::trace;
use tests::worker::{Process, arrange};

use crate::working::{Working, ask, ended, find};
use crate::{NODE, now};

async fn scene(stage: &Stage, name: &str) -> Result<((OrganizationId, SourceId), StreamId)> {
    let organization = stage.organization().await?;
    Ok((organization, stage.stream(organization, name, |_| {}).await?))
}

/// Claims the run at a time, for so many microseconds.
async fn claim(stage: &Stage, run: &SyncRun, at: i64, lease: i64) -> Result<Claimed> {
    let key = (run.organization_id, run.id);
    Ok(runs::claim(stage.db.orm(), at, at + lease, key, entity::WorkerId::new()).await?)
}

fn ours(claimed: Claimed) -> Claim {
    match claimed {
        Claimed::Ours(claim) => *claim,
        other => panic!("not ours: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pitfall_30_a_second_start_joins_the_live_run() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 3 10").await?;
        let asked =
            || runs::start(stage.db.orm(), now(), Request::sync(organization, stream, RunTrigger::Api));
        let first = asked().await?;
        assert!(!first.coalesced && first.run.number == 1 && first.run.status == RunStatus::Queued);
        let started = futures::future::try_join_all((0..8).map(|_| asked())).await?;
        assert!(started.iter().all(|it| it.coalesced && it.run.id == first.run.id));
        // A backfill goes beside it; one of another range must not be taken for it.
        let range = |until: &str| Request {
            kind: RunKind::Backfill,
            since: Some("1".to_owned()),
            until: Some(until.to_owned()),
            ..Request::sync(organization, stream, RunTrigger::Manual)
        };
        let beside = runs::start(stage.db.orm(), now(), range("5")).await?;
        assert!(!beside.coalesced && beside.run.number == 2);
        assert!(runs::start(stage.db.orm(), now(), range("5")).await?.coalesced);
        let other = runs::start(stage.db.orm(), now(), range("6")).await;
        assert!(matches!(other, Err(Error::Conflict(_))), "{other:?}");
        let working = Working::start(&stage).await?;
        for run in [&first.run, &beside.run] {
            let run = ended(&stage, run, 30).await?;
            assert_eq!((run.status, run.balanced, run.rows_read), (RunStatus::Succeeded, Some(true), 3));
        }
        let next = asked().await?;
        assert!(!next.coalesced && next.run.number == 3);
        ended(&stage, &next.run, 30).await?;
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_first_starts_make_one_run() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 1 1").await?;
        let start = || async {
            let tx = stage.db.begin().await?;
            let started =
                runs::start(&tx, now(), Request::sync(organization, stream, RunTrigger::Manual)).await?;
            tx.commit().await?;
            Ok::<_, Error>(started)
        };
        let started = futures::future::try_join_all((0..4).map(|_| start())).await?;
        assert_eq!(started.iter().filter(|it| !it.coalesced).count(), 1);
        assert!(started.iter().all(|it| it.run.id == started[0].run.id));
        assert_eq!(crate::jobs(&stage).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pitfall_28_a_run_whose_worker_died_blocks_nothing() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 1 1").await?;
        let run = ask(&stage, organization, stream).await?;
        let start = now();
        let dead = ours(claim(&stage, &run, start, 300_000).await?);
        let early = claim(&stage, &run, start + 1, 300_000).await?;
        assert!(
            matches!(early, Claimed::Held(until) if until == start + 300_000),
            "the lease holds: {early:?}"
        );
        // What counts as live for the index, and what can be taken up, are one: the run is both.
        assert!(ask(&stage, organization, stream).await?.id == run.id);
        let heir = ours(claim(&stage, &run, start + 400_000, 3_600_000_000).await?);
        assert_eq!((heir.run.attempt, heir.fence()), (2, dead.fence() + 1));
        // The dead one wakes up: nothing it says counts.
        let late = runs::finish(&stage.db, now(), &dead, End::Succeeded).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        assert!(matches!(runs::release(stage.db.orm(), &dead).await, Err(Error::LeaseLost)));
        let renewed =
            runs::renew(stage.db.orm(), now(), now(), &[(organization, run.id, dead.fence())]).await?;
        assert!(renewed.is_empty());
        assert_eq!(runs::finish(&stage.db, now(), &heir, End::Succeeded).await?, RunStatus::Succeeded);
        assert!(matches!(claim(&stage, &run, now(), 1).await?, Claimed::Over));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pitfall_29_a_long_run_that_renews_is_not_taken_over() -> Result<()> {
    Stage::each(async |stage| {
        // Twelve seconds of silence between two batches, with a lease of six.
        let ((organization, _), stream) = scene(&stage, "batches 2 12000").await?;
        let run = ask(&stage, organization, stream).await?;
        let short = async || Working::at(&stage, Clock::system(), 6).await;
        let workers = [short().await?, short().await?];
        let run = ended(&stage, &run, 90).await?;
        assert_eq!((run.status, run.attempt, run.fence), (RunStatus::Succeeded, 1, 1));
        assert!(run.heartbeat_at.is_some_and(|at| at > run.started_at.unwrap_or(i64::MAX)));
        for worker in workers {
            worker.finish().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_was_killed_goes_on_elsewhere_within_thirty_seconds() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 300 100").await?;
        let run = ask(&stage, organization, stream).await?;
        // The lease a server has unless told otherwise.
        let arguments = ["--runs", "--lease", "15000"];
        let mut first = Process::start(NODE, &stage, &arguments)?;
        until("some batches are stored", 30, async || Ok(find(&stage, &run).await?.batches > 5)).await?;
        let second = Process::start(NODE, &stage, &arguments)?;
        first.kill()?;
        let killed = Instant::now();
        until("another attempt has begun", 40, async || Ok(find(&stage, &run).await?.attempt == 2)).await?;
        assert!(killed.elapsed() < Duration::from_secs(30), "taken up after {:?}", killed.elapsed());
        let run = ended(&stage, &run, 90).await?;
        assert_eq!((run.status, run.batches, run.rows_read), (RunStatus::Succeeded, 300, 300));
        assert_eq!(trace::words(&stage.db, "batch").await?.len(), 300, "no batch lost, none twice");
        second.stop()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_hands_the_run_back_at_once() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 40 100").await?;
        let run = ask(&stage, organization, stream).await?;
        let first = Working::start(&stage).await?;
        until("some batches are stored", 30, async || Ok(find(&stage, &run).await?.batches > 5)).await?;
        first.finish().await;
        let between = find(&stage, &run).await?;
        assert_eq!((between.status, between.attempt, between.lease_owner), (RunStatus::Queued, 0, None));
        let second = Working::start(&stage).await?;
        let run = ended(&stage, &run, 30).await?;
        assert_eq!((run.status, run.attempt, run.fence, run.batches), (RunStatus::Succeeded, 1, 2, 40));
        assert_eq!(trace::words(&stage.db, "batch").await?.len(), 40);
        second.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_stops_whether_it_waits_or_runs() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 600 100").await?;
        let waiting = ask(&stage, organization, stream).await?;
        let run = runs::cancel(stage.db.orm(), now(), organization, waiting.id).await?;
        assert_eq!(run.status, RunStatus::Cancelled);
        assert!(run.finished_at.is_some() && run.cancel_requested_at.is_some());
        let again = runs::cancel(stage.db.orm(), now(), organization, waiting.id).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let unknown = runs::cancel(stage.db.orm(), now(), organization, SyncRunId::new()).await;
        assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");

        let running = ask(&stage, organization, stream).await?;
        let working = Working::start(&stage).await?;
        until("some batches are stored", 30, async || Ok(find(&stage, &running).await?.batches > 3)).await?;
        // Asked through another process: the keeper of the lease sees it.
        runs::cancel(stage.db.orm(), now(), organization, running.id).await?;
        let run = ended(&stage, &running, 40).await?;
        assert_eq!((run.status, run.balanced), (RunStatus::Cancelled, Some(true)));
        assert_eq!(
            i64::try_from(trace::words(&stage.db, "batch").await?.len())?,
            run.batches,
            "what is stored stays"
        );
        assert_eq!(trace::words(&stage.db, "attempt 1").await?.len(), 1, "the one that waited never began");
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_run_without_a_job_gets_one() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 1 1").await?;
        let run = ask(&stage, organization, stream).await?;
        arrange(&stage.db, "DELETE FROM job").await?;
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 40).await?;
        assert_eq!(run.status, RunStatus::Succeeded);
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_too_many_finds_nothing_to_do() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 3 200").await?;
        let run = ask(&stage, organization, stream).await?;
        let payload = crate::jobs(&stage).await?[0].payload.clone();
        let extra: Vec<_> = (0..3).map(|_| NewJob::raw("sync", payload.clone())).collect();
        crate::add(&stage, &extra).await?;
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 30).await?;
        assert_eq!((run.status, run.attempt, run.batches), (RunStatus::Succeeded, 1, 3));
        until("the others are done", 30, async || {
            let open =
                |job: &entity::job::Model| job.queue == "sync" && job.status != entity::JobStatus::Done;
            Ok(!crate::jobs(&stage).await?.iter().any(open))
        })
        .await?;
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_can_be_repeated_with_its_range() -> Result<()> {
    Stage::each(async |stage| {
        let ((organization, _), stream) = scene(&stage, "batches 1 1").await?;
        let range = Request {
            kind: RunKind::Backfill,
            since: Some("10".to_owned()),
            until: Some("20".to_owned()),
            ..Request::sync(organization, stream, RunTrigger::Manual)
        };
        let first = runs::start(stage.db.orm(), now(), range).await?.run;
        let early = runs::repeat(stage.db.orm(), now(), organization, first.id, None).await;
        assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
        let working = Working::start(&stage).await?;
        ended(&stage, &first, 30).await?;
        let second = runs::repeat(stage.db.orm(), now(), organization, first.id, None).await?.run;
        assert_eq!((second.kind, second.trigger), (RunKind::Backfill, RunTrigger::Retry));
        assert_eq!((second.since.as_deref(), second.until.as_deref()), (Some("10"), Some("20")));
        ended(&stage, &second, 30).await?;
        working.finish().await;
        Ok(())
    })
    .await
}
