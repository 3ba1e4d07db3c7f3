//! An answer kept so that a repeated request is not done twice.

use crate::choice::IdempotencyStatus;
use crate::id::OrganizationId;
use sea_orm::entity::prelude::*;

/// A stored row of `idempotency`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Who sent the request.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: String,
    /// The key the request carried.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// What was asked, hashed.
    pub request_hash: String,
    /// What was answered, once done.
    pub response: Option<String>,
    /// Where it stands.
    pub status: IdempotencyStatus,
    /// When the first request came.
    pub created_at: i64,
}

/// What `idempotency` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
