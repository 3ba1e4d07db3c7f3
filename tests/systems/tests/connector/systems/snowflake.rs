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

conformance!("snowflake", Snowflake:
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
        values::pitfall_14_wide_integers_keep_every_digit: "a NUMBER has at most 38 digits, fewer than 128 bits can hold",
    }
);
