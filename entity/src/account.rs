//! A customer organization we measure.

use crate::id::{AccountId, OrganizationId};
use sea_orm::entity::prelude::*;

/// A stored row of `account`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// Its internet domain.
    pub domain: Option<String>,
    /// Since when it is put away.
    pub archived_at: Option<i64>,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
}

/// What `account` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The rows of `external_id` that belong to it.
    #[sea_orm(has_many = "super::external_id::Entity")]
    ExternalId,
}

impl Related<super::external_id::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ExternalId.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
