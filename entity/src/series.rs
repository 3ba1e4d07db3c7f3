//! What a stream says of one metric of one outside account; the account is the match.

use crate::id::{AccountId, MetricId, OrganizationId, SeriesId, StreamId};
use sea_orm::entity::prelude::*;

/// A stored row of `series`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "series")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = true)]
    pub id: SeriesId,
    /// The organization that owns it.
    pub organization_id: OrganizationId,
    /// The stream that says it.
    pub stream_id: StreamId,
    /// The metric.
    pub metric_id: MetricId,
    /// The outside account in one spelling, whatever is an ID in which space.
    pub external_account: String,
    /// The outside account as the source first wrote it, where that is another spelling.
    pub raw_account: Option<String>,
    /// The product, empty without one.
    pub product: String,
    /// The account it is matched to.
    pub account_id: Option<AccountId>,
    /// When it was first seen.
    pub created_at: i64,
}

/// What `series` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `metric` it belongs to.
    #[sea_orm(
        belongs_to = "super::metric::Entity",
        from = "(Column::OrganizationId, Column::MetricId)",
        to = "(super::metric::Column::OrganizationId, super::metric::Column::Id)"
    )]
    Metric,
    /// The `account` it belongs to.
    #[sea_orm(
        belongs_to = "super::account::Entity",
        from = "(Column::OrganizationId, Column::AccountId)",
        to = "(super::account::Column::OrganizationId, super::account::Column::Id)"
    )]
    Account,
}

impl Related<super::metric::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Metric.def()
    }
}

impl Related<super::account::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Account.def()
    }
}

impl Model {
    /// The outside account as the source first wrote it.
    pub fn raw(&self) -> &str {
        self.raw_account.as_deref().unwrap_or(&self.external_account)
    }
}

impl ActiveModelBehavior for ActiveModel {}
