//! A process that works jobs, and when it was last seen.

use crate::id::WorkerId;
use sea_orm::entity::prelude::*;

/// A stored row of `worker`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "worker")]
pub struct Model {
    /// Fresh with every start of the process.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkerId,
    /// Host and process.
    pub name: String,
    /// When it started.
    pub started_at: i64,
    /// When it last said it is alive.
    pub seen_at: i64,
}

/// What `worker` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
