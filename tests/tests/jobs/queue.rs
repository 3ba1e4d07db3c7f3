//! Putting jobs in the queue and taking them out.

use std::time::Duration;

use anyhow::Result;
use entity::JobStatus;
use server::domain::job::{self, enqueue};
use tests::stage::{Stage, until};
use tests::trace;
use tests::worker::{Deed, arrange};

use crate::{Worker, add, all_are, job_of, jobs, now};

#[tokio::test(flavor = "multi_thread")]
async fn an_enqueue_lives_and_dies_with_its_transaction() -> Result<()> {
    Stage::each(async |stage| {
        let tx = stage.db.begin().await?;
        enqueue(&tx, now(), &[job_of("undone", Deed::Work(0))]).await?;
        tx.rollback().await?;
        let tx = stage.db.begin().await?;
        enqueue(&tx, now(), &[job_of("done", Deed::Work(0))]).await?;
        tx.commit().await?;
        let worker = Worker::start(&stage, 2);
        until("the committed job is done", 20, async || {
            let jobs = jobs(&stage).await?;
            Ok(jobs.len() == 1 && jobs[0].status == JobStatus::Done)
        })
        .await?;
        worker.finish().await?;
        assert!(trace::read(&stage.db).await?.iter().all(|event| event.subject == "done"));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_time_waits_for_it_and_higher_priority_goes_first() -> Result<()> {
    Stage::each(async |stage| {
        let hour = now() + 3_600_000_000;
        let low = job_of("low", Deed::Work(0));
        let high = job_of("high", Deed::Work(0)).priority(5);
        add(&stage, &[job_of("later", Deed::Work(0)).run_at(hour).priority(9), low, high]).await?;
        let worker = Worker::start(&stage, 1);
        until("the two whose time has come are done", 30, async || {
            Ok(jobs(&stage).await?[1..].iter().all(|job| job.status == JobStatus::Done))
        })
        .await?;
        assert_eq!(jobs(&stage).await?[0].status, JobStatus::Queued, "begun too early");
        arrange(&stage.db, &format!("UPDATE job SET run_at = {} WHERE status = 'queued'", now())).await?;
        until("all are done", 30, async || all_are(&stage, JobStatus::Done).await).await?;
        worker.finish().await?;
        let order = trace::words(&stage.db, "begin 1").await?;
        let names: Vec<_> = order.iter().map(|event| event.subject.as_str()).collect();
        assert_eq!(names, ["high", "low", "later"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dedupe_key_counts_against_live_jobs_only() -> Result<()> {
    Stage::each(async |stage| {
        let one = || job_of("one", Deed::Work(8_000)).dedupe("key");
        assert_eq!(add(&stage, &[one()]).await?, 1);
        assert_eq!(add(&stage, &[one(), one()]).await?, 0, "one waits already");
        // A second push must not break the transaction it is part of.
        let tx = stage.db.begin().await?;
        assert_eq!(enqueue(&tx, now(), &[one()]).await?, 0);
        enqueue(&tx, now(), &[job_of("two", Deed::Work(0))]).await?;
        tx.commit().await?;
        let worker = Worker::start(&stage, 2);
        until("it runs", 20, async || Ok(jobs(&stage).await?[0].status == JobStatus::Running)).await?;
        assert_eq!(add(&stage, &[one()]).await?, 0, "one runs already");
        until("all are done", 40, async || all_are(&stage, JobStatus::Done).await).await?;
        assert_eq!(add(&stage, &[one()]).await?, 1, "finished jobs do not count");
        worker.finish().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_jobs_with_one_key_one_runs_at_a_time_in_order() -> Result<()> {
    Stage::each(async |stage| {
        let names: Vec<_> = (0..12).map(|number| format!("{number:02}")).collect();
        let jobs: Vec<_> = names.iter().map(|name| job_of(name, Deed::Work(20)).lock("key")).collect();
        add(&stage, &jobs).await?;
        let workers = [Worker::start(&stage, 4), Worker::start(&stage, 4)];
        until("all are done", 60, async || all_are(&stage, JobStatus::Done).await).await?;
        for worker in workers {
            worker.finish().await?;
        }
        let events = trace::read(&stage.db).await?;
        let told: Vec<_> = events.iter().map(|event| (event.subject.clone(), event.word.clone())).collect();
        let one_by_one = |name: String| [(name.clone(), "begin 1".to_owned()), (name, "end".to_owned())];
        assert_eq!(told, names.into_iter().flat_map(one_by_one).collect::<Vec<_>>());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_wakes_the_worker_at_once() -> Result<()> {
    Stage::each(async |stage| {
        // Nobody would look for an hour.
        let worker = Worker::with(&stage, Duration::from_secs(30), Duration::from_secs(3600), 2);
        tokio::time::sleep(Duration::from_millis(500)).await;
        for round in 1..=20 {
            add(&stage, &[job_of("rung", Deed::Work(0))]).await?;
            worker.bell.wake();
            until("the job is done", 10, async || {
                Ok(jobs(&stage).await?.len() == round && all_are(&stage, JobStatus::Done).await?)
            })
            .await?;
        }
        worker.finish().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_has_no_gaps() -> Result<()> {
    Stage::each(async |stage| {
        // Nobody rings: each of these is found by a look alone, over longer than two heartbeats of the loop.
        let start = now() + 500_000;
        let times: Vec<_> = (0..60).map(|step| start + step * 200_000).collect();
        let jobs: Vec<_> =
            times.iter().map(|at| job_of(&at.to_string(), Deed::Work(0)).run_at(*at)).collect();
        add(&stage, &jobs).await?;
        let worker = Worker::with(&stage, Duration::from_secs(15), Duration::from_millis(100), 2);
        let all_done = until("all are done", 60, async || all_are(&stage, JobStatus::Done).await);
        let (machine, ()) = futures::try_join!(lateness(&stage, &times), all_done)?;
        worker.finish().await?;
        for event in trace::words(&stage.db, "begin 1").await? {
            let late = event.at - event.subject.parse::<i64>()?;
            let most = machine + 3_000_000;
            assert!((0..most).contains(&late), "a due job waited {late} of {most} microseconds");
        }
        Ok(())
    })
    .await
}

/// By how many microseconds at most somebody is late who only waits for these times and writes a line at each: that much
/// is the machine's.
async fn lateness(stage: &Stage, times: &[i64]) -> Result<i64> {
    let mut worst = 0;
    for at in times {
        tokio::time::sleep(Duration::from_micros(u64::try_from((at - now()).max(0))?)).await;
        trace::add(stage.db.orm(), now(), "control", "control").await?;
        worst = worst.max(now() - at);
    }
    Ok(worst)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_can_be_withdrawn_and_hastened() -> Result<()> {
    Stage::each(async |stage| {
        let db = stage.db.orm();
        let far = now() + 3_600_000_000;
        let of = |key: &str| job_of(key, Deed::Work(0)).dedupe(key).run_at(far);
        add(&stage, &[of("out"), of("soon")]).await?;
        assert!(job::withdraw(db, now(), "test", "out").await?);
        assert!(!job::withdraw(db, now(), "test", "out").await?, "it is out already");
        assert!(job::hasten(db, now(), "test", "soon").await?);
        assert!(!job::hasten(db, now(), "test", "soon").await?, "it is due already");
        let worker = Worker::start(&stage, 2);
        until("all are done", 20, async || all_are(&stage, JobStatus::Done).await).await?;
        worker.finish().await?;
        let names: Vec<_> = trace::words(&stage.db, "end").await?.into_iter().map(|it| it.subject).collect();
        assert_eq!(names, ["soon"]);
        Ok(())
    })
    .await
}
