//! A result is whole or an error: chunks followed, rows counted, nothing cut silently.

use anyhow::Result;
use connector::{Batch, ErrorKind, ReadRequest, Retry};
use systems::databricks::{Call, Fault};

use crate::opening::{filled, from, numbers, open, outcome, read, refused, request};

#[tokio::test]
async fn pitfall_17_every_chunk_of_an_inline_result_is_read() -> Result<()> {
    let (server, table) = filled(1_000).await?;
    server.chunk_rows(64);
    assert_eq!(read(&*open(&server)?, &request(&table)).await?, numbers(0..1_000));
    assert_eq!((server.count(Call::Submit), server.count(Call::Chunk), server.count(Call::Link)), (1, 15, 0));
    Ok(())
}

#[tokio::test]
async fn pitfall_17_a_row_total_that_lies_is_an_error() -> Result<()> {
    for rows in [100, 12_000] {
        for fault in [
            Fault::RowTotal(1),
            Fault::RowTotal(-1),
            Fault::ChunkRows(1),
            Fault::ChunkRows(-1),
            Fault::ChunkOffset(1),
        ] {
            let (server, table) = filled(rows).await?;
            let connector = open(&server)?;
            if rows > 10_000 {
                server.fault(Fault::RowTotal(0)); // the inline look before
                if !matches!(fault, Fault::RowTotal(_)) {
                    server.fault(Fault::ChunkRows(0));
                    server.fault(Fault::ChunkOffset(0));
                }
            }
            server.fault(fault.clone());
            let (_, error) = refused(&*connector, &request(&table)).await;
            assert_eq!(
                (error.kind(), error.retry()),
                (ErrorKind::Unavailable, Retry::Later(None)),
                "{fault:?}"
            );
            assert!(error.message().contains("not whole"), "{fault:?}: {error:?}");
            assert_eq!(read(&*connector, &request(&table)).await?.len() as i64, rows, "the next run heals");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_17_a_truncated_result_is_an_error() -> Result<()> {
    let (server, table) = filled(10).await?;
    server.fault(Fault::Truncated);
    let (rows, error) = refused(&*open(&server)?, &request(&table)).await;
    assert_eq!((rows, error.kind()), (0, ErrorKind::Protocol), "{error:?}");
    assert!(error.message().contains("cut") && error.action().is_some(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn exactly_as_many_rows_as_are_sent_inline_are_all_there_are() -> Result<()> {
    let most = connector::databricks::INLINE_ROWS as i64;
    for rows in [most - 1, most, most + 1] {
        let (server, table) = filled(rows).await?;
        assert_eq!(read(&*open(&server)?, &request(&table)).await?, numbers(0..rows));
        assert_eq!(server.count(Call::Submit), if rows < most { 1 } else { 2 }, "{rows}");
    }
    Ok(())
}

#[tokio::test]
async fn a_result_that_is_gone_is_an_error_that_passes() -> Result<()> {
    let (server, table) = filled(1_000).await?;
    server.chunk_rows(100);
    let connector = open(&server)?;
    server.fault(Fault::Gone);
    let (rows, error) = refused(&*connector, &request(&table)).await;
    assert!(rows < 1_000);
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..1_000));
    Ok(())
}

#[tokio::test]
async fn batches_keep_to_their_rows_across_chunks() -> Result<()> {
    for rows in [5_000, 13_000] {
        let (server, table) = filled(rows).await?;
        server.chunk_rows(701);
        let asked = ReadRequest { batch_rows: 333, ..request(&table) };
        let (batches, error) = outcome(&*open(&server)?, &asked).await;
        assert_eq!(error, None);
        let sizes: Vec<usize> = batches.iter().map(Batch::rows).collect();
        assert_eq!(sizes.iter().sum::<usize>() as i64, rows);
        assert!(sizes[..sizes.len() - 1].iter().all(|size| *size == 333), "{sizes:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_read_resumes_in_the_middle_of_a_large_result() -> Result<()> {
    let (server, table) = filled(25_000).await?;
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &from(&request(&table), 12_500)).await?, numbers(12_500..25_000));
    Ok(())
}
