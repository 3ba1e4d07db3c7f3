//! A row kept whole until it can become a measurement.

use crate::choice::WaitingKind;
use crate::decimal::Decimal;
use crate::id::{OrganizationId, StreamId, UnmatchedGroupId, WaitingRowId};
use sea_orm::entity::prelude::*;

/// A stored row of `waiting_row`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "waiting_row")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key)]
    pub id: WaitingRowId,
    /// The organization that owns it.
    pub organization_id: OrganizationId,
    /// The stream it came from.
    pub stream_id: StreamId,
    /// The key of the row.
    pub row_key: String,
    /// The metric column of a wide row, else empty.
    pub part: String,
    /// Unmatched or rejected.
    pub kind: WaitingKind,
    /// The group an unmatched row waits in.
    pub group_id: Option<UnmatchedGroupId>,
    /// The number of the run that read it.
    pub run: i64,
    /// The row's cursor as an order-preserving integer.
    pub cursor: i64,
    /// The product, empty without one.
    pub product: String,
    /// The exact value, if it could be read.
    #[sea_orm(save_as = "decimal_text")]
    pub value: Option<Decimal>,
    /// The time measured, if it could be read.
    pub measured_at: Option<i64>,
    /// The business interval the row named.
    pub period: Option<String>,
    /// JSON of the whole row: column to text.
    pub row: String,
    /// Why a rejected row was rejected.
    pub reason: Option<String>,
    /// The column at fault.
    pub column_name: Option<String>,
    /// The text at fault.
    pub raw: Option<String>,
    /// When it was first kept.
    pub created_at: i64,
}

/// What `waiting_row` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
