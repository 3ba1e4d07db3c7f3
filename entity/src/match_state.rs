//! A version that moves whenever anything that decides matching changes.

use crate::id::OrganizationId;
use sea_orm::entity::prelude::*;

/// A stored row of `match_state`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "match_state")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Grows by one in the transaction that changes accounts, IDs, links, or rules.
    pub version: i64,
}

/// What `match_state` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
