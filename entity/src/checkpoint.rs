//! How far a stream has been safely read.

use crate::choice::CursorKind;
use crate::id::{OrganizationId, StreamId, SyncRunId};
use sea_orm::entity::prelude::*;

/// A stored row of `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checkpoint")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The stream.
    #[sea_orm(primary_key, auto_increment = false)]
    pub stream_id: StreamId,
    /// The cursor column the watermark belongs to.
    pub cursor_column: String,
    /// How that column counts.
    pub cursor_kind: CursorKind,
    /// The highest cursor safely stored, in the warehouse's own digits.
    pub watermark: String,
    /// JSON of the key cells of the last row stored.
    pub position: String,
    /// The watermark as an order-preserving integer.
    pub rank: i64,
    /// What the lookback window last held.
    pub window_hash: Option<String>,
    /// Grows by one with each move, for compare and set.
    pub version: i64,
    /// When it last moved.
    pub updated_at: i64,
    /// The run that moved it; runs are pruned, so it may be gone.
    pub run_id: Option<SyncRunId>,
}

/// What `checkpoint` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
