//! An account's ID in one ID space.

use crate::id::{AccountId, ExternalIdId, OrganizationId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `external_id`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_id")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExternalIdId,
    /// The account it stands for.
    pub account_id: AccountId,
    /// The ID space.
    pub space: String,
    /// The ID as given.
    pub value: String,
    /// The ID as compared.
    pub normalized: String,
    /// When it was linked.
    pub created_at: i64,
    /// Who linked it; null for tokens and the system.
    pub created_by: Option<UserId>,
}

/// What `external_id` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `account` it belongs to.
    #[sea_orm(
        belongs_to = "super::account::Entity",
        from = "(Column::OrganizationId, Column::AccountId)",
        to = "(super::account::Column::OrganizationId, super::account::Column::Id)"
    )]
    Account,
}

impl Related<super::account::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Account.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
