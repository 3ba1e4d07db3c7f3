//! Who did what to what, and when.

use crate::choice::ActorKind;
use crate::id::{AuditEventId, OrganizationId};
use sea_orm::entity::prelude::*;

/// A stored row of `audit_event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEventId,
    /// When.
    pub at: i64,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// The user or token.
    pub actor_id: Option<Uuid>,
    /// What the actor was called then.
    pub actor_name: String,
    /// What was done.
    pub action: String,
    /// The noun it was done to.
    pub subject_type: String,
    /// Which one.
    pub subject_id: String,
    /// JSON of what changed, no secrets.
    pub detail: String,
}

/// What `audit_event` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
