//! The run a worker holds, and its counters: they grow only while the lease stands.

use entity::{OrganizationId, SyncRunId};

use super::store::{self, Bind, Record, Store};
use super::tally::Tally;
use crate::clock::Micros;
use crate::db::Db;
use crate::error::{Error, Result};

/// The run a batch belongs to, as its lease holder knows it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The organization.
    pub organization: OrganizationId,
    /// The run.
    pub run: SyncRunId,
    /// Its small number, carried by what it writes.
    pub number: i64,
    /// The lease's fence: another holder has a higher one.
    pub fence: i64,
}

/// Whether the run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    GoOn,
    /// Somebody asked it to stop.
    Cancelled,
}

/// The stretch of the cursor a run has come along.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// The watermark before its first row.
    pub before: Option<String>,
    /// The watermark now.
    pub after: Option<String>,
}

/// Adds to the run's counters, if the lease still stands.
///
/// # Errors
/// `LeaseLost` when it does not.
pub async fn progress(
    store: &mut Store,
    lease: &Lease,
    tally: &Tally,
    stretch: Stretch,
    now: Micros,
) -> Result<Next> {
    next(&store.fetch(PROGRESS, &progressed(lease, tally, stretch, now)).await?)
}

/// The same where nothing else is written.
///
/// # Errors
/// `LeaseLost` when it does not stand.
pub async fn progress_alone(
    db: &Db,
    lease: &Lease,
    tally: &Tally,
    stretch: Stretch,
    now: Micros,
) -> Result<Next> {
    next(&store::alone(db, PROGRESS, &progressed(lease, tally, stretch, now)).await?)
}

const PROGRESS: &str = "UPDATE sync_run SET rows_read = rows_read + $4, rows_mapped = rows_mapped + $5, \
    rows_rejected = rows_rejected + $6, rows_repeated = rows_repeated + $7, readings = readings + $8, \
    written = written + $9, unchanged = unchanged + $10, superseded = superseded + $11, \
    unmatched = unmatched + $12, ignored = ignored + $13, null_cells = null_cells + $14, \
    null_cursors = null_cursors + $15, batches = batches + $16, bytes_read = bytes_read + $17, \
    cursor_before = COALESCE(cursor_before, $18), cursor_after = COALESCE($19, cursor_after, $18), heartbeat_at = $20, \
    source_statements = source_statements + $21, source_micros = source_micros + $22, \
    source_rows = source_rows + $23, source_bytes = source_bytes + $24 \
    WHERE organization_id = $1 AND id = $2 AND fence = $3 AND status = 'running' RETURNING cancel_requested_at";

fn progressed(lease: &Lease, tally: &Tally, stretch: Stretch, now: Micros) -> [Bind; 24] {
    [
        lease.organization.0.into(),
        lease.run.0.into(),
        lease.fence.into(),
        tally.rows_read.into(),
        tally.rows_mapped.into(),
        tally.rows_rejected.into(),
        tally.rows_repeated.into(),
        tally.readings.into(),
        tally.written.into(),
        tally.unchanged.into(),
        tally.superseded.into(),
        tally.unmatched.into(),
        tally.ignored.into(),
        tally.null_cells.into(),
        tally.null_cursors.into(),
        tally.batches.into(),
        tally.bytes_read.into(),
        stretch.before.into(),
        stretch.after.into(),
        now.into(),
        tally.spent.statements.into(),
        tally.spent.micros.into(),
        tally.spent.rows.into(),
        tally.spent.bytes.into(),
    ]
}

fn next(found: &[Record]) -> Result<Next> {
    let record = found.first().ok_or(Error::LeaseLost)?;
    Ok(if record.maybe_int(0)?.is_some() { Next::Cancelled } else { Next::GoOn })
}
