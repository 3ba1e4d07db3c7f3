//! Leases: who holds a job, who takes it over, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use entity::{JobStatus, worker};
use sea_orm::EntityTrait;
use tests::stage::{Stage, until};
use tests::trace;
use tests::worker::{Deed, Process};

use crate::{NODE, Worker, add, all_are, job_of, jobs};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_killed_process_come_back_after_a_fast_restart() -> Result<()> {
    Stage::each(async |stage| {
        let started = job_of("started", Deed::Work(60_000));
        let waiting = job_of("waiting", Deed::Work(0)).priority(-1);
        add(&stage, &[started, waiting]).await?;
        let arguments = ["--at-once", "1", "--lease", "5000"];
        let mut first = Process::start(NODE, &stage, &arguments)?;
        until("the job has begun", 30, async || Ok(!trace::read(&stage.db).await?.is_empty())).await?;
        first.kill()?;
        // At once, as a supervisor does.
        let second = Process::start(NODE, &stage, &arguments)?;
        until("the job has begun again", 30, async || {
            Ok(trace::read(&stage.db).await?.iter().any(|event| event.word == "begin 2"))
        })
        .await?;
        second.stop()?;
        let attempts: Vec<_> = jobs(&stage).await?.iter().map(|job| (job.status, job.attempts)).collect();
        // The second was told to stop and gave the job back, which costs nothing; only the crash cost an attempt.
        assert_eq!(attempts[0], (JobStatus::Queued, 1));
        assert!(attempts[1].1 <= 1, "a job that never started pays nothing: {attempts:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saturated_worker_keeps_its_leases() -> Result<()> {
    Stage::each(async |stage| {
        // More than two leases.
        let long = |name: &str| job_of(name, Deed::Work(12_000));
        add(&stage, &[long("one"), long("two")]).await?;
        let (lease, poll) = (Duration::from_secs(5), Duration::from_millis(100));
        let busy = Worker::with(&stage, lease, poll, 2);
        until("both have begun", 20, async || Ok(trace::read(&stage.db).await?.len() >= 2)).await?;
        let idle = Worker::with(&stage, lease, poll, 2);
        let started = crate::now();
        until("both are done", 40, async || all_are(&stage, JobStatus::Done).await).await?;
        assert!(jobs(&stage).await?.iter().all(|job| job.attempts == 1), "nobody took them over");
        let workers = worker::Entity::find().all(stage.db.orm()).await?;
        assert_eq!(workers.len(), 2);
        let alive = |it: &worker::Model| it.seen_at > started + 5_000_000;
        assert!(workers.iter().all(alive), "busy or idle, a worker says that it is alive");
        busy.finish().await?;
        idle.finish().await?;
        assert!(worker::Entity::find().all(stage.db.orm()).await?.is_empty(), "who ends says so");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_threads_are_blocked_has_no_double_effect() -> Result<()> {
    Stage::each(async |stage| {
        // Both threads of the first process are held for three leases, so that it cannot renew.
        add(&stage, &[job_of("one", Deed::Block(6_000)), job_of("two", Deed::Block(6_000))]).await?;
        let blocked = Process::start(NODE, &stage, &["--at-once", "2", "--lease", "2000"])?;
        until("both have begun", 30, async || Ok(trace::read(&stage.db).await?.len() >= 2)).await?;
        let others = Process::start(NODE, &stage, &["--at-once", "1", "--lease", "9000"])?;
        until("both are done", 60, async || all_are(&stage, JobStatus::Done).await).await?;
        // Until the late answers have come, too.
        tokio::time::sleep(Duration::from_secs(2)).await;
        blocked.stop()?;
        others.stop()?;
        let effects: Vec<_> =
            trace::words(&stage.db, "effect").await?.into_iter().map(|it| it.subject).collect();
        assert_eq!(effects.len(), 2, "each once: {effects:?}");
        assert_eq!(effects.iter().collect::<BTreeSet<_>>().len(), 2);
        assert!(all_are(&stage, JobStatus::Done).await?, "no late answer took a job back");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_gives_back_what_is_in_hand_at_no_cost() -> Result<()> {
    Stage::each(async |stage| {
        add(&stage, &[job_of("stops", Deed::Work(60_000)), job_of("ends", Deed::Deaf(1_500))]).await?;
        let first = Worker::start(&stage, 2);
        until("both have begun", 20, async || Ok(trace::read(&stage.db).await?.len() >= 2)).await?;
        first.finish().await?;
        let found = jobs(&stage).await?;
        assert_eq!((found[0].status, found[0].attempts, found[0].lease_owner), (JobStatus::Queued, 0, None));
        assert_eq!(found[1].status, JobStatus::Done, "what does not listen may end in its time");
        let second = Worker::start(&stage, 2);
        until("it goes on at once", 10, async || Ok(trace::words(&stage.db, "begin 1").await?.len() == 3))
            .await?;
        second.finish().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_jobs_of_ten_keys_in_two_processes() -> Result<()> {
    Stage::each(async |stage| {
        let name = |number: usize| format!("{}/{number}", number % 10);
        let job = |number: usize| {
            let deed = Deed::Work((number * 7 % 5) as u64);
            job_of(&name(number), deed).lock(format!("key {}", number % 10))
        };
        add(&stage, &(0..400).map(job).collect::<Vec<_>>()).await?;
        let processes = [Process::start(NODE, &stage, &[])?, Process::start(NODE, &stage, &[])?];
        until("all are done", 240, async || all_are(&stage, JobStatus::Done).await).await?;
        for process in processes {
            process.stop()?;
        }
        let mut spans = BTreeMap::<String, Vec<(i64, i64)>>::new();
        let mut open = BTreeMap::new();
        for event in trace::read(&stage.db).await? {
            if event.word == "end" {
                let begun = open.remove(&event.subject).expect("begun before it ended");
                let key = event.subject.split('/').next().unwrap_or_default().to_owned();
                spans.entry(key).or_default().push((begun, event.at));
            } else {
                assert_eq!(event.word, "begin 1", "{} ran twice", event.subject);
                assert!(open.insert(event.subject, event.at).is_none());
            }
        }
        assert!(open.is_empty());
        assert_eq!(spans.values().map(Vec::len).sum::<usize>(), 400, "none lost, none doubled");
        for (key, mut spans) in spans {
            spans.sort_unstable();
            for pair in spans.windows(2) {
                assert!(pair[0].1 <= pair[1].0, "two jobs of key {key} overlap: {pair:?}");
            }
        }
        Ok(())
    })
    .await
}
