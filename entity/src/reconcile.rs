//! One comparison of what a stream took in with its table.

use crate::choice::RunTrigger;
use crate::id::{OrganizationId, ReconcileId, StreamId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `reconcile`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconcile")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReconcileId,
    /// The stream.
    pub stream_id: StreamId,
    /// What started it.
    pub trigger: RunTrigger,
    /// How many slices back from the watermark.
    pub days: i32,
    /// The stream's version it compared; what it explained holds for that one.
    pub stream_version: i32,
    /// Grows by one with each change, for compare and set.
    pub version: i64,
    /// How many times comparing was tried.
    pub attempt: i32,
    /// The lowest cursor compared, in cursor text.
    pub since: Option<String>,
    /// The highest: the watermark.
    pub until: Option<String>,
    /// When the table had told its sums.
    pub compared_at: Option<i64>,
    /// Slices in which the table or we hold something.
    pub slices: i64,
    /// Slices that differed and were read again.
    pub differing: i64,
    /// Slices that differed as they did after they were last read again, and were left alone.
    pub explained: i64,
    /// Readings stored as new or changed by reading again.
    pub written: i64,
    /// What went wrong.
    pub error_message: Option<String>,
    /// What the reader can do about it.
    pub error_action: Option<String>,
    /// Who asked for it; null for schedules and tokens.
    pub requested_by: Option<UserId>,
    /// When it was asked for.
    pub started_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Statements sent to the source for the table's sums.
    pub source_statements: i64,
    /// Microseconds the source spent on them, or was waited for.
    pub source_micros: i64,
    /// Rows the source scanned for them; 0 also where it does not tell.
    pub source_rows: i64,
    /// Bytes the source scanned or bills for them; 0 also where it does not tell.
    pub source_bytes: i64,
}

/// What `reconcile` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
