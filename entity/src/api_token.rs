//! A secret another service signs its requests with.

use crate::hidden::Hidden;
use crate::id::{ApiTokenId, OrganizationId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `api_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiTokenId,
    /// What people call it.
    pub name: String,
    /// The public first part of the token, by which it is found.
    pub prefix: String,
    /// The SHA-256 of the secret part, in hex.
    pub secret_hash: Hidden,
    /// The last four characters, to tell tokens apart.
    pub last4: String,
    /// JSON array of the scopes granted.
    pub scopes: String,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// When it was withdrawn.
    pub revoked_at: Option<i64>,
}

/// What `api_token` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
