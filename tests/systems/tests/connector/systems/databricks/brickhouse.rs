//! Databricks as BrickHouse 0.1.0 emulates it over real Delta tables: typed parameters, order and resuming. It has
//! neither `unix_micros` nor CAST in a selection, no links, no list of tables, and a small INSERT.

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

/// The most rows of one INSERT: the time it takes grows with their square.
const ROWS: usize = 40;

/// A schema of its own.
struct Brickhouse {
    emulator: Emulator,
    schema: String,
    made: std::sync::Mutex<std::collections::HashMap<String, Vec<Holds>>>,
}

fn native(holds: Holds) -> &'static str {
    match holds {
        Holds::Int => "BIGINT",
        Holds::Float => "DOUBLE",
        Holds::Bool => "BOOLEAN",
        Holds::Date => "DATE",
        _ => "STRING",
    }
}

/// Casts of literals are all it takes besides plain ones; a number with a sign is no literal.
fn literal(holds: Holds, value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) | Value::Text(text) if native(holds) != "STRING" => {
            format!("CAST('{text}' AS {})", native(holds))
        }
        Value::Number(text) | Value::Text(text) => format!("'{text}'"),
    }
}

impl System for Brickhouse {
    const SUBSECOND_DIGITS: usize = 6;
    const NAIVE: bool = false;

    async fn start() -> Result<Self> {
        let emulator = Emulator::brickhouse().await?;
        let schema = emulator.schema("main").await?;
        Ok(Self { emulator, schema, made: std::sync::Mutex::default() })
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "host": "adb-1234567890123456.7.azuredatabricks.net",
            "warehouse": self.emulator.warehouse,
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
        let column = |made: &Made| format!("`{}` {}", made.name, native(made.holds));
        let list: Vec<String> = columns.iter().map(column).collect();
        let sql = format!("CREATE TABLE main.{}.{name} ({}) USING DELTA", self.schema, list.join(", "));
        self.emulator.run(&sql).await?;
        let holds = columns.iter().map(|made| made.holds).collect();
        self.made.lock().expect("no holder of the lock panics").insert(name.to_owned(), holds);
        Ok(TableRef {
            catalog: Some("main".to_owned()),
            schema: Some(self.schema.clone()),
            name: name.to_owned(),
        })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let holds = self.made.lock().expect("no holder of the lock panics").get(&table.name).cloned();
        let holds = holds.unwrap_or_default();
        let row = |row: &Vec<Value>| {
            let cells: Vec<String> =
                row.iter().zip(&holds).map(|(value, holds)| literal(*holds, value)).collect();
            format!("({})", cells.join(", "))
        };
        for rows in rows.chunks(ROWS) {
            let rows: Vec<String> = rows.iter().map(row).collect();
            let (table, rows) = (&table.name, rows.join(", "));
            self.emulator.run(&format!("INSERT INTO main.{}.{table} VALUES {rows}", self.schema)).await?;
        }
        Ok(())
    }

    async fn grow(&self, _: &TableRef, _: usize) -> Result<()> {
        anyhow::bail!("its INSERT takes rows one by one")
    }

    async fn drop_column(&self, _: &TableRef, _: &str) -> Result<()> {
        anyhow::bail!("it drops no columns")
    }

    fn has(&self, holds: Holds) -> bool {
        matches!(holds, Holds::Int | Holds::Float | Holds::Bool | Holds::Text | Holds::Date)
    }
}

conformance!("databricks", Brickhouse
    ; omits {
        cursors::pitfall_05_a_lookback_has_one_unit: "it does not know unix_micros, so no instants",
        cursors::pitfall_07_the_last_digit_counts: "it does not know unix_micros, so no instants",
        cursors::pitfall_12_a_row_dated_far_ahead_is_left_out_by_the_upper_bound: "it does not know unix_micros, so no instants",
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer has 64 bits; wider ones are decimals",
        values::pitfall_14_decimals_keep_every_digit: "its INSERT takes no decimals; see connector_databricks for seeded ones",
        values::floats_are_bit_exact: "its INSERT makes 0 of the smallest float",
        values::texts_are_exact: "its INSERT takes no quotes within texts; see connector_databricks for seeded ones",
        values::truth_values_days_and_times_are_exact: "it does not know unix_micros, so no instants",
        values::a_huge_cell_is_whole_or_cut: "its statements hold a megabyte at most",
        slices::a_slice_has_count_greatest_cursor_and_exact_sums: "it does not know unix_micros, so no instants",
        slices::decimals_are_added_up_to_the_last_digit: "it does not know unix_micros, so no instants",
        slices::every_kind_of_cursor_has_its_slices: "its SELECT takes columns and functions, and computes nothing",
        slices::slices_of_a_missing_column_are_refused: "it does not know unix_micros, so no instants",
        places::discover_lists_tables_by_name: "it has no list of tables",
        places::describe_tells_columns_in_table_order: "it tells neither keys nor documents",
        places::the_check_goes_step_by_step: "it does not know unix_micros, so no instants",
        places::pitfall_20_odd_names_are_kept_and_quoted: "its names are lower case and unquoted",
        refusals::a_dropped_column_is_told_by_name: "it drops no columns",
        limits::memory_is_bounded_by_the_batch: "its INSERT takes rows one by one",
    }
);
