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

conformance!("databricks", Databricks:
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
    ; omits {
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer has 64 bits; wider ones are decimals",
    }
);
