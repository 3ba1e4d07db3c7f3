//! One value of a series at one time, with the run and row it came from.

use crate::decimal::Decimal;
use crate::id::SeriesId;
use sea_orm::entity::prelude::*;

/// A stored row of `measurement`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "measurement")]
pub struct Model {
    /// The series.
    #[sea_orm(primary_key, auto_increment = false)]
    pub series_id: SeriesId,
    /// The time measured.
    #[sea_orm(primary_key, auto_increment = false)]
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
}

/// What `measurement` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
