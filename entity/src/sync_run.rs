//! One execution of a stream: its state, its tally, its outcome.

use crate::choice::{RunKind, RunStatus, RunTrigger};
use crate::id::{OrganizationId, StreamId, SyncRunId, UserId, WorkerId};
use sea_orm::entity::prelude::*;

/// A stored row of `sync_run`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_run")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SyncRunId,
    /// Its small number, unique in the organization; rows written carry it.
    pub number: i64,
    /// The stream it reads.
    pub stream_id: StreamId,
    /// Sync, backfill, or replay.
    pub kind: RunKind,
    /// What started it.
    pub trigger: RunTrigger,
    /// Where it stands.
    pub status: RunStatus,
    /// How many times it has been tried.
    pub attempt: i32,
    /// Grows by one with each new holder of the lease.
    pub fence: i64,
    /// The worker that holds it.
    pub lease_owner: Option<WorkerId>,
    /// Until when it is held without renewal.
    pub lease_until: Option<i64>,
    /// When the lease was last renewed.
    pub heartbeat_at: Option<i64>,
    /// Lower bound asked for, in cursor text.
    pub since: Option<String>,
    /// Upper bound asked for, in cursor text.
    pub until: Option<String>,
    /// The watermark when it started.
    pub cursor_before: Option<String>,
    /// The watermark it has reached.
    pub cursor_after: Option<String>,
    /// Rows the warehouse returned.
    pub rows_read: i64,
    /// Rows that made readings.
    pub rows_mapped: i64,
    /// Rows that could not be decoded or mapped.
    pub rows_rejected: i64,
    /// Rows seen before in the same run.
    pub rows_repeated: i64,
    /// Readings made of the mapped rows.
    pub readings: i64,
    /// Readings stored as new or changed measurements.
    pub written: i64,
    /// Readings equal to what was stored.
    pub unchanged: i64,
    /// Readings older than what was stored.
    pub superseded: i64,
    /// Readings that wait for an account or a link.
    pub unmatched: i64,
    /// Readings an ignore rule covers.
    pub ignored: i64,
    /// Empty cells of wide rows, which are no readings.
    pub null_cells: i64,
    /// Rows without a cursor.
    pub null_cursors: i64,
    /// Batches committed.
    pub batches: i64,
    /// Bytes received from the warehouse.
    pub bytes_read: i64,
    /// Whether the sums balance; null until it ends.
    pub balanced: Option<bool>,
    /// What class of failure ended it.
    pub error_kind: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// What the reader can do about it.
    pub error_action: Option<String>,
    /// What the outside system said.
    pub error_detail: Option<String>,
    /// When it is tried again, while it waits for that.
    pub retry_at: Option<i64>,
    /// When someone asked it to stop.
    pub cancel_requested_at: Option<i64>,
    /// Who started it; null for schedules and tokens.
    pub requested_by: Option<UserId>,
    /// When it was asked for.
    pub queued_at: i64,
    /// When a worker first took it.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Statements sent to the source.
    pub source_statements: i64,
    /// Microseconds the source spent on them, or where it does not tell, spent waiting for it.
    pub source_micros: i64,
    /// Rows the source scanned, where it tells.
    pub source_rows: i64,
    /// Bytes the source scanned or bills, where it tells.
    pub source_bytes: i64,
}

/// What `sync_run` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `stream` it belongs to.
    #[sea_orm(
        belongs_to = "super::stream::Entity",
        from = "(Column::OrganizationId, Column::StreamId)",
        to = "(super::stream::Column::OrganizationId, super::stream::Column::Id)"
    )]
    Stream,
}

impl Related<super::stream::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Stream.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
