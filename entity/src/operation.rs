//! A long piece of work a client can follow.

use crate::choice::OperationStatus;
use crate::id::{OperationId, OrganizationId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `operation`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operation")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OperationId,
    /// What it does.
    pub kind: String,
    /// Where it stands.
    pub status: OperationStatus,
    /// How many items there are.
    pub total: i64,
    /// How many are finished.
    pub done: i64,
    /// JSON of the outcome.
    pub result: Option<String>,
    /// JSON of the items that failed.
    pub errors: Option<String>,
    /// Who asked for it; null for tokens.
    pub created_by: Option<UserId>,
    /// When it was asked for.
    pub created_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
}

/// What `operation` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
