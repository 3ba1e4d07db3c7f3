//! Weir's own database, on each kind it runs on.

use anyhow::Result;
use server::db::Db;

use crate::postgres;

/// A database of each kind for one test; gone with this value.
#[derive(Debug)]
pub struct Both {
    /// SQLite in a folder of its own.
    pub sqlite: Db,
    /// PostgreSQL on the run's server.
    pub postgres: Db,
    _folder: tempfile::TempDir,
    _database: postgres::Database,
}

impl Both {
    /// Databases without any table.
    pub async fn empty() -> Result<Self> {
        Self::open(postgres::Database::empty().await?).await
    }

    /// Databases with all tables and no rows.
    pub async fn migrated() -> Result<Self> {
        let server = postgres::Server::start(postgres::Durability::Scratch).await?;
        let fill = |url: String| async move {
            Ok(migration::migrate(Db::connect(&url.into(), 2).await?.orm()).await?)
        };
        let both = Self::open(server.database_from("migrated", fill).await?).await?;
        migration::migrate(both.sqlite.orm()).await?;
        Ok(both)
    }

    async fn open(database: postgres::Database) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite:{}", folder.path().join("weir.db").display());
        let sqlite = Db::connect(&file.into(), 4).await?;
        let postgres = Db::connect(&database.url().into(), 4).await?;
        Ok(Self { sqlite, postgres, _folder: folder, _database: database })
    }

    /// One after the other.
    pub fn each(&self) -> [&Db; 2] {
        [&self.sqlite, &self.postgres]
    }
}
