//! SQLite: a file whose owner has it open, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// A file in a folder of its own.
struct Sqlite {
    folder: TempDir,
    made: Mutex<HashMap<String, Vec<Holds>>>,
}

impl Sqlite {
    async fn owner(&self) -> Result<SqliteConnection> {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.path().join("usage.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        Ok(SqliteConnection::connect_with(&options).await?)
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn declared(holds: Holds) -> String {
    match holds {
        Holds::Decimal(digits, scale) => format!("DECIMAL({digits}, {scale})"),
        Holds::Wide => "NUMERIC".to_owned(),
        Holds::Int => "INTEGER".to_owned(),
        Holds::Float => "DOUBLE".to_owned(),
        Holds::Bool => "BOOLEAN".to_owned(),
        Holds::Text => "TEXT".to_owned(),
        Holds::Date => "DATE".to_owned(),
        Holds::Naive => "DATETIME".to_owned(),
        Holds::Zoned => "TIMESTAMPTZ".to_owned(),
        Holds::Json => "JSON".to_owned(),
        Holds::Clock => "TIME".to_owned(),
    }
}

impl System for Sqlite {
    const SUBSECOND_DIGITS: usize = 9;
    const NAIVE: bool = true;

    async fn start() -> Result<Self> {
        let system = Self { folder: tempfile::tempdir()?, made: Mutex::default() };
        system.owner().await?.close().await?;
        Ok(system)
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let policy = Policy { folders: vec![self.folder.path().to_owned()], ..Policy::default() };
        let config = json!({ "path": self.folder.path().join("usage.db") });
        Ok(kinds::open("sqlite", &config, None, &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        None
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let mut parts: Vec<String> = columns
            .iter()
            .map(|column| {
                let null = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {}{null}", quote(column.name), declared(column.holds))
            })
            .collect();
        let keys: Vec<String> =
            columns.iter().filter(|column| column.key).map(|column| quote(column.name)).collect();
        if !keys.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", keys.join(", ")));
        }
        let sql = format!("CREATE TABLE {} ({})", quote(name), parts.join(", "));
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.owner().await?).await?;
        let holds = columns.iter().map(|column| column.holds).collect();
        self.made.lock().expect("no holder of the lock panics").insert(name.to_owned(), holds);
        Ok(TableRef { catalog: None, schema: None, name: name.to_owned() })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let made = self.made.lock().expect("no holder of the lock panics").get(&table.name).cloned();
        let made = made.context("the test made the table")?;
        let marks = vec!["?"; made.len()].join(", ");
        let sql = format!("INSERT INTO {} VALUES ({marks})", quote(&table.name));
        let mut owner = self.owner().await?;
        let mut transaction = owner.begin().await?;
        for row in rows {
            let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
            for (value, holds) in row.iter().zip(&made) {
                query = match (value, holds) {
                    (Value::Null, _) => query.bind(None::<i64>),
                    (Value::Number(text), Holds::Int) => query.bind(text.parse::<i64>()?),
                    (Value::Number(text), _) => query.bind(text.parse::<f64>()?),
                    (Value::Bool(value), _) => query.bind(*value),
                    (Value::Text(text), Holds::Zoned) => query.bind(format!("{}Z", text.replace(' ', "T"))),
                    (Value::Text(text), _) => query.bind(text.as_str()),
                };
            }
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let sql = format!(
            "WITH RECURSIVE n (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id < {rows} - 1) \
             INSERT INTO {} SELECT id, hex(zeroblob(96)) || printf('%08d', id) FROM n",
            quote(&table.name)
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.owner().await?).await?;
        Ok(())
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        let sql = format!("ALTER TABLE {} DROP COLUMN {}", quote(&table.name), quote(name));
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.owner().await?).await?;
        Ok(())
    }

    fn has(&self, holds: Holds) -> bool {
        // Exact decimals are kept to 15 digits only.
        !matches!(holds, Holds::Wide | Holds::Decimal(..))
    }
}

conformance!("sqlite", Sqlite
    ; omits {
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer has 64 bits; a wider one becomes a float",
        slices::decimals_are_added_up_to_the_last_digit: "there are no exact decimals; a column of them holds floats",
        values::pitfall_14_decimals_keep_every_digit: "there are no exact decimals; a column of them holds floats",
    }
);
