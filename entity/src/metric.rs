//! A named quantity in a feed.

use crate::id::{MetricId, OrganizationId};
use sea_orm::entity::prelude::*;

/// A stored row of `metric`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "metric")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MetricId,
    /// What the feed calls it, unique in the organization.
    pub external_id: String,
    /// What people call it.
    pub name: String,
    /// What it counts.
    pub unit: Option<String>,
    /// When it was first seen or made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
}

/// What `metric` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
