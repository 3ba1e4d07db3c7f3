//! Everything a request or a job may use, built once.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::domain::job::Jobs;

/// The process's dependencies; cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Rings for this process's workers.
    pub jobs: Jobs,
}
