//! Batches of bounded size, and memory bounded by the batch, not by the result.

use anyhow::{Context, Result, ensure};
use connector::{CursorKind, ReadRequest, TableRef};
use futures::StreamExt;

use crate::reading::{batches, request};
use crate::system::{System, filled};
use crate::table::{Holds, Value, column, key};

/// Memory of this process now held in RAM, in bytes.
fn resident() -> Result<usize> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kilobytes: usize = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kilobytes * 1_024)
}

fn asked(table: &TableRef) -> ReadRequest {
    request(table, &["id", "label"], ("id", CursorKind::Int), &["id"])
}

pub async fn batches_keep_to_their_bytes<S: System>(system: &S) -> Result<()> {
    let columns = [key("id", Holds::Int), column("label", Holds::Text)];
    let text = "x".repeat(10_000);
    let rows: Vec<_> = (0..500).map(|n| vec![Value::number(n), Value::text(text.as_str())]).collect();
    let table = filled(system, "wide", &columns, &rows).await?;
    let request = ReadRequest { batch_bytes: 200_000, ..asked(&table) };
    let found = batches(&*system.connector()?, request).await?;
    ensure!(found.iter().map(connector::Batch::rows).sum::<usize>() == 500);
    let largest = found.iter().map(connector::Batch::bytes).max().unwrap_or_default();
    ensure!(largest <= 300_000, "a batch of {largest} bytes");
    ensure!(found.len() <= 60, "{} batches where about 25 would do", found.len());
    Ok(())
}

pub async fn memory_is_bounded_by_the_batch<S: System>(system: &S) -> Result<()> {
    const ROWS: usize = 250_000;
    let columns = [key("id", Holds::Int), column("label", Holds::Text)];
    let table = system.create("large", &columns).await?;
    system.grow(&table, ROWS).await?;
    let connector = system.connector()?;
    let mut stream = connector.read(ReadRequest { batch_rows: 5_000, batch_bytes: 2 << 20, ..asked(&table) });
    let (mut rows, mut start, mut most) = (0, None, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.rows();
        // What the allocator and the client need once is needed by now.
        let now = resident()?;
        start = start.or((rows > 20_000).then_some(now));
        most = most.max(now);
    }
    ensure!(rows == ROWS, "{rows} rows");
    let grown = most.saturating_sub(start.context("no row was read")?);
    // The result is about 60 MB.
    ensure!(grown < 24 << 20, "grew by {} MB while reading", grown >> 20);
    Ok(())
}
