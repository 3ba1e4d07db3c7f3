//! Readings that wait for the same decision of a person.

use crate::choice::{GroupStatus, UnmatchedReason};
use crate::id::{IgnoreRuleId, OrganizationId, StreamId, UnmatchedGroupId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `unmatched_group`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unmatched_group")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = true)]
    pub id: UnmatchedGroupId,
    /// The organization that owns it.
    pub organization_id: OrganizationId,
    /// The stream they came from.
    pub stream_id: StreamId,
    /// Why they wait.
    pub reason: UnmatchedReason,
    /// The outside account.
    pub external_account: String,
    /// The outside metric.
    pub external_metric: String,
    /// How many wait now.
    pub waiting: i64,
    /// When the first arrived.
    pub first_seen_at: i64,
    /// When the last arrived.
    pub last_seen_at: i64,
    /// Open, ignored, or resolved.
    pub status: GroupStatus,
    /// The rule that ignores it.
    pub ignore_rule_id: Option<IgnoreRuleId>,
    /// Who looks after it.
    pub assignee_id: Option<UserId>,
    /// What was found out.
    pub note: Option<String>,
    /// Until when it is out of sight.
    pub snoozed_until: Option<i64>,
    /// When nothing waited any more.
    pub resolved_at: Option<i64>,
    /// Grows by one with each edit.
    pub version: i32,
}

/// What `unmatched_group` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `stream` it belongs to.
    #[sea_orm(
        belongs_to = "super::stream::Entity",
        from = "(Column::OrganizationId, Column::StreamId)",
        to = "(super::stream::Column::OrganizationId, super::stream::Column::Id)"
    )]
    Stream,
}

impl Related<super::stream::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Stream.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
