//! Databricks as MiniLake 1.9.0 emulates it over DuckDB: Unity Catalog and whole reads. It does not know parameters, so
//! no read that has bounds.

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::{Emulator, TOKEN};

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// A schema of its own.
struct Minilake {
    emulator: Emulator,
    schema: String,
}

/// As DuckDB quotes names.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn native(holds: Holds) -> String {
    match holds {
        Holds::Int => "BIGINT".to_owned(),
        Holds::Wide => "HUGEINT".to_owned(),
        Holds::Decimal(digits, scale) => format!("DECIMAL({digits},{scale})"),
        Holds::Float => "DOUBLE".to_owned(),
        Holds::Bool => "BOOLEAN".to_owned(),
        Holds::Text | Holds::Json => "VARCHAR".to_owned(),
        Holds::Date => "DATE".to_owned(),
        Holds::Naive | Holds::Zoned => "TIMESTAMP".to_owned(),
        Holds::Clock => "TIME".to_owned(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(digits) => digits.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
    }
}

impl Minilake {
    fn name(&self, table: &str) -> String {
        format!("prod.{}.{}", self.schema, quote(table))
    }
}

impl System for Minilake {
    const SUBSECOND_DIGITS: usize = 6;
    const NAIVE: bool = false;

    async fn start() -> Result<Self> {
        let emulator = Emulator::minilake().await?;
        let schema = emulator.schema("prod").await?;
        Ok(Self { emulator, schema })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "host": "dbc-0a1b2c3d-4e5f.cloud.databricks.com",
            "warehouse": self.emulator.warehouse,
            "catalog": "prod",
            "signIn": "token",
        });
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("databricks".to_owned(), self.emulator.url().parse()?)].into(),
            ..Policy::default()
        };
        Ok(kinds::open("databricks", &config, Some(SecretString::from(TOKEN)), &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        Some(TOKEN)
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let column = |made: &Made| {
            let null = if made.nullable { "" } else { " NOT NULL" };
            format!("{} {}{null}", quote(made.name), native(made.holds))
        };
        let columns: Vec<String> = columns.iter().map(column).collect();
        self.emulator.run(&format!("CREATE TABLE {} ({})", self.name(name), columns.join(", "))).await?;
        Ok(TableRef {
            catalog: Some("prod".to_owned()),
            schema: Some(self.schema.clone()),
            name: name.to_owned(),
        })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let row = |row: &Vec<Value>| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", "));
        let rows: Vec<String> = rows.iter().map(row).collect();
        self.emulator.run(&format!("INSERT INTO {} VALUES {}", self.name(&table.name), rows.join(", "))).await
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let rows = format!("SELECT range, repeat(md5(range::VARCHAR), 6) FROM range({rows})");
        self.emulator.run(&format!("INSERT INTO {} {rows}", self.name(&table.name))).await
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        self.emulator
            .run(&format!("ALTER TABLE {} DROP COLUMN {}", self.name(&table.name), quote(name)))
            .await
    }

    fn has(&self, holds: Holds) -> bool {
        !matches!(holds, Holds::Wide | Holds::Decimal(39.., _) | Holds::Json | Holds::Naive)
    }
}

conformance!("databricks", Minilake
    ; omits {
        order::pitfall_01_rows_with_the_boundary_value_arrive: "it does not know parameters",
        order::a_read_resumes_at_every_batch_edge: "it does not know parameters",
        order::pitfall_02_ties_longer_than_a_page: "it does not know parameters",
        order::pitfall_04_late_rows_are_found_by_a_lookback: "it does not know parameters",
        order::pitfall_06_nothing_new_gives_no_batch: "it does not know parameters",
        order::pitfall_11_null_cursors_are_left_out_or_come_first: "it does not know parameters",
        order::rows_with_a_null_key_are_not_lost: "it does not know parameters",
        order::text_keys_order_the_same_in_every_read: "it does not know parameters",
        cursors::pitfall_05_a_lookback_has_one_unit: "it does not know parameters",
        slices::a_slice_has_count_greatest_cursor_and_exact_sums: "it does not know parameters",
        slices::decimals_are_added_up_to_the_last_digit: "it does not know parameters",
        slices::every_kind_of_cursor_has_its_slices: "it does not know parameters",
        cursors::pitfall_07_the_last_digit_counts: "it does not know parameters",
        cursors::every_kind_of_cursor_pages_and_resumes: "it does not know parameters",
        cursors::pitfall_12_a_row_dated_far_ahead_is_left_out_by_the_upper_bound: "it does not know parameters",
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer has 64 bits; wider ones are decimals",
        places::describe_tells_columns_in_table_order: "it tells no primary keys",
        places::pitfall_20_odd_names_are_kept_and_quoted: "it does not know parameters, with which the test resumes",
    }
);
