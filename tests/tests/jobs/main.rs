//! Jobs, runs and schedules, on both databases, with worker processes where the matter is about processes.
//!
//! The first two modules hold a test for each way in which job storages in use elsewhere were seen to fail: jobs lost
//! after a fast restart, retries without a wait, panics that leave a job running for ever, dedupe against finished
//! jobs, acknowledgements that take a job back, gaps between polls, ticks run once per node, pruning of fresh rows.

mod failures;
mod leases;
mod locks;
mod one_statement;
mod outages;
mod poll;
mod prune;
mod queue;
mod retries;
mod runs;
mod schedule;
mod working;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use entity::{JobStatus, job};
use sea_orm::EntityTrait;
use server::domain::job::{Jobs, NewJob, enqueue};
use tests::stage::Stage;
use tests::worker::{Act, Deed, QUEUE, node, settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The program of `tests/src/bin/node.rs`.
const NODE: &str = env!("CARGO_BIN_EXE_node");

/// Microseconds now.
fn now() -> i64 {
    server::clock::Clock::system().now()
}

/// A test job.
fn job_of(name: &str, deed: Deed) -> NewJob {
    NewJob::raw(QUEUE, Act::payload(name, deed))
}

async fn add(stage: &Stage, jobs: &[NewJob]) -> Result<u64> {
    Ok(enqueue(stage.db.orm(), now(), jobs).await?)
}

/// All jobs, by ID.
async fn jobs(stage: &Stage) -> Result<Vec<job::Model>> {
    let jobs = job::Entity::find().all(stage.db.orm()).await?;
    Ok(jobs.into_iter().map(|job| (job.id, job)).collect::<BTreeMap<_, _>>().into_values().collect())
}

/// Whether every job has this status.
async fn all_are(stage: &Stage, status: JobStatus) -> Result<bool> {
    Ok(jobs(stage).await?.iter().all(|job| job.status == status))
}

/// A node in this process; stops with this value.
struct Worker {
    bell: Jobs,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    /// With the lease a server has unless told otherwise and a short poll.
    fn start(stage: &Stage, at_once: usize) -> Self {
        Self::with(stage, Duration::from_secs(15), Duration::from_millis(100), at_once)
    }

    fn with(stage: &Stage, lease: Duration, poll: Duration, at_once: usize) -> Self {
        let (bell, stop) = (Jobs::default(), CancellationToken::new());
        let node = node(&stage.db, &bell, settings(lease, poll, at_once), &stop);
        Self { bell, task: tokio::spawn(node.run()), stop }
    }

    /// Stops it gracefully and waits for its end.
    async fn finish(mut self) -> Result<()> {
        self.stop.cancel();
        Ok((&mut self.task).await?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}
