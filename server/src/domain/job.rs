//! Jobs as the rest of the product sees them: put in the queue inside the transaction that gives them a reason.
//!
//! A job is a verb and an ID. What it means lives in the tables; losing a job loses nothing that the next look at
//! the tables does not find again. How jobs are taken, renewed and retried is the subject of `crate::jobs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use entity::{OrganizationId, ReconcileId, StreamId, SyncRunId};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::clock::Micros;
use crate::error::{Error, Result};
use crate::sql::Sql;

/// What a worker can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Carries out a sync run.
    RunSync {
        /// The organization.
        organization: OrganizationId,
        /// The run.
        run: SyncRunId,
    },
    /// Carries out a run of a bounded range, in a lane of its own so that live syncs never wait for it.
    RunBackfill {
        /// The organization.
        organization: OrganizationId,
        /// The run.
        run: SyncRunId,
    },
    /// Discards what a deleted stream stored.
    Discard {
        /// The organization.
        organization: OrganizationId,
        /// The stream.
        stream: StreamId,
    },
    /// Compares what a stream took in with its table.
    Reconcile {
        /// The organization.
        organization: OrganizationId,
        /// The comparison.
        reconcile: ReconcileId,
    },
    /// Deletes what is kept no longer.
    Prune,
}

impl Job {
    /// The queue it waits in. Stored: renaming one strands its jobs.
    pub fn queue(&self) -> &'static str {
        match self {
            Self::RunSync { .. } => "sync",
            Self::RunBackfill { .. } => "backfill",
            Self::Discard { .. } => "discard",
            Self::Reconcile { .. } => "reconcile",
            Self::Prune => "prune",
        }
    }

    /// Reads a stored job.
    ///
    /// # Errors
    /// When it is none, which no retry mends.
    pub fn parse(payload: &str) -> Result<Self> {
        serde_json::from_str(payload)
            .map_err(|error| Error::invalid("job", format!("is not readable: {error}")))
    }
}

/// A job to enqueue.
#[derive(Clone, Debug)]
pub struct NewJob {
    queue: String,
    payload: String,
    lock_key: Option<String>,
    dedupe_key: Option<String>,
    priority: i32,
    run_at: Option<Micros>,
    max_attempts: i32,
}

impl NewJob {
    /// A job that runs as soon as it can, in at most five attempts.
    pub fn new(job: &Job) -> Self {
        let payload = serde_json::to_string(job).expect("a job is plain words and IDs");
        Self::raw(job.queue(), payload)
    }

    /// A job of a queue this module does not know.
    pub fn raw(queue: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            payload: payload.into(),
            lock_key: None,
            dedupe_key: None,
            priority: 0,
            run_at: None,
            max_attempts: 5,
        }
    }

    /// Of all jobs with this key, in whatever queue, one runs at a time, in the order they were enqueued.
    #[must_use]
    pub fn lock(mut self, key: impl Into<String>) -> Self {
        self.lock_key = Some(key.into());
        self
    }

    /// While a job of the queue with this key waits or runs, another is not added.
    #[must_use]
    pub fn dedupe(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// Higher goes first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Not before this time.
    #[must_use]
    pub fn run_at(mut self, time: Micros) -> Self {
        self.run_at = Some(time);
        self
    }

    /// After so many failed attempts it is given up and kept as dead.
    #[must_use]
    pub fn max_attempts(mut self, attempts: i32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// However often it is tried, it is not given up: the row it works on counts instead.
    #[must_use]
    pub fn tireless(self) -> Self {
        self.max_attempts(i32::MAX)
    }
}

/// Most jobs in one statement.
const STATEMENT_JOBS: usize = 500;

/// Adds jobs on the caller's connection, so that they come to be, or not, with the rest of its transaction. Call
/// [`Jobs::wake`] after the commit. Returns how many were added; those with the dedupe key of a live job are not.
///
/// # Errors
/// What the database says.
pub async fn enqueue(db: &impl ConnectionTrait, now: Micros, jobs: &[NewJob]) -> Result<u64> {
    let mut added = 0;
    for some in jobs.chunks(STATEMENT_JOBS) {
        let columns = "queue, payload, lock_key, dedupe_key, priority, run_at, status, attempts, max_attempts, created_at";
        added += Sql::new(db, &format!("INSERT INTO job ({columns}) VALUES "))
            .each(some, |sql, job| {
                sql.text("(")
                    .bind(job.queue.as_str())
                    .text(", ")
                    .bind(job.payload.as_str())
                    .text(", ")
                    .bind(job.lock_key.clone())
                    .text(", ")
                    .bind(job.dedupe_key.clone())
                    .text(", ")
                    .bind(job.priority)
                    .text(", ")
                    .bind(job.run_at.unwrap_or(now))
                    .text(", 'queued', 0, ")
                    .bind(job.max_attempts)
                    .text(", ")
                    .bind(now)
                    .text(")")
            })
            .text(" ON CONFLICT DO NOTHING")
            .run(db)
            .await?;
    }
    Ok(added)
}

/// Takes a job that still waits out of the queue. Tells whether there was one.
///
/// # Errors
/// What the database says.
pub async fn withdraw(db: &impl ConnectionTrait, now: Micros, queue: &str, dedupe_key: &str) -> Result<bool> {
    let changed = Sql::new(db, "UPDATE job SET status = 'done', last_error = 'withdrawn', finished_at = ")
        .bind(now)
        .text(" WHERE status IN ('queued') AND queue = ")
        .bind(queue)
        .text(" AND dedupe_key = ")
        .bind(dedupe_key)
        .run(db)
        .await?;
    Ok(changed > 0)
}

/// Lets a job that waits for a later time run now. Tells whether there was one.
///
/// # Errors
/// What the database says.
pub async fn hasten(db: &impl ConnectionTrait, now: Micros, queue: &str, dedupe_key: &str) -> Result<bool> {
    let changed = Sql::new(db, "UPDATE job SET run_at = ")
        .bind(now)
        .text(" WHERE status IN ('queued') AND queue = ")
        .bind(queue)
        .text(" AND dedupe_key = ")
        .bind(dedupe_key)
        .text(" AND run_at > ")
        .bind(now)
        .run(db)
        .await?;
    Ok(changed > 0)
}

/// This process's bell: rung after a commit, it spares the workers the wait for their next look.
///
/// Only haste hangs on it. Work that other processes add, or that nobody rang for, is found by the next look.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    work: Arc<Notify>,
    cancel: Arc<Notify>,
    seen_at: Arc<AtomicI64>,
}

impl Jobs {
    /// Says that jobs were added; call it after the commit.
    pub fn wake(&self) {
        self.work.notify_one();
    }

    /// Says that a running run was asked to stop; call it after the commit.
    pub fn interrupt(&self) {
        self.cancel.notify_one();
    }

    /// When the workers of this process last looked for work and could say so in the database; `None` when it has
    /// no workers, or they have not started yet.
    pub fn seen_at(&self) -> Option<Micros> {
        Some(self.seen_at.load(Ordering::Relaxed)).filter(|at| *at != 0)
    }

    pub(crate) fn seen(&self, now: Micros) {
        self.seen_at.store(now, Ordering::Relaxed);
    }

    pub(crate) fn woken(&self) -> OwnedNotified {
        self.work.clone().notified_owned()
    }

    pub(crate) async fn interrupted(&self) {
        self.cancel.notified().await;
    }
}
