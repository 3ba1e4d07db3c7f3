//! A verb and an ID that wait for a worker.

use crate::choice::JobStatus;
use crate::id::{JobId, WorkerId};
use sea_orm::entity::prelude::*;

/// A stored row of `job`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key)]
    pub id: JobId,
    /// The job's kind.
    pub queue: String,
    /// JSON of its arguments.
    pub payload: String,
    /// At most one job of a key runs at a time.
    pub lock_key: Option<String>,
    /// At most one live job of a queue has a key.
    pub dedupe_key: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// Not before this time.
    pub run_at: i64,
    /// Where it stands.
    pub status: JobStatus,
    /// How many times it was started.
    pub attempts: i32,
    /// After how many it is given up.
    pub max_attempts: i32,
    /// The worker that holds it.
    pub lease_owner: Option<WorkerId>,
    /// Until when it is held without renewal.
    pub lease_until: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: i64,
    /// When it was done or given up.
    pub finished_at: Option<i64>,
}

/// What `job` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
