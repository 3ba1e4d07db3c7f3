//! Sync runs: one execution of a stream, and the only truth about it.
//!
//! ```text
//! start ─▶ queued ─claim─▶ running ─finish─▶ succeeded | incomplete | failed | cancelled | skipped
//!            ▲                │
//!            └── retry, release ┘
//! ```
//! A stream has at most one live run (queued or running) of each kind, by a unique index. A run is held by a lease
//! with an end, renewed while the work goes on, and by a fence that grows with each new holder: a holder that lost
//! its lease changes nothing any more, because every statement of its own names its fence. Attempts and waits are
//! kept here; the job in the queue only carries the run's ID, and a live run without a job gets a new one.

mod end;
mod lease;
mod start;
mod take_back;
mod watch;

pub use end::{End, Problem, Rest, finish, finish_with, release, retry_later};
pub use entity::sync_run::Model as SyncRun;
pub use lease::{Claim, Claimed, Renewed, claim, renew};
pub use start::{NewRun, Request, Started, allocate, cancel, insert, repeat, start};
pub use take_back::take_back;
pub use watch::push_missing;

use entity::{OrganizationId, RunKind, SyncRunId};

use crate::domain::job::{Job, NewJob};

/// The queue of a run's job.
fn carrier(kind: RunKind, organization: OrganizationId, run: SyncRunId) -> Job {
    match kind {
        RunKind::Sync | RunKind::Replay => Job::RunSync { organization, run },
        RunKind::Backfill => Job::RunBackfill { organization, run },
    }
}

/// The job that carries a run: one per run, never given up, since the run counts its own attempts.
pub(crate) fn job(kind: RunKind, organization: OrganizationId, run: SyncRunId) -> NewJob {
    NewJob::new(&carrier(kind, organization, run)).dedupe(run.to_string()).tireless()
}
