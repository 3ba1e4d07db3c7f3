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

conformance!("postgres", Postgres:
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
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer type has 64 bits; wider ones are numeric",
    }
);
