//! The business case of an account.

use crate::id::{AccountId, OpportunityId, OrganizationId};
use sea_orm::entity::prelude::*;

/// A stored row of `opportunity`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opportunity")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OpportunityId,
    /// The account.
    pub account_id: AccountId,
    /// What people call it.
    pub name: String,
    /// Its ID in another system, unique in the organization.
    pub external_id: Option<String>,
    /// Since when it is put away.
    pub archived_at: Option<i64>,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
}

/// What `opportunity` is joined with.
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
