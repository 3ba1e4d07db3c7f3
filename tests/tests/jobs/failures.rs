//! Jobs that fail, each in its way.

use anyhow::Result;
use entity::JobStatus;
use server::domain::job::NewJob;
use tests::stage::{Stage, until};
use tests::trace;
use tests::worker::{Deed, QUEUE, arrange};

use crate::{Worker, add, job_of, jobs};

#[tokio::test(flavor = "multi_thread")]
async fn waits_between_attempts_grow_and_outlive_the_worker() -> Result<()> {
    Stage::each(async |stage| {
        add(&stage, &[job_of("failing", Deed::Fail).max_attempts(3)]).await?;
        let worker = Worker::start(&stage, 2);
        until("it has failed once", 20, async || {
            let job = &jobs(&stage).await?[0];
            Ok(job.attempts == 1 && job.status == JobStatus::Queued)
        })
        .await?;
        worker.finish().await?;
        let first = &jobs(&stage).await?[0];
        let failed = trace::words(&stage.db, "begin 1").await?[0].at;
        assert!(first.run_at - failed >= 800_000, "the wait is in the table, not in the worker");
        assert!(first.last_error.as_deref().is_some_and(|error| error.contains("it says fail")));

        let worker = Worker::start(&stage, 2);
        until("it is given up", 40, async || Ok(jobs(&stage).await?[0].status == JobStatus::Dead)).await?;
        worker.finish().await?;
        let job = &jobs(&stage).await?[0];
        assert_eq!((job.attempts, job.lease_owner), (3, None));
        assert!(job.finished_at.is_some() && job.last_error.is_some());
        let times: Vec<_> = trace::read(&stage.db).await?.into_iter().map(|event| event.at).collect();
        assert!(times[1] - times[0] >= 800_000 && times[2] - times[1] >= 1_600_000, "{times:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_the_outside_names_is_honored() -> Result<()> {
    Stage::each(async |stage| {
        add(&stage, &[job_of("limited", Deed::Limited(7)).max_attempts(2)]).await?;
        let worker = Worker::start(&stage, 2);
        until("it is given up", 40, async || Ok(jobs(&stage).await?[0].status == JobStatus::Dead)).await?;
        worker.finish().await?;
        let times: Vec<_> = trace::read(&stage.db).await?.into_iter().map(|event| event.at).collect();
        assert!(times.len() == 2 && times[1] - times[0] >= 7_000_000, "{times:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failure_like_any_other() -> Result<()> {
    Stage::each(async |stage| {
        let panics =
            [job_of("panics", Deed::Panic).max_attempts(2), job_of("panics", Deed::Panic).max_attempts(1)];
        add(&stage, &panics).await?;
        let worker = Worker::start(&stage, 2);
        until("both are given up", 40, async || {
            Ok(jobs(&stage).await?.iter().all(|job| job.status == JobStatus::Dead))
        })
        .await?;
        assert!(
            jobs(&stage)
                .await?
                .iter()
                .all(|it| it.last_error.as_deref().is_some_and(|e| e.contains("panicked")))
        );
        add(&stage, &[job_of("next", Deed::Work(0))]).await?;
        until("the worker goes on", 20, async || Ok(jobs(&stage).await?[2].status == JobStatus::Done))
            .await?;
        worker.finish().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_retry_mends_is_given_up_at_once() -> Result<()> {
    Stage::each(async |stage| {
        add(&stage, &[job_of("aborts", Deed::Abort), NewJob::raw(QUEUE, "not a job")]).await?;
        let worker = Worker::start(&stage, 2);
        until("both are given up", 20, async || {
            Ok(jobs(&stage).await?.iter().all(|job| job.status == JobStatus::Dead && job.attempts == 1))
        })
        .await?;
        worker.finish().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_acknowledgement_is_refused() -> Result<()> {
    Stage::each(async |stage| {
        add(&stage, &[job_of("stolen", Deed::Deaf(5_000))]).await?;
        let worker = Worker::start(&stage, 1);
        until("it runs", 20, async || Ok(!trace::read(&stage.db).await?.is_empty())).await?;
        // Another attempt of the same owner, as after a lease lost and taken again.
        arrange(&stage.db, "UPDATE job SET attempts = attempts + 1").await?;
        until("the first attempt has ended", 20, async || {
            Ok(!trace::words(&stage.db, "end").await?.is_empty())
        })
        .await?;
        worker.finish().await?;
        let job = &jobs(&stage).await?[0];
        assert_eq!(
            (job.status, job.attempts),
            (JobStatus::Running, 2),
            "the late answer must change nothing"
        );
        Ok(())
    })
    .await
}
