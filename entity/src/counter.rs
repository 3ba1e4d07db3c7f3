//! Small numbers handed out in order, per organization (or for all, under the nil ID).

use crate::id::OrganizationId;
use sea_orm::entity::prelude::*;

/// A stored row of `counter`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counter")]
pub struct Model {
    /// The organization counted for; nil for numbers that span all of them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// What is counted: `run`, `group`, `series`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The last number handed out.
    pub value: i64,
}

/// What `counter` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
