//! What is stored, on both databases: the same tables, sound keys, and values that come back as they went in.

mod catalog;
mod rules;
mod values;

use anyhow::Result;
use server::db::Db;
use tests::postgres;

/// An empty database of each kind, gone with this value.
struct Both {
    sqlite: Db,
    postgres: Db,
    _folder: tempfile::TempDir,
    _database: postgres::Database,
}

impl Both {
    async fn empty() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite:{}", folder.path().join("weir.db").display());
        let database = postgres::Database::empty().await?;
        Ok(Self {
            sqlite: Db::connect(&file.into(), 4).await?,
            postgres: Db::connect(&database.url().into(), 4).await?,
            _folder: folder,
            _database: database,
        })
    }

    async fn migrated() -> Result<Self> {
        let both = Self::empty().await?;
        for db in both.each() {
            migration::migrate(db.orm()).await?;
        }
        Ok(both)
    }

    fn each(&self) -> [&Db; 2] {
        [&self.sqlite, &self.postgres]
    }
}
