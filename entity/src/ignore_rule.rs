//! A decision that readings of this shape are no one's work.

use crate::id::{IgnoreRuleId, OrganizationId, StreamId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `ignore_rule`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ignore_rule")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IgnoreRuleId,
    /// The stream it covers; all if null.
    pub stream_id: Option<StreamId>,
    /// The outside account it covers; all if null.
    pub external_account: Option<String>,
    /// The outside metric it covers; all if null.
    pub external_metric: Option<String>,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// Who made it; null for tokens.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: i64,
}

/// What `ignore_rule` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
