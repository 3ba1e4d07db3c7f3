//! Comparing what a stream took in with its table, slice by slice, so that rows are found that no run ever saw.
//!
//! ```text
//! start ─▶ compare: sums of table and of ours ─▶ nothing differs ─▶ done
//!                      │
//!                      └▶ differing slices ─▶ read again, a run per stretch ─▶ what is left is explained ─▶ done
//! ```
//! A slice that still differs after it was read again holds rows that cannot be told apart here, such as two of one
//! series and time, or we hold measurements of rows the table no longer has. That gap is remembered, and as long as it
//! stays the same the slice is left alone. A stream has one unfinished comparison at most, by a unique index; each
//! change of one names the version it was read at, so that a worker that lost its job changes nothing.

mod gap;
mod record;
mod setting;
mod start;

pub use entity::reconcile::Model as Reconcile;
pub use gap::{Gap, Totals};
pub use record::{
    Differing, Failure, attempt, compared, explained, fail, find_live, finish, slices, spent, stretch_started,
};
pub use setting::{Setting, SettingChange, set};
pub use start::{Started, any_due, push_missing, start, start_due};

use entity::{OrganizationId, ReconcileId};

use crate::domain::job::{Job, NewJob};

/// The job that carries a comparison out: one for each, never given up, since the comparison counts its own attempts.
fn job(organization: OrganizationId, reconcile: ReconcileId) -> NewJob {
    NewJob::new(&Job::Reconcile { organization, reconcile }).dedupe(reconcile.to_string()).tireless()
}
