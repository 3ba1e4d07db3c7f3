//! A slice of a table that differed from what was taken in.

use crate::id::{OrganizationId, ReconcileId, StreamId, SyncRunId};
use sea_orm::entity::prelude::*;

/// A stored row of `reconcile_slice`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconcile_slice")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The comparison that found it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reconcile_id: ReconcileId,
    /// Which slice of the cursor: days since 1970-01-01, or which block of integers.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The stream.
    pub stream_id: StreamId,
    /// Values the table held.
    pub readings: i64,
    /// Their exact sum, where the table could tell it.
    pub total: Option<String>,
    /// The table's greatest cursor as an order-preserving integer; none when it held nothing.
    pub newest: Option<i64>,
    /// JSON of what the table held beyond what we had.
    pub gap: String,
    /// The same after it was read again, which explains it from then on; none when that did not succeed.
    pub rest: Option<String>,
    /// The run that read it again; runs are pruned, so it may be gone.
    pub run_id: Option<SyncRunId>,
}

/// What `reconcile_slice` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
