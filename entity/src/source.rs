//! A configured connection to an outside system.

use crate::choice::SourceState;
use crate::hidden::Hidden;
use crate::id::{OrganizationId, SourceId};
use sea_orm::entity::prelude::*;

/// A stored row of `source`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SourceId,
    /// What people call it, unique in the organization.
    pub name: String,
    /// The kind of system: `snowflake`, `hubspot`, …
    pub kind: String,
    /// JSON of the kind's own configuration, no secrets.
    pub config: String,
    /// The credential, sealed by the key ring.
    pub sealed_credential: Option<Hidden>,
    /// Whether it is read.
    pub state: SourceState,
    /// JSON of the last connection check.
    pub last_check: Option<String>,
    /// JSON of the last failure, until one succeeds.
    pub last_error: Option<String>,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
    /// When it was deleted; nobody sees it while its streams are being discarded.
    pub deleted_at: Option<i64>,
}

/// What `source` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The rows of `stream` that belong to it.
    #[sea_orm(has_many = "super::stream::Entity")]
    Stream,
}

impl Related<super::stream::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Stream.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
