//! Snowflake: the strict server of the repository, as a user with a key pair and the right to read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::snowflake::{Account, Column, Place, Server, Type, Value as Stored, Who};

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// An account of its own.
struct Snowflake {
    server: Server,
    place: Place,
    reader: Account,
    /// What the columns of each table hold.
    made: Mutex<HashMap<String, Vec<Holds>>>,
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn native(holds: Holds) -> String {
    match holds {
        Holds::Int | Holds::Wide => "NUMBER(38,0)".to_owned(),
        Holds::Decimal(digits, scale) => format!("NUMBER({digits},{scale})"),
        Holds::Float => "FLOAT".to_owned(),
        Holds::Bool => "BOOLEAN".to_owned(),
        Holds::Text => "VARCHAR(134217728)".to_owned(),
        Holds::Date => "DATE".to_owned(),
        Holds::Naive => "TIMESTAMP_NTZ(9)".to_owned(),
        Holds::Zoned => "TIMESTAMP_LTZ(9)".to_owned(),
        Holds::Json => "VARIANT".to_owned(),
        Holds::Clock => "TIME(9)".to_owned(),
    }
}

fn literal(value: &Value, holds: Holds) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    match (value, holds) {
        (Value::Null, _) => "NULL".to_owned(),
        (Value::Number(digits), _) => digits.clone(),
        (Value::Bool(value), _) => value.to_string(),
        (Value::Text(text), Holds::Json) => format!("PARSE_JSON({})", quoted(text)),
        // The session that inserts is not in UTC.
        (Value::Text(text), Holds::Zoned) => quoted(&format!("{text} +00:00")),
        (Value::Text(text), _) => quoted(text),
    }
}

impl Snowflake {
    /// What the columns of a table made here hold.
    fn holds(&self, table: &str) -> Vec<Holds> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(table).cloned().unwrap_or_default()
    }
}

impl System for Snowflake {
    const SUBSECOND_DIGITS: usize = 9;
    const NAIVE: bool = true;

    async fn start() -> Result<Self> {
        let server = Server::start().await?;
        let place = server.place().await?;
        let reader = place.user(Who::Reader);
        Ok(Self { server, place, reader, made: Mutex::default() })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "account": self.reader.account,
            "user": self.reader.user,
            "role": self.reader.role,
            "warehouse": self.reader.warehouse,
        });
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("snowflake".to_owned(), self.server.url().parse()?)].into(),
            ..Policy::default()
        };
        let secret = SecretString::from(self.reader.private_key_pem.as_str());
        Ok(kinds::open("snowflake", &config, Some(secret), &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        Some(&self.reader.private_key_pem)
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
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
        self.place.run(&format!("CREATE TABLE {} ({})", quote(name), parts.join(", "))).await?;
        let holds = columns.iter().map(|column| column.holds).collect();
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), holds);
        Ok(TableRef {
            catalog: Some(self.reader.database.clone()),
            schema: Some(self.reader.schema.clone()),
            name: name.to_owned(),
        })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let holds = self.holds(&table.name);
        let rows: Vec<String> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .zip(&holds)
                    .map(|(value, holds)| literal(value, *holds))
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .collect();
        let into = format!("INSERT INTO {}", quote(&table.name));
        if holds.contains(&Holds::Json) {
            // VALUES takes no documents.
            for row in rows {
                self.place.run(&format!("{into} SELECT {row}")).await?;
            }
            return Ok(());
        }
        self.place.run(&format!("{into} VALUES ({})", rows.join("), ("))).await
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let columns = vec![Column::new("id", Type::Number(38, 0)), Column::new("label", Type::TEXT)];
        self.place.generate(&table.name, columns, rows, &["id"], |row| {
            vec![Stored::int(row as i128), Stored::text(format!("{row:08}").repeat(25))]
        })
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        self.place.run(&format!("ALTER TABLE {} DROP COLUMN {}", quote(&table.name), quote(name))).await
    }

    fn has(&self, holds: Holds) -> bool {
        // A number has at most 38 digits, and one without digits behind the point is an integer.
        match holds {
            Holds::Wide => false,
            Holds::Decimal(digits, scale) => digits <= 38 && scale > 0,
            _ => true,
        }
    }
}

conformance!("snowflake", Snowflake
    ; omits {
        values::pitfall_14_wide_integers_keep_every_digit: "a NUMBER has at most 38 digits, fewer than 128 bits can hold",
    }
);
