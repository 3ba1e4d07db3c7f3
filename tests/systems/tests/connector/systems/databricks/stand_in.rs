//! Databricks as the documents have it, by a service principal: a strict stand-in, since nobody has the real one here.

use std::sync::Arc;

use anyhow::{Context, Result};
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::{CLIENT, Column, SECRET, Server, Type, Value as Native, WAREHOUSE};

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// A workspace of its own.
struct Databricks {
    server: Server,
}

fn native(holds: Holds) -> Type {
    match holds {
        Holds::Int => Type::Int("BIGINT"),
        Holds::Wide => Type::Decimal(38, 0),
        Holds::Decimal(digits, scale) => Type::Decimal(digits, scale),
        Holds::Float => Type::Double,
        Holds::Bool => Type::Bool,
        Holds::Text => Type::Text,
        Holds::Date => Type::Date,
        Holds::Naive => Type::Naive,
        Holds::Zoned => Type::Zoned,
        Holds::Json => Type::Variant,
        Holds::Clock => Type::Interval,
    }
}

fn literal(kind: &Type, value: &Value) -> Result<Native> {
    let text = match value {
        Value::Null => return Ok(Native::Null),
        Value::Number(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        // The suite means UTC.
        Value::Text(text) if *kind == Type::Zoned => format!("{text}Z"),
        Value::Text(text) => text.clone(),
    };
    Native::parse(kind, &text).with_context(|| format!("{text} is no {}", kind.text()))
}

impl System for Databricks {
    const SUBSECOND_DIGITS: usize = 6;
    const NAIVE: bool = true;

    async fn start() -> Result<Self> {
        Ok(Self { server: Server::start().await? })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "host": "dbc-0a1b2c3d-4e5f.cloud.databricks.com",
            "warehouse": format!("/sql/1.0/warehouses/{WAREHOUSE}"),
            "signIn": {"oauth": {"clientId": CLIENT}},
        });
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("databricks".to_owned(), self.server.url().parse()?)].into(),
            ..Policy::default()
        };
        Ok(kinds::open("databricks", &config, Some(SecretString::from(SECRET)), &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        Some(SECRET)
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let columns = columns.iter().map(|made| Column {
            name: made.name.to_owned(),
            kind: native(made.holds),
            nullable: made.nullable,
            key: made.key,
        });
        Ok(self.server.create(name, columns.collect()))
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let columns = self.server.columns(table)?;
        let row = |row: &Vec<Value>| -> Result<Vec<Native>> {
            row.iter().zip(&columns).map(|(value, column)| literal(&column.kind, value)).collect()
        };
        self.server.insert(table, rows.iter().map(row).collect::<Result<_>>()?)
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let row = |id: usize| {
            vec![Native::Int(id as i64), Native::Text(format!("{id:08} {}", "usage ".repeat(32)))]
        };
        self.server.insert(table, (0..rows).map(row).collect())
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        self.server.drop_column(table, name)
    }

    fn has(&self, holds: Holds) -> bool {
        !matches!(holds, Holds::Wide | Holds::Decimal(39.., _))
    }
}

conformance!("databricks", Databricks
    ; omits {
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer has 64 bits; wider ones are decimals",
    }
);
