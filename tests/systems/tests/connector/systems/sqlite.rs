//! SQLite: a file whose owner has it open, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// A file in a folder of its own.
struct Sqlite {
    folder: TempDir,
    made: Mutex<HashMap<String, Vec<Holds>>>,
}

impl Sqlite {
    async fn owner(&self) -> Result<SqliteConnection> {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.path().join("usage.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        Ok(SqliteConnection::connect_with(&options).await?)
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn declared(holds: Holds) -> String {
    match holds {
        Holds::Decimal(digits, scale) => format!("DECIMAL({digits}, {scale})"),
        Holds::Wide => "NUMERIC".to_owned(),
        Holds::Int => "INTEGER".to_owned(),
        Holds::Float => "DOUBLE".to_owned(),
        Holds::Bool => "BOOLEAN".to_owned(),
        Holds::Text => "TEXT".to_owned(),
        Holds::Date => "DATE".to_owned(),
        Holds::Naive => "DATETIME".to_owned(),
        Holds::Zoned => "TIMESTAMPTZ".to_owned(),
        Holds::Json => "JSON".to_owned(),
        Holds::Clock => "TIME".to_owned(),
    }
}

impl System for Sqlite {
    const SUBSECOND_DIGITS: usize = 9;
    const NAIVE: bool = true;

    async fn start() -> Result<Self> {
        let system = Self { folder: tempfile::tempdir()?, made: Mutex::default() };
        system.owner().await?.close().await?;
        Ok(system)
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let policy = Policy { folders: vec![self.folder.path().to_owned()], ..Policy::default() };
        let config = json!({ "path": self.folder.path().join("usage.db") });
        Ok(kinds::open("sqlite", &config, None, &policy)?)
    }

    fn secret(&self) -> Option<&str> {
        None
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let mut parts: Vec<String> = columns
            .iter()
            .map(|column| {
                let null = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {}{null}", quote(column.name), declared(column.holds))
            })
            .collect();
        let keys: Vec<String> =
            columns.iter().filter(|column| column.key).map(|column| quote(column.name)).collect();
        if !keys.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", keys.join(", ")));
        }
        let sql = format!("CREATE TABLE {} ({})", quote(name), parts.join(", "));
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.owner().await?).await?;
        let holds = columns.iter().map(|column| column.holds).collect();
        self.made.lock().expect("no holder of the lock panics").insert(name.to_owned(), holds);
        Ok(TableRef { catalog: None, schema: None, name: name.to_owned() })
    }

    async fn insert(&self, table: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let made = self.made.lock().expect("no holder of the lock panics").get(&table.name).cloned();
        let made = made.context("the test made the table")?;
        let marks = vec!["?"; made.len()].join(", ");
        let sql = format!("INSERT INTO {} VALUES ({marks})", quote(&table.name));
        let mut owner = self.owner().await?;
        let mut transaction = owner.begin().await?;
        for row in rows {
            let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
            for (value, holds) in row.iter().zip(&made) {
                query = match (value, holds) {
                    (Value::Null, _) => query.bind(None::<i64>),
                    (Value::Number(text), Holds::Int) => query.bind(text.parse::<i64>()?),
                    (Value::Number(text), _) => query.bind(text.parse::<f64>()?),
                    (Value::Bool(value), _) => query.bind(*value),
                    (Value::Text(text), Holds::Zoned) => query.bind(format!("{}Z", text.replace(' ', "T"))),
                    (Value::Text(text), _) => query.bind(text.as_str()),
                };
            }
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn grow(&self, table: &TableRef, rows: usize) -> Result<()> {
        let sql = format!(
            "WITH RECURSIVE n (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id < {rows} - 1) \
             INSERT INTO {} SELECT id, hex(zeroblob(96)) || printf('%08d', id) FROM n",
            quote(&table.name)
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.owner().await?).await?;
        Ok(())
    }

    async fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        let sql = format!("ALTER TABLE {} DROP COLUMN {}", quote(&table.name), quote(name));
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.owner().await?).await?;
        Ok(())
    }

    fn has(&self, holds: Holds) -> bool {
        // Exact decimals are kept to 15 digits only.
        !matches!(holds, Holds::Wide | Holds::Decimal(..))
    }
}

conformance!("sqlite", Sqlite:
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
        floats_are_bit_exact,
        texts_are_exact,
        truth_values_days_and_times_are_exact,
        pitfall_21_the_three_nulls_are_told_apart,
        nulls_of_every_type_are_null,
        a_huge_cell_is_whole_or_cut,
    }
    slices {
        a_slice_has_count_greatest_cursor_and_exact_sums,
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
        values::pitfall_14_wide_integers_keep_every_digit: "the widest integer has 64 bits; a wider one becomes a float",
        slices::decimals_are_added_up_to_the_last_digit: "there are no exact decimals; a column of them holds floats",
        values::pitfall_14_decimals_keep_every_digit: "there are no exact decimals; a column of them holds floats",
    }
);
