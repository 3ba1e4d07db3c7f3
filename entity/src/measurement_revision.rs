//! A value a measurement had before, or one that was refused.

use crate::choice::RevisionReason;
use crate::decimal::Decimal;
use crate::id::{MeasurementRevisionId, SeriesId};
use sea_orm::entity::prelude::*;

/// A stored row of `measurement_revision`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "measurement_revision")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key)]
    pub id: MeasurementRevisionId,
    /// The series.
    pub series_id: SeriesId,
    /// The time measured.
    pub measured_at: i64,
    /// The exact value.
    #[sea_orm(save_as = "decimal_text")]
    pub value: Decimal,
    /// The row's cursor as an order-preserving integer.
    pub cursor: i64,
    /// The number of the run that wrote it; 0 if a person typed it.
    pub run: i64,
    /// The key of the row it came from.
    pub row_key: String,
    /// The business interval the row named.
    pub period: Option<String>,
    /// Replaced, or in conflict with a typed value.
    pub reason: RevisionReason,
    /// The number of the run that replaced or contested it.
    pub replaced_by_run: i64,
    /// When that happened.
    pub replaced_at: i64,
}

/// What `measurement_revision` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
