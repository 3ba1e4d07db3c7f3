//! Whether and when a stream is reconciled by itself.

use crate::id::{OrganizationId, StreamId};
use sea_orm::entity::prelude::*;

/// A stored row of `reconcile_setting`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconcile_setting")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The stream.
    #[sea_orm(primary_key, auto_increment = false)]
    pub stream_id: StreamId,
    /// Whether it is.
    pub enabled: bool,
    /// The time of day, `HH:MM`.
    pub time: String,
    /// The named zone of that time.
    pub zone: String,
    /// How many slices back from the watermark.
    pub days: i32,
    /// When it is next due.
    pub due_at: Option<i64>,
    /// When it was last changed.
    pub updated_at: i64,
}

/// What `reconcile_setting` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
