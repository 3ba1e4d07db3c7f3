//! Everything a request or a job may use, built once.

use std::sync::Arc;

use crate::auth::password::Passwords;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::domain::job::Jobs;
use crate::error::StartError;
use crate::fault::Faults;

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
    /// Where tests break off.
    pub faults: Faults,
    /// Hashes and verifies passwords, a few at a time.
    pub passwords: Passwords,
}

impl App {
    /// Opens everything the settings name, making the data folder when missing, and brings the database up to date.
    /// Processes that start together on one empty database wait for each other.
    ///
    /// # Errors
    /// What cannot be opened, and what to do about it.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, StartError> {
        let app = Self::connect(config, clock).await?;
        migration::migrate(app.db.orm())
            .await
            .map_err(|error| StartError::new(format!("the database cannot be migrated: {error}")))?;
        Ok(app)
    }

    /// Opens everything without changing the database: for `weir doctor`.
    ///
    /// # Errors
    /// What cannot be opened, and what to do about it.
    pub async fn connect(config: Config, clock: Clock) -> Result<Self, StartError> {
        let folder = &config.data_dir;
        std::fs::create_dir_all(folder).map_err(|error| {
            StartError::new(format!("data_dir {} cannot be made: {error}", folder.display()))
        })?;
        let db = Db::connect(&config.database_url(), config.database.connections).await?;
        Ok(Self {
            config: Arc::new(config),
            db,
            clock,
            jobs: Jobs::default(),
            faults: Faults::default(),
            passwords: Passwords::default(),
        })
    }
}
