//! The customer's warehouse, on each kind of system Weir itself runs on.

use anyhow::Result;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use tests::demo::calendar::time_text;
use tests::postgres;

use crate::load::Row;

const TABLE: &str = "CREATE TABLE usage_rows (id BIGINT NOT NULL, account TEXT, metric TEXT NOT NULL, value TEXT, \
    measured_at TEXT NOT NULL, updated_at TIMESTAMP NOT NULL); \
    CREATE INDEX usage_rows_updated ON usage_rows (updated_at, id); \
    CREATE INDEX usage_rows_id ON usage_rows (id)";

/// A warehouse with one table; gone with this value.
pub struct Warehouse {
    place: Place,
    folder: tempfile::TempDir,
}

enum Place {
    Sqlite(SqlitePool),
    Postgres(postgres::Database),
}

impl Warehouse {
    /// A SQLite file.
    pub async fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("warehouse.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off);
        Self { place: Place::Sqlite(SqlitePool::connect_with(options).await?), folder }.with_table().await
    }

    /// A PostgreSQL database.
    pub async fn postgres() -> Result<Self> {
        let place = Place::Postgres(postgres::Database::empty().await?);
        Self { place, folder: tempfile::tempdir()? }.with_table().await
    }

    async fn with_table(self) -> Result<Self> {
        self.run(TABLE).await?;
        Ok(self)
    }

    async fn run(&self, statements: &str) -> Result<()> {
        match &self.place {
            Place::Sqlite(pool) => {
                sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())).execute(pool).await?;
            }
            Place::Postgres(database) => database.run(statements).await?,
        }
        Ok(())
    }

    /// Adds rows.
    pub async fn add(&self, rows: &[Row]) -> Result<()> {
        let mut statements = vec!["BEGIN".to_owned()];
        statements.extend(rows.chunks(1_000).map(insert));
        statements.push("COMMIT".to_owned());
        self.run(&statements.join(";\n")).await
    }

    /// Puts rows in the place of those with their IDs, if there are any.
    pub async fn replace(&self, rows: &[Row]) -> Result<()> {
        let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        self.run(&format!("DELETE FROM usage_rows WHERE id IN ({})", ids.join(","))).await?;
        self.add(rows).await
    }

    /// The folder whose files may be sources.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What `sourceCreate` takes as its configuration.
    pub fn config(&self) -> Value {
        match &self.place {
            Place::Sqlite(_) => json!({ "sqlite": { "path": self.folder.path().join("warehouse.db") } }),
            Place::Postgres(database) => json!({ "postgres": {
                "host": "127.0.0.1", "port": database.server.port, "database": database.name,
                "user": database.server.user, "password": database.server.password, "sslMode": "DISABLE",
            } }),
        }
    }
}

fn insert(rows: &[Row]) -> String {
    let text = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let row = |row: &Row| {
        let (account, value) = (text(row.account.as_deref()), text(row.value.as_deref()));
        let (Row { id, metric, measured_at, .. }, updated) = (row, time_text(row.updated));
        format!("({id},{account},'{metric}',{value},'{measured_at}','{updated}')")
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!(
        "INSERT INTO usage_rows (id, account, metric, value, measured_at, updated_at) VALUES {}",
        rows.join(",")
    )
}
