//! A table in memory: no system behind it, yet the same promises.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use connector::cursor::parse_moment;
use connector::memory::{MemoryTable, Owned};
use connector::{Connector, TableRef, Type};

use crate::conformance;
use crate::system::System;
use crate::table::{Holds, Made, Value};

/// The table in memory that the test made last.
#[derive(Default)]
struct Memory {
    made: Mutex<Option<(MemoryTable, Vec<Holds>)>>,
}

impl Memory {
    fn made(&self) -> Result<(MemoryTable, Vec<Holds>)> {
        self.made.lock().expect("no holder of the lock panics").clone().context("no table was made")
    }
}

fn owned(value: &Value, holds: Holds) -> Result<Owned> {
    Ok(match (value, holds) {
        (Value::Null, _) => Owned::Null,
        (Value::Number(text), Holds::Int | Holds::Wide) => Owned::Int(text.parse()?),
        (Value::Number(text), Holds::Decimal(..)) => Owned::Decimal(text.clone()),
        (Value::Text(text), Holds::Zoned) => Owned::Zoned(parse_moment(text).context("no instant")?),
        (Value::Text(text), _) => Owned::Text(text.clone()),
        _ => bail!("{value:?} is no {holds:?}"),
    })
}

impl System for Memory {
    const SUBSECOND_DIGITS: usize = 9;
    const NAIVE: bool = false;

    async fn start() -> Result<Self> {
        Ok(Self::default())
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        Ok(Arc::new(self.made()?.0))
    }

    fn secret(&self) -> Option<&str> {
        None
    }

    async fn create(&self, name: &str, columns: &[Made]) -> Result<TableRef> {
        let typed: Vec<(&str, Type)> = columns
            .iter()
            .map(|column| {
                let kind = match column.holds {
                    Holds::Int | Holds::Wide => Type::Int,
                    Holds::Decimal(..) => Type::Decimal,
                    Holds::Zoned => Type::Zoned,
                    _ => Type::Text,
                };
                (column.name, kind)
            })
            .collect();
        let table = MemoryTable::new(name, &typed);
        table.set_clock(parse_moment("2026-06-01 00:00:00").context("no instant")?);
        let holds = columns.iter().map(|column| column.holds).collect();
        *self.made.lock().expect("no holder of the lock panics") = Some((table.clone(), holds));
        Ok(table.table().clone())
    }

    async fn insert(&self, _: &TableRef, rows: &[Vec<Value>]) -> Result<()> {
        let (table, holds) = self.made()?;
        for row in rows {
            table.push(
                row.iter().zip(&holds).map(|(value, holds)| owned(value, *holds)).collect::<Result<_>>()?,
            );
        }
        Ok(())
    }

    async fn grow(&self, _: &TableRef, _: usize) -> Result<()> {
        bail!("a table in memory is no larger than memory")
    }

    async fn drop_column(&self, _: &TableRef, name: &str) -> Result<()> {
        self.made()?.0.drop_column(name);
        Ok(())
    }

    fn has(&self, holds: Holds) -> bool {
        matches!(holds, Holds::Int | Holds::Wide | Holds::Decimal(..) | Holds::Text | Holds::Zoned)
    }
}

conformance!("memory", Memory
    ; omits {
        values::floats_are_bit_exact: "it is made without floats",
        values::truth_values_days_and_times_are_exact: "it is made of integers, decimals, texts and instants",
        values::pitfall_21_the_three_nulls_are_told_apart: "it is made without JSON",
        values::a_huge_cell_is_whole_or_cut: "its cells are in memory before they are read",
        places::discover_lists_tables_by_name: "it is one table",
        places::describe_tells_columns_in_table_order: "its columns have no native types",
        places::the_clock_is_right: "its clock is the one the test sets",
        places::the_check_goes_step_by_step: "there is nothing to connect to",
        places::pitfall_20_odd_names_are_kept_and_quoted: "it speaks no language in which names are quoted",
        refusals::nothing_can_be_written: "there is no user whose rights could be too wide",
        limits::batches_keep_to_their_bytes: "it cuts batches by rows",
        limits::memory_is_bounded_by_the_batch: "it is in memory as a whole",
    }
);
