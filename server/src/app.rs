//! Everything a request or a job may use, built once.

use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::auth::password::Passwords;
use crate::clock::Clock;
use crate::config::Config;
use crate::custody::{self, Keyring};
use crate::db::Db;
use crate::domain::job::Jobs;
use crate::error::StartError;
use crate::fault::Faults;
use crate::sources::{Kinds, Open, Sources};

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
    /// The keys that open stored credentials.
    pub keyring: Arc<Keyring>,
    /// Open connections to sources.
    pub sources: Sources,
}

impl App {
    /// Opens everything the settings name: makes the data folder and the key ring when they are missing, and brings the
    /// database up to date. Processes that start together on one empty database wait for each other.
    ///
    /// # Errors
    /// What cannot be opened, and what to do about it.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, StartError> {
        let kinds = Arc::new(Kinds::new(&config)?);
        Self::open_with(config, clock, kinds).await
    }

    /// Opens everything with other connectors than those built in.
    ///
    /// # Errors
    /// As [`App::open`].
    pub async fn open_with(
        config: Config,
        clock: Clock,
        connectors: Arc<dyn Open>,
    ) -> Result<Self, StartError> {
        let db = Self::database(&config).await?;
        migration::migrate(db.orm())
            .await
            .map_err(|error| StartError::new(format!("the database cannot be migrated: {error}")))?;
        let keyring = Arc::new(custody::start(&config, &db).await?);
        Ok(Self {
            config: Arc::new(config),
            db,
            clock,
            jobs: Jobs::default(),
            faults: Faults::default(),
            passwords: Passwords::default(),
            keyring,
            sources: Sources::new(connectors),
        })
    }

    /// Opens the database alone, without changing it.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn database(config: &Config) -> Result<Db, StartError> {
        let url = config.database_url();
        if config.database.url.expose_secret().is_empty() {
            let folder = &config.data_dir;
            std::fs::create_dir_all(folder).map_err(|error| {
                StartError::new(format!("data_dir {} cannot be made: {error}", folder.display()))
            })?;
        }
        Db::connect(&url, config.database.connections).await
    }
}
