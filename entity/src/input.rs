//! A quantity inside an opportunity: a constant, or a series of measurements.

use crate::choice::InputKind;
use crate::decimal::Decimal;
use crate::id::{InputId, OpportunityId, OrganizationId};
use sea_orm::entity::prelude::*;

/// A stored row of `input`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "input")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InputId,
    /// The opportunity.
    pub opportunity_id: OpportunityId,
    /// What people call it, unique in the opportunity.
    pub name: String,
    /// What it counts.
    pub unit: Option<String>,
    /// Constant or series.
    pub kind: InputKind,
    /// The value of a constant.
    #[sea_orm(save_as = "decimal_text")]
    pub constant_value: Option<Decimal>,
    /// Since when it is put away.
    pub archived_at: Option<i64>,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
}

/// What `input` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `opportunity` it belongs to.
    #[sea_orm(
        belongs_to = "super::opportunity::Entity",
        from = "(Column::OrganizationId, Column::OpportunityId)",
        to = "(super::opportunity::Column::OrganizationId, super::opportunity::Column::Id)"
    )]
    Opportunity,
}

impl Related<super::opportunity::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Opportunity.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
