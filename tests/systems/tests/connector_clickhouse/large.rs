//! Huge cells and long results in bounded memory.

use anyhow::Result;
use connector::{Cell, CursorKind};
use futures::StreamExt;
use systems::clickhouse::{Database, User};

use crate::reading::{open, read, request, table};

#[tokio::test]
async fn a_cell_of_20_megabytes_is_cut_and_the_rows_around_it_are_whole() -> Result<()> {
    let database = Database::empty().await?;
    database
        .run(
            "CREATE TABLE t (c UInt64, s String, j Array(String), after UInt32) ENGINE = MergeTree ORDER BY c AS \
             SELECT number, if(number = 2, arrayStringConcat(arrayWithConstant(10, repeat('é', 1000000))), 'short'), [if(number = 3, arrayStringConcat(arrayWithConstant(3, repeat('y', 1000000))), 'short')], 77 FROM numbers(5)",
        )
        .await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "s", "j", "after"], ("c", CursorKind::Int), &[]);
    request.cell_bytes = 100_001;
    let batches = read(&*connector, &request).await?;
    let batch = batches.first().expect("one batch");
    assert_eq!(batch.rows(), 5);
    for row in 0..5 {
        assert_eq!(batch.columns[0].cell(row), Cell::Int(row as i128));
        assert_eq!(batch.columns[3].cell(row), Cell::Int(77));
        match (row, batch.columns[1].cell(row)) {
            (2, Cell::Unreadable(raw)) => assert_eq!(raw, "é".repeat(50_000)),
            (_, cell) => assert_eq!(cell, Cell::Text("short")),
        }
        match (row, batch.columns[2].cell(row)) {
            (3, Cell::Unreadable(raw)) => assert_eq!(raw.len(), 100_001),
            (_, cell) => assert_eq!(cell, Cell::Json("[\"short\"]")),
        }
    }
    Ok(())
}

#[tokio::test]
async fn batches_keep_to_rows_and_bytes() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt64, s String) ENGINE = MergeTree ORDER BY c AS SELECT number, repeat('x', 1000) FROM numbers(10000)").await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "s"], ("c", CursorKind::Int), &[]);
    (request.batch_rows, request.batch_bytes) = (333, usize::MAX);
    let rows: Vec<usize> = read(&*connector, &request).await?.iter().map(connector::Batch::rows).collect();
    assert_eq!((rows.iter().sum::<usize>(), rows.iter().max()), (10_000, Some(&333)));
    (request.batch_rows, request.batch_bytes) = (usize::MAX, 100_000);
    let batches = read(&*connector, &request).await?;
    assert!(batches.iter().all(|batch| batch.bytes() < 120_000));
    assert_eq!(batches.iter().map(connector::Batch::rows).sum::<usize>(), 10_000);
    Ok(())
}

/// The memory of this process, in bytes.
fn resident() -> Result<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    Ok(pages.split(' ').nth(1).unwrap_or_default().parse::<usize>()? * 4_096)
}

#[tokio::test]
async fn memory_does_not_grow_with_the_result() -> Result<()> {
    let database = Database::empty().await?;
    // About 600 MB as rows, far less in the table and on the way.
    database.run("CREATE VIEW t AS SELECT number AS c, repeat('x', 300) AS s FROM numbers(2000000)").await?;
    let connector = open(&database, User::Reader)?;
    let request = request(table(&database, "t"), &["c", "s"], ("c", CursorKind::Int), &[]);
    let mut batches = connector.read(request);
    let (mut rows, mut first, mut most) = (0, 0, 0);
    while let Some(batch) = batches.next().await {
        rows += batch?.rows();
        if rows == 100_000 {
            first = resident()?;
        }
        most = most.max(if rows % 50_000 == 0 { resident()? } else { 0 });
    }
    assert_eq!(rows, 2_000_000);
    assert!(most < first + (48 << 20), "grew from {first} to {most} bytes");
    Ok(())
}
