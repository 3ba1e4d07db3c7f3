//! One team's world: everything owned carries its ID.

use crate::id::OrganizationId;
use sea_orm::entity::prelude::*;

/// A stored row of `organization`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Whether streams of this organization run at all.
    pub ingestion_enabled: bool,
    /// When it was made.
    pub created_at: i64,
}

/// What `organization` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
