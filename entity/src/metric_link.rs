//! The rule that a metric of an account feeds an input.

use crate::id::{AccountId, InputId, MetricId, MetricLinkId, OrganizationId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `metric_link`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "metric_link")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MetricLinkId,
    /// The account.
    pub account_id: AccountId,
    /// The metric.
    pub metric_id: MetricId,
    /// The input it feeds.
    pub input_id: InputId,
    /// Whether readings pass.
    pub enabled: bool,
    /// Why it is so.
    pub note: Option<String>,
    /// Who made it; null for tokens.
    pub created_by: Option<UserId>,
    /// Grows by one with each edit.
    pub version: i32,
    /// When it was made.
    pub created_at: i64,
    /// When it was last edited.
    pub updated_at: i64,
}

/// What `metric_link` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `account` it belongs to.
    #[sea_orm(
        belongs_to = "super::account::Entity",
        from = "(Column::OrganizationId, Column::AccountId)",
        to = "(super::account::Column::OrganizationId, super::account::Column::Id)"
    )]
    Account,
    /// The `metric` it belongs to.
    #[sea_orm(
        belongs_to = "super::metric::Entity",
        from = "(Column::OrganizationId, Column::MetricId)",
        to = "(super::metric::Column::OrganizationId, super::metric::Column::Id)"
    )]
    Metric,
    /// The `input` it belongs to.
    #[sea_orm(
        belongs_to = "super::input::Entity",
        from = "(Column::OrganizationId, Column::InputId)",
        to = "(super::input::Column::OrganizationId, super::input::Column::Id)"
    )]
    Input,
}

impl Related<super::account::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Account.def()
    }
}

impl Related<super::metric::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Metric.def()
    }
}

impl Related<super::input::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Input.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
