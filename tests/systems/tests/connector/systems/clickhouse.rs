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

conformance!("clickhouse", Clickhouse:
    order {
        a_full_read_gives_every_row_in_order,
        an_empty_table_gives_no_batch,
        pitfall_01_rows_with_the_boundary_value_arrive,
        a_read_resumes_at_every_batch_edge,
        pitfall_02_ties_longer_than_a_page,
        pitfall_03_the_state_is_one_position,
        pitfall_04_late_rows_are_found_by_a_lookback,
        pitfall_06_nothing_new_gives_no_batch,
        pitfall_11_null_cursors_are_left_out_or_come_first,
        rows_with_a_null_key_are_not_lost,
        text_keys_order_the_same_in_every_read,
    }
    cursors {
        pitfall_05_a_lookback_has_one_unit,
        pitfall_07_the_last_digit_counts,
        every_kind_of_cursor_pages_and_resumes,
        pitfall_09_text_cursors_are_refused,
        pitfall_10_unfit_cursor_types_are_refused,
        pitfall_12_a_row_dated_far_ahead_is_left_out_by_the_upper_bound,
    }
    values {
        integers_keep_every_digit,
        pitfall_14_wide_integers_keep_every_digit,
        pitfall_14_decimals_keep_every_digit,
        floats_are_bit_exact,
        texts_are_exact,
        truth_values_days_and_times_are_exact,
        pitfall_21_the_three_nulls_are_told_apart,
        nulls_of_every_type_are_null,
        a_huge_cell_is_whole_or_cut,
    }
    slices {
        a_slice_has_count_greatest_cursor_and_exact_sums,
        decimals_are_added_up_to_the_last_digit,
        every_kind_of_cursor_has_its_slices,
        slices_of_a_missing_column_are_refused,
    }
    places {
        discover_lists_tables_by_name,
        describe_tells_columns_in_table_order,
        preview_gives_a_few_rows,
        the_newest_cursor_is_told_with_every_digit,
        the_clock_is_right,
        the_check_goes_step_by_step,
        pitfall_20_odd_names_are_kept_and_quoted,
    }
    refusals {
        a_missing_table_is_not_found,
        a_missing_column_stops_the_stream,
        a_dropped_column_is_told_by_name,
        a_cursor_of_another_kind_is_refused,
        nothing_can_be_written,
    }
    limits {
        batches_keep_to_their_bytes,
        memory_is_bounded_by_the_batch,
    }
);
