//! Results in partitions: all of them, in order, ahead of need and in bounded memory, again where they broke off.

use anyhow::Result;
use connector::{CursorKind, ErrorKind};
use futures::StreamExt;
use systems::snowflake::{Call, Column, Fault, Type, Value};

use crate::home::{Home, column, counting, read, request, whole};

#[tokio::test]
async fn pitfall_18_all_partitions_are_read_in_order() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10_000).await?;
    let connector = home.open()?;
    for (size, partitions) in [(700, 15), (1, 0), (10_000, 1), (9_999, 2)] {
        if size == 1 {
            continue;
        }
        home.server.fault(Fault::RowsPerPartition(size));
        let before = home.calls(Call::Partition).len();
        for batch_rows in [333, 1_000, 20_000] {
            let mut asked = counting(table.clone());
            asked.batch_rows = batch_rows;
            let batches = read(&*connector, &asked).await?;
            whole(&batches, 0..10_000);
            // A partition's end is no batch's end.
            assert_eq!(batches.len(), 10_000_usize.div_ceil(batch_rows), "{size} {batch_rows}");
        }
        assert_eq!(home.calls(Call::Partition).len() - before, 3 * (partitions - 1), "{size}");
    }
    Ok(())
}

#[tokio::test]
async fn partitions_are_asked_for_two_ahead_and_no_more() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(20_000).await?;
    home.server.fault(Fault::RowsPerPartition(1_000));
    let connector = home.open()?;
    let mut rows = connector.read(counting(table));
    let first = rows.next().await.expect("a batch")?;
    assert_eq!(first.rows(), 1_000);
    home.heard(Call::Partition, 2).await?;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let asked: Vec<_> =
        home.calls(Call::Partition).iter().filter_map(|it| it.query.get("partition").cloned()).collect();
    assert!(asked.len() <= 3, "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn a_partition_that_breaks_off_is_read_on_where_it_stood() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(30_000).await?;
    home.server.fault(Fault::RowsPerPartition(10_000));
    let connector = home.open()?;
    for fault in [
        Fault::Cut { on: Call::Partition },
        Fault::Half { on: Call::Partition },
        Fault::Lost { on: Call::Partition, status: 500 },
        Fault::status(Call::Partition, 504, "", ""),
        Fault::rate_limit(Call::Partition, Some(1)),
        Fault::Lost { on: Call::Partition, status: 200 },
    ] {
        let before = home.statements().len();
        home.server.fault(fault.clone());
        let mut asked = counting(table.clone());
        asked.batch_rows = 777;
        whole(
            &read(&*connector, &asked).await.map_err(|error| anyhow::anyhow!("{fault:?}: {error:?}"))?,
            0..30_000,
        );
        let read = home.statements().split_off(before);
        assert!(read.iter().filter(|sql| sql.starts_with("SELECT")).count() == 1, "{fault:?}: {read:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_result_that_is_gone_is_read_on_behind_its_last_row() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(30_000).await?;
    home.server.fault(Fault::RowsPerPartition(2_000));
    let connector = home.open()?;
    let mut rows = connector.read(counting(table.clone()));
    let mut batches = vec![rows.next().await.expect("a batch")?];
    home.server.fault(Fault::Expired);
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    whole(&batches, 0..30_000);
    let reads = home.statements().into_iter().filter(|sql| sql.starts_with("SELECT"));
    assert_eq!(reads.count(), 2);
    // Without a key nothing names the last row: the scheduler begins again from what was stored.
    let mut asked = counting(table);
    asked.key.clear();
    let mut rows = connector.read(asked);
    rows.next().await.expect("a batch")?;
    home.server.fault(Fault::Expired);
    let error = loop {
        match rows.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("half a result was taken for whole"),
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.message().contains("no longer kept"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_result_that_is_gone_loses_no_row_that_shares_its_key_with_the_last() -> Result<()> {
    const ROWS: usize = 20_000;
    let home = Home::new().await?;
    // To the order, such rows are what keys are that a collation takes for equal.
    home.place.run("CREATE TABLE T (C NUMBER(38,0), K VARCHAR, V NUMBER(38,0))").await?;
    let number = |name: &str| Column::new(name, Type::Number(38, 0));
    let columns = vec![number("C"), Column::new("K", Type::TEXT), number("V")];
    let row =
        |row: usize| vec![Value::int(7), Value::text(format!("{:06}", row / 2)), Value::int(row as i128)];
    home.place.generate("T", columns, ROWS, &["C", "K"], row)?;
    home.server.fault(Fault::RowsPerPartition(2_000));
    let connector = home.open()?;
    let mut asked = request(home.table("T"), &["C", "K", "V"], ("C", CursorKind::Int), &["K"]);
    // Wherever the result is lost, an odd number of rows has come.
    asked.batch_rows = 1_001;
    let mut rows = connector.read(asked);
    let mut batches = vec![rows.next().await.expect("a batch")?];
    home.server.fault(Fault::Expired);
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    let wanted: Vec<String> = (0..ROWS).map(|row| format!("int {row}")).collect();
    assert!(column(&batches, "V") == wanted, "{} rows", column(&batches, "V").len());
    assert_eq!(home.statements().into_iter().filter(|sql| sql.starts_with("SELECT")).count(), 2);
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_total_that_lies_is_an_error_before_any_row() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(5_000).await?;
    home.server.fault(Fault::RowsPerPartition(1_000));
    let connector = home.open()?;
    connector.describe(&table).await?;
    for lie in [1, -1] {
        home.server.fault(Fault::WrongTotal(lie));
        let mut rows = connector.read(counting(table.clone()));
        let error = rows.next().await.expect("an end").expect_err("a lie");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.message().contains(&format!("{}", 5_000 + lie)), "{error}");
        drop(rows);
        whole(&read(&*connector, &counting(table.clone())).await?, 0..5_000);
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_partition_that_lacks_a_row_is_not_taken_for_whole() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(5_000).await?;
    home.server.fault(Fault::RowsPerPartition(1_000));
    let connector = home.open()?;
    connector.describe(&table).await?;
    for partition in [0, 1, 4] {
        let asked = counting(table.clone());
        home.server.fault(Fault::ShortPartition(partition));
        let error = read(&*connector, &asked).await.expect_err("a row is missing");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        // Which one is not known: going on behind the last row could leave it out for good.
        assert!(error.rows_may_be_missing(), "{error:?}");
        assert!(error.message().contains(&format!("partition {partition}")), "{error}");
        whole(&read(&*connector, &asked).await?, 0..5_000);
    }
    Ok(())
}
