//! ClickHouse, as a user who may read and change settings (`readonly=2`).

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::clickhouse::{Database, User};

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// A database of its own.
struct Clickhouse {
    database: Database,
}

fn quote(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

fn native(holds: Holds) -> String {
    match holds {
        Holds::Int => "Int64".to_owned(),
        Holds::Wide => "Int128".to_owned(),
        Holds::Decimal(digits, scale) => format!("Decimal({digits}, {scale})"),
        Holds::Float => "Float64".to_owned(),
        Holds::Bool => "Bool".to_owned(),
        Holds::Text | Holds::Json | Holds::Clock => "String".to_owned(),
        Holds::Date => "Date32".to_owned(),
        Holds::Naive | Holds::Zoned => "DateTime64(9, 'UTC')".to_owned(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(digits) => digits.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}

impl System for Clickhouse {
    const SUBSECOND_DIGITS: usize = 9;
    const NAIVE: bool = false;

    async fn start() -> Result<Self> {
        Ok(Self { database: Database::empty().await? })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "host": "127.0.0.1",
            "port": self.database.server.port,
            "secure": false,
            "database": self.database.name,
            "user": User::Reader.name(),
        });
        let secret = SecretString::from(self.database.server.password(User::Reader));
        let policy = Policy { networks: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
        Ok(kinds::open("clickhouse", &config, Some(secret), &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        Some(self.database.server.password(User::Reader))
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let parts: Vec<String> = columns
            .iter()
            .map(|column| {
                let native = native(column.holds);
                let native = if column.nullable { format!("Nullable({native})") } else { native };
                format!("{} {native}", quote(column.name))
            })
            .collect();
        let keys: Vec<String> =
            columns.iter().filter(|column| column.key).map(|column| quote(column.name)).collect();
        let sql = format!(
            "CREATE TABLE {} ({}) ENGINE = MergeTree ORDER BY ({})",
            quote(name),
            parts.join(", "),
            keys.join(", ")
        );
        self.database.run(&sql).await?;
        Ok(TableRef { catalog: None, schema: Some(self.database.name.clone()), name: name.to_owned() })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let rows: Vec<String> = rows
            .iter()
            .map(|row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", ")))
            .collect();
        let sql = format!("INSERT INTO {} VALUES {}", quote(&table.name), rows.join(", "));
        self.database.run(&sql).await.map(drop)
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} SELECT number, repeat(lower(hex(MD5(toString(number)))), 6) FROM numbers({rows})",
            quote(&table.name)
        );
        self.database.run(&sql).await.map(drop)
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        let sql = format!("ALTER TABLE {} DROP COLUMN {}", quote(&table.name), quote(name));
        self.database.run(&sql).await.map(drop)
    }

    fn has(&self, holds: Holds) -> bool {
        !matches!(holds, Holds::Json | Holds::Clock | Holds::Naive)
    }
}

conformance!("clickhouse", Clickhouse);
