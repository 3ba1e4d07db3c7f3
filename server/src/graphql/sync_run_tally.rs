//! What happened to every row of a run, and why it failed.

use async_graphql::{Object, SimpleObject};
use entity::sync_run::Model;

use crate::graphql::scalar::BigInt;

/// The tally of a run.
pub struct SyncRunTally(pub Model);

/// What happened to every row. Rows read = mapped + rejected + repeated; readings = written + unchanged + superseded + unmatched + ignored.
#[Object]
impl SyncRunTally {
    /// Rows the source returned.
    async fn rows_read(&self) -> BigInt {
        BigInt(self.0.rows_read)
    }

    /// Rows that made readings.
    async fn rows_mapped(&self) -> BigInt {
        BigInt(self.0.rows_mapped)
    }

    /// Rows that could not be decoded.
    async fn rows_rejected(&self) -> BigInt {
        BigInt(self.0.rows_rejected)
    }

    /// Rows read again and known.
    async fn rows_repeated(&self) -> BigInt {
        BigInt(self.0.rows_repeated)
    }

    /// Readings made.
    async fn readings(&self) -> BigInt {
        BigInt(self.0.readings)
    }

    /// Measurements added or replaced.
    async fn written(&self) -> BigInt {
        BigInt(self.0.written)
    }

    /// Readings equal to what is stored.
    async fn unchanged(&self) -> BigInt {
        BigInt(self.0.unchanged)
    }

    /// Readings older than what is stored.
    async fn superseded(&self) -> BigInt {
        BigInt(self.0.superseded)
    }

    /// Readings that wait.
    async fn unmatched(&self) -> BigInt {
        BigInt(self.0.unmatched)
    }

    /// Readings an ignore rule hid.
    async fn ignored(&self) -> BigInt {
        BigInt(self.0.ignored)
    }

    /// Empty cells.
    async fn null_cells(&self) -> BigInt {
        BigInt(self.0.null_cells)
    }

    /// Rows without a cursor.
    async fn null_cursors(&self) -> BigInt {
        BigInt(self.0.null_cursors)
    }

    /// Batches committed.
    async fn batches(&self) -> BigInt {
        BigInt(self.0.batches)
    }

    /// Bytes received.
    async fn bytes_read(&self) -> BigInt {
        BigInt(self.0.bytes_read)
    }
}

/// Why a run failed.
#[derive(SimpleObject)]
pub struct SyncRunError {
    /// What sort of trouble it was.
    kind: String,
    /// What happened, for a person.
    message: String,
    /// What to do about it.
    action: Option<String>,
    /// What the outside system said, with secrets removed.
    detail: Option<String>,
}

impl SyncRunError {
    /// Why a run failed, if it did.
    pub fn of(run: &Model) -> Option<Self> {
        Some(Self {
            kind: run.error_kind.clone()?,
            message: run.error_message.clone().unwrap_or_default(),
            action: run.error_action.clone(),
            detail: run.error_detail.clone(),
        })
    }
}
