//! The demo warehouse: a SQLite file with a long table, two views of it, and a wide table.

use std::path::Path;

use anyhow::{Context, Result};
use sqlx::{
    Executor, QueryBuilder, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    calendar::time_text,
    metric::View,
    usage::{Row, Usage},
    wide,
};

/// The view with what contracts are about.
pub const CONTRACT: &str = "contract_usage";
/// The view with what people do in the product.
pub const PRODUCT: &str = "product_usage";
/// The wide table.
pub const WIDE: &str = "account_weekly";

const SCHEMA: &str = "
    CREATE TABLE usage_daily (
        id INTEGER NOT NULL,
        area TEXT NOT NULL,
        account_id TEXT,
        metric TEXT,
        value TEXT,
        measured_at TEXT,
        updated_at DATETIME
    );
    CREATE INDEX usage_daily_id ON usage_daily (id);
    CREATE INDEX usage_daily_updated ON usage_daily (area, updated_at, id);
    CREATE VIEW contract_usage AS
        SELECT id, account_id, metric, value, measured_at, updated_at FROM usage_daily WHERE area = 'contract';
    CREATE VIEW product_usage AS
        SELECT id, account_id, metric, value, measured_at, updated_at FROM usage_daily WHERE area = 'product';
    CREATE TABLE account_weekly (
        account_id TEXT NOT NULL,
        week DATE NOT NULL,
        health_score DECIMAL(4, 1),
        nps INTEGER,
        open_tickets INTEGER,
        seats_purchased INTEGER,
        updated_at DATETIME NOT NULL,
        PRIMARY KEY (account_id, week)
    );
    CREATE INDEX account_weekly_updated ON account_weekly (updated_at);
";
/// Rows in one statement: SQLite takes 32,766 values.
const CHUNK: usize = 1_000;

/// The demo warehouse.
pub struct Warehouse {
    pool: SqlitePool,
}

impl Warehouse {
    /// Makes the file and fills it.
    pub async fn create(path: &Path, usage: &Usage, weeks: &[wide::Row]) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let pool = pool.with_context(|| format!("make the demo warehouse {}", path.display()))?;
        let mut change = pool.begin().await?;
        change.execute(SCHEMA).await.context("make the tables of the demo warehouse")?;
        insert_usage(&mut change, &usage.rows).await?;
        insert_usage(&mut change, &usage.repeated).await?;
        insert_weeks(&mut change, weeks).await?;
        change.commit().await?;
        pool.execute("ANALYZE").await?;
        Ok(Self { pool })
    }

    /// Adds rows to the long table, each with the next ID when its own is 0; returns the IDs.
    pub async fn add(&self, rows: &[Row]) -> Result<Vec<i64>> {
        let mut change = self.pool.begin().await?;
        let last: i64 = sqlx::query_scalar("SELECT max(id) FROM usage_daily").fetch_one(&mut *change).await?;
        let mut numbered = rows.to_vec();
        for (id, row) in (last + 1..).zip(&mut numbered) {
            row.id = id;
        }
        insert_usage(&mut change, &numbered).await?;
        change.commit().await?;
        Ok(numbered.iter().map(|row| row.id).collect())
    }

    /// Changes the values of rows of the long table.
    pub async fn change(&self, values: &[(i64, String)], updated_at: i64) -> Result<()> {
        let mut change = self.pool.begin().await?;
        for (id, value) in values {
            sqlx::query("UPDATE usage_daily SET value = ?, updated_at = ? WHERE id = ?")
                .bind(value)
                .bind(time_text(updated_at))
                .bind(id)
                .execute(&mut *change)
                .await?;
        }
        Ok(change.commit().await?)
    }
}

async fn insert_usage(change: &mut Transaction<'static, Sqlite>, rows: &[Row]) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO usage_daily (id, area, account_id, metric, value, measured_at, updated_at) ",
        );
        insert.push_values(chunk, |mut cells, row| {
            let area = match row.view {
                View::Contract => "contract",
                View::Product => "product",
            };
            cells.push_bind(row.id).push_bind(area).push_bind(&row.account).push_bind(&row.metric);
            cells.push_bind(&row.value).push_bind(&row.measured_at).push_bind(row.updated_at.map(time_text));
        });
        insert.build().execute(&mut **change).await.context("fill usage_daily")?;
    }
    Ok(())
}

async fn insert_weeks(change: &mut Transaction<'static, Sqlite>, rows: &[wide::Row]) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO account_weekly \
             (account_id, week, health_score, nps, open_tickets, seats_purchased, updated_at) ",
        );
        insert.push_values(chunk, |mut cells, row| {
            cells
                .push_bind(&row.account)
                .push_bind(row.week.text())
                .push_bind(&row.health_score)
                .push_bind(row.nps);
            cells
                .push_bind(row.open_tickets)
                .push_bind(row.seats_purchased)
                .push_bind(time_text(row.updated_at));
        });
        insert.build().execute(&mut **change).await.context("fill account_weekly")?;
    }
    Ok(())
}
