//! Which ID spaces a stream's account column is looked up in, in order.

use crate::id::{ExternalIdSettingId, OrganizationId};
use sea_orm::entity::prelude::*;

/// A stored row of `external_id_setting`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_id_setting")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExternalIdSettingId,
    /// What people call it, unique in the organization.
    pub name: String,
    /// JSON array of ID space names, first tried first.
    pub spaces: String,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
}

/// What `external_id_setting` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
