//! PostgreSQL, as a user who may read one schema and nothing else.

mod breaks;
mod rights;
mod types;
mod zones;

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::postgres::Database;

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// The reader's password.
const SECRET: &str = "reader-secret-9f2c";

/// A database with a reader, who has the database's name.
pub struct Postgres {
    /// The database, for its owner.
    pub database: Database,
}

impl Postgres {
    /// A connector with some of its configuration changed.
    pub fn connector_with(&self, changes: serde_json::Value, secret: &str) -> Result<Arc<dyn Connector>> {
        let mut config = json!({
            "host": "127.0.0.1",
            "port": self.database.server.port,
            "database": self.database.name,
            "user": self.database.name,
        });
        if let (Some(config), Some(changes)) = (config.as_object_mut(), changes.as_object()) {
            config.extend(changes.clone());
        }
        let networks = vec!["127.0.0.0/8".parse()?];
        let policy = Policy { networks, ..Policy::default() };
        Ok(kinds::open("postgres", &config, Some(SecretString::from(secret)), &policy)?)
    }

    /// Where a table or view the test made itself is.
    pub fn table(name: &str) -> TableRef {
        TableRef { catalog: None, schema: Some("public".to_owned()), name: name.to_owned() }
    }
}

fn quoted(table: &TableRef) -> String {
    format!("\"{}\"", table.name.replace('"', "\"\""))
}

fn literal(value: &Value, holds: Holds) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(digits) => digits.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => {
            let zone = if holds == Holds::Zoned { "+00" } else { "" };
            format!("'{}{zone}'", text.replace('\'', "''"))
        }
    }
}

fn native(holds: Holds) -> String {
    match holds {
        Holds::Int => "int8".to_owned(),
        Holds::Wide | Holds::Decimal(..) => match holds {
            Holds::Decimal(digits, scale) => format!("numeric({digits}, {scale})"),
            _ => "numeric".to_owned(),
        },
        Holds::Float => "float8".to_owned(),
        Holds::Bool => "bool".to_owned(),
        Holds::Text => "text".to_owned(),
        Holds::Date => "date".to_owned(),
        Holds::Naive => "timestamp".to_owned(),
        Holds::Zoned => "timestamptz".to_owned(),
        Holds::Json => "jsonb".to_owned(),
        Holds::Clock => "time".to_owned(),
    }
}

/// The types of the columns of a table the test made, to write literals for.
async fn holds(database: &Database, table: &TableRef) -> Result<Vec<bool>> {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(&database.url()).await?;
    let sql = "SELECT atttypid = 'timestamptz'::regtype FROM pg_attribute \
               WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    Ok(sqlx::query_scalar(sql).bind(quoted(table)).fetch_all(&mut connection).await?)
}

impl System for Postgres {
    const SUBSECOND_DIGITS: usize = 6;
    const NAIVE: bool = true;

    async fn start() -> Result<Self> {
        let database = Database::empty().await?;
        let reader = &database.name;
        database
            .run(&format!(
                "CREATE ROLE \"{reader}\" LOGIN PASSWORD '{SECRET}'; \
                 ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO \"{reader}\""
            ))
            .await?;
        Ok(Self { database })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        self.connector_with(json!({}), SECRET)
    }

    fn secret(&self) -> Option<&str> {
        Some(SECRET)
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let table = Self::table(name);
        let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let mut parts: Vec<String> = columns
            .iter()
            .map(|column| {
                let null = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {}{null}", quote(column.name), native(column.holds))
            })
            .collect();
        let keys: Vec<String> =
            columns.iter().filter(|column| column.key).map(|column| quote(column.name)).collect();
        if !keys.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", keys.join(", ")));
        }
        self.database.run(&format!("CREATE TABLE {} ({})", quoted(&table), parts.join(", "))).await?;
        Ok(table)
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let zoned = holds(&self.database, table).await?;
        let rows: Vec<String> =
            rows.iter()
                .map(|row| {
                    let cells = row.iter().zip(&zoned).map(|(value, zoned)| {
                        literal(value, if *zoned { Holds::Zoned } else { Holds::Text })
                    });
                    format!("({})", cells.collect::<Vec<_>>().join(", "))
                })
                .collect();
        self.database.run(&format!("INSERT INTO {} VALUES {}", quoted(table), rows.join(", "))).await
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} SELECT n, repeat(md5(n::text), 6) FROM generate_series(0, {rows} - 1) AS n",
            quoted(table)
        );
        self.database.run(&sql).await
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        self.database.run(&format!("ALTER TABLE {} DROP COLUMN \"{name}\"", quoted(table))).await
    }

    fn has(&self, holds: Holds) -> bool {
        holds != Holds::Wide
    }
}

conformance!("postgres", Postgres
    ; omits {
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer type has 64 bits; wider ones are numeric",
    }
);
