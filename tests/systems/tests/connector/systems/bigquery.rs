//! BigQuery on two emulators, each behind the gate that is as strict as Google where they are not.

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Emulator, Place};

use crate::system::System;
use crate::table::{Holds, Made, Value};

/// A text longer than this is bound: no statement may hold it.
const LONG: usize = 1_000;

/// A dataset of its own, in `local-bigquery` or in `bqemulator`.
struct Bigquery<const SECOND: bool> {
    place: Place,
    key: String,
}

fn quote(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

fn native(holds: Holds) -> &'static str {
    match holds {
        Holds::Int | Holds::Wide => "INT64",
        Holds::Decimal(..) => "NUMERIC",
        Holds::Float => "FLOAT64",
        Holds::Bool => "BOOL",
        Holds::Text => "STRING",
        Holds::Date => "DATE",
        Holds::Naive => "DATETIME",
        Holds::Zoned => "TIMESTAMP",
        Holds::Json => "JSON",
        Holds::Clock => "TIME",
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{}'", escaped.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t"))
}

/// A value for a column of that type; what is long becomes a parameter.
fn literal(value: &Value, kind: &str, texts: &mut Vec<(String, String)>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(digits) if kind == "INT64" || kind == "INTEGER" => digits.clone(),
        Value::Number(digits) if kind == "NUMERIC" => format!("NUMERIC '{digits}'"),
        Value::Number(digits) => format!("CAST('{digits}' AS FLOAT64)"),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) if text.len() > LONG => {
            let name = format!("long{}", texts.len());
            texts.push((name.clone(), text.clone()));
            format!("@{name}")
        }
        Value::Text(text) => match kind {
            "TIMESTAMP" => format!("TIMESTAMP {}", quoted(&format!("{text}+00"))),
            "DATETIME" | "DATE" | "TIME" | "JSON" => format!("{kind} {}", quoted(text)),
            _ => quoted(text),
        },
    }
}

impl<const SECOND: bool> Bigquery<SECOND> {
    fn resource(&self, table: &TableRef) -> String {
        format!("projects/{PROJECT}/datasets/{}/tables/{}", self.place.dataset, table.name)
    }

    async fn fields(&self, table: &TableRef) -> Result<Vec<Json>> {
        let found = self.place.ask("GET", &self.resource(table), None).await?;
        Ok(found["schema"]["fields"].as_array().cloned().unwrap_or_default())
    }

    /// Names and types of a table's columns, as the emulator has them.
    async fn columns(&self, table: &TableRef) -> Result<Vec<(String, String)>> {
        let fields = self.fields(table).await?;
        let text = |field: &Json, name: &str| field[name].as_str().unwrap_or_default().to_owned();
        Ok(fields.iter().map(|field| (text(field, "name"), text(field, "type"))).collect())
    }

    async fn insert_some(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let columns = self.columns(table).await?;
        let names: Vec<String> = columns.iter().map(|(name, _)| quote(name)).collect();
        let mut texts = Vec::new();
        let mut lines = Vec::new();
        for row in rows {
            let cells = row.iter().zip(&columns).map(|(value, (_, kind))| literal(value, kind, &mut texts));
            lines.push(format!("({})", cells.collect::<Vec<_>>().join(", ")));
        }
        let (table, names) = (self.place.table(&table.name), names.join(", "));
        let sql = format!("INSERT INTO {table} ({names}) VALUES {}", lines.join(", "));
        self.place.run(&sql, &texts).await.map(drop)
    }
}

impl<const SECOND: bool> System for Bigquery<SECOND> {
    const SUBSECOND_DIGITS: usize = 6;
    const NAIVE: bool = true;

    async fn start() -> Result<Self> {
        let emulator = if SECOND { Emulator::Second } else { Emulator::Local };
        let place = Place::empty(emulator).await?;
        let key = place.gate.key_file();
        Ok(Self { place, key })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({"project": PROJECT, "dataset": self.place.dataset});
        let mut policy = Policy { networks: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
        policy.base_urls.insert("bigquery".to_owned(), self.place.gate.url().parse()?);
        Ok(kinds::open("bigquery", &config, Some(SecretString::from(self.key.as_str())), &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        self.place.server.key.lines().nth(1)
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let fields: Vec<Json> = columns
            .iter()
            .map(|column| {
                let mode = if column.nullable { "NULLABLE" } else { "REQUIRED" };
                json!({"name": column.name, "type": native(column.holds), "mode": mode})
            })
            .collect();
        let keys: Vec<&str> = columns.iter().filter(|column| column.key).map(|column| column.name).collect();
        let mut resource = json!({"schema": {"fields": fields}});
        if !keys.is_empty() {
            resource["tableConstraints"] = json!({"primaryKey": {"columns": keys}});
        }
        self.place.create(name, resource).await?;
        Ok(TableRef {
            catalog: Some(PROJECT.to_owned()),
            schema: Some(self.place.dataset.clone()),
            name: name.to_owned(),
        })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        // The emulators take long for long statements.
        for rows in rows.chunks(500) {
            self.insert_some(table, rows).await?;
        }
        Ok(())
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} (`id`, `label`) SELECT n, REPEAT(TO_HEX(MD5(CAST(n AS STRING))), 6) \
             FROM UNNEST(GENERATE_ARRAY(0, {})) n",
            self.place.table(&table.name),
            rows - 1
        );
        self.place.run(&sql, &[]).await.map(drop)
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        let sql = format!("ALTER TABLE {} DROP COLUMN {}", self.place.table(&table.name), quote(name));
        self.place.run(&sql, &[]).await?;
        if SECOND {
            // It drops the column but goes on naming it in the table's schema.
            let mut fields = self.fields(table).await?;
            fields.retain(|field| field["name"] != name);
            let body = json!({"schema": {"fields": fields}});
            self.place.ask("PATCH", &self.resource(table), Some(body)).await?;
        }
        Ok(())
    }

    fn has(&self, holds: Holds) -> bool {
        match holds {
            Holds::Wide => false,
            // BIGNUMERIC has 76 digits at Google and 38 or none at all in the emulators; see `connector_bigquery`.
            Holds::Decimal(digits, scale) => scale <= 9 && digits - scale <= 29,
            _ => true,
        }
    }
}

/// The suites over `local-bigquery`.
pub mod local {
    type System = super::Bigquery<false>;

    crate::conformance!("bigquery", System
        ; omits {
            values::pitfall_14_wide_integers_keep_every_digit: "BigQuery's integers have 64 bits",
            places::discover_lists_tables_by_name:
                "BigQuery takes no such table names; `connector_bigquery` lists what it does take",
            places::pitfall_20_odd_names_are_kept_and_quoted:
                "BigQuery takes no such table names; `connector_bigquery` reads the odd ones it does take",
        }
    );
}

/// The suites over `bqemulator`.
pub mod second {
    type System = super::Bigquery<true>;

    crate::conformance!("bigquery", System
        ; omits {
            values::pitfall_14_wide_integers_keep_every_digit: "BigQuery's integers have 64 bits",
            slices::decimals_are_added_up_to_the_last_digit:
                "its BIGNUMERIC has fewer digits than Google's: what is added up in it comes rounded",
            places::discover_lists_tables_by_name:
                "BigQuery takes no such table names; `connector_bigquery` lists what it does take",
            places::pitfall_20_odd_names_are_kept_and_quoted:
                "BigQuery takes no such table names; `connector_bigquery` reads the odd ones it does take",
        }
    );
}
