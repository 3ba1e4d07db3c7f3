//! A table of a source that we read, with mapping, cursor, key, and schedule.

use crate::choice::{CursorKind, Destination, NullCursor, StreamShape};
use crate::id::{ExternalIdSettingId, OrganizationId, SourceId, StreamId, SyncRunId};
use sea_orm::entity::prelude::*;

/// A stored row of `stream`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stream")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StreamId,
    /// The source it reads from.
    pub source_id: SourceId,
    /// What people call it, unique in the organization.
    pub name: String,
    /// JSON naming the table: catalog, schema, name.
    pub table_ref: String,
    /// A metric per row or per column.
    pub shape: StreamShape,
    /// Usage series or linked inputs.
    pub destination: Destination,
    /// JSON of which column plays which role.
    pub mapping: String,
    /// The column that orders the rows.
    pub cursor_column: String,
    /// How that column counts.
    pub cursor_kind: CursorKind,
    /// The zone of a cursor without one.
    pub cursor_zone: Option<String>,
    /// What happens to rows without a cursor.
    pub null_cursor: NullCursor,
    /// How far below the watermark to read again: cursor units, or microseconds for times.
    pub lookback: i64,
    /// JSON array of the columns that identify a row.
    pub row_key: String,
    /// How far ahead of the warehouse's clock a cursor may be, in microseconds.
    pub future_tolerance: i64,
    /// How its accounts are looked up.
    pub external_id_setting_id: Option<ExternalIdSettingId>,
    /// JSON of when it runs.
    pub schedule: String,
    /// When it runs next.
    pub next_due_at: Option<i64>,
    /// Whether the schedule starts runs.
    pub enabled: bool,
    /// Why the schedule does not, if Weir stopped it.
    pub paused_reason: Option<String>,
    /// JSON of the table's columns: names, types, and which of them came after the mapping was saved.
    pub columns: String,
    /// When the table's columns were last looked at.
    pub columns_seen_at: Option<i64>,
    /// When a run last succeeded.
    pub last_succeeded_at: Option<i64>,
    /// The newest run; runs are pruned, so it may be gone.
    pub last_run_id: Option<SyncRunId>,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
    /// When it was deleted; nobody sees it while what it stored is being discarded.
    pub deleted_at: Option<i64>,
    /// The most bytes one of its statements may bill; the source's own limit where there is none.
    pub maximum_bytes_billed: Option<i64>,
}

/// What `stream` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `source` it belongs to.
    #[sea_orm(
        belongs_to = "super::source::Entity",
        from = "(Column::OrganizationId, Column::SourceId)",
        to = "(super::source::Column::OrganizationId, super::source::Column::Id)"
    )]
    Source,
}

impl Related<super::source::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Source.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
