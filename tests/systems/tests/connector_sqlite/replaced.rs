//! Files that change under a read in ways no SQLite writer changes them: replaced, overwritten, cut.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use connector::{Batch, CursorKind, ErrorKind, ReadRequest, Result};
use futures::StreamExt;

use crate::{File, request};

const ROWS: usize = 20_000;

/// A table so large that neither SQLite nor the first page of a read holds all of it.
async fn filled(rows: usize) -> File {
    File::new(&format!(
        "CREATE TABLE t (c INTEGER PRIMARY KEY, v TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO t SELECT i, printf('%0400d', i) FROM n;"
    ))
    .await
}

/// Reads the first page, lets something happen to the file, and reads on: the rows, or what the read ended in.
async fn read_across(file: &File, happens: impl FnOnce(&Path)) -> Result<usize> {
    let asked = ReadRequest { batch_rows: 1_000, ..request("t", CursorKind::Int, &["c", "v"]) };
    let mut batches = file.source.read(asked);
    let mut rows = batches.next().await.expect("a first page")?.rows();
    assert!(rows < ROWS / 2, "the first page is not the whole");
    happens(&file.path);
    while let Some(batch) = batches.next().await {
        rows += batch.as_ref().map(Batch::rows).map_err(Clone::clone)?;
    }
    Ok(rows)
}

fn overwrite(path: &Path, from: u64) {
    let size = std::fs::metadata(path).expect("the file").len();
    let mut file = std::fs::OpenOptions::new().write(true).open(path).expect("the file can be written");
    file.seek(SeekFrom::Start(from)).expect("a place in the file");
    file.write_all(&vec![0xA5; usize::try_from(size - from).expect("a small file")]).expect("written");
}

#[tokio::test]
async fn pitfall_16_a_file_spoilt_in_mid_read_is_an_error() {
    for cut in [false, true] {
        let file = filled(ROWS).await;
        let size = std::fs::metadata(&file.path).expect("the file").len();
        let outcome = read_across(&file, |path| match cut {
            true => {
                let file = std::fs::OpenOptions::new().write(true).open(path).expect("the file");
                file.set_len(size / 2 / 4096 * 4096).expect("cut");
            }
            false => overwrite(path, size / 2 / 4096 * 4096),
        })
        .await;
        let error = outcome.expect_err("half a file is no whole one");
        assert!(matches!(error.kind(), ErrorKind::Schema | ErrorKind::Unavailable), "cut {cut}: {error:?}");
    }
}

#[tokio::test]
async fn pitfall_16_a_file_replaced_in_mid_read_is_read_whole() {
    let file = filled(ROWS).await;
    let other = filled(10).await;
    let rows = read_across(&file, |path| {
        let beside = path.with_extension("new");
        std::fs::copy(&other.path, &beside).expect("a copy");
        std::fs::rename(&beside, path).expect("renamed");
    })
    .await;
    assert_eq!(rows.expect("the file that was opened is still there"), ROWS);
    let next = file.rows(request("t", CursorKind::Int, &["c", "v"])).await.expect("the new file");
    assert_eq!(next.len(), 10, "the next read opens the new one");
}

#[tokio::test]
async fn pitfall_16_a_file_overwritten_by_another_is_an_error() {
    // SQLite numbers both schemas alike, and finds an empty table where the other one was.
    for other in [
        "CREATE TABLE elsewhere (c INTEGER)",
        "CREATE TABLE elsewhere (c INTEGER PRIMARY KEY, v TEXT); INSERT INTO elsewhere VALUES (1, 'x'), (15000, 'y')",
    ] {
        let file = filled(ROWS).await;
        let content = std::fs::read(&File::new(other).await.path).expect("the other file");
        let outcome = read_across(&file, |path| std::fs::write(path, content).expect("overwritten")).await;
        let error = outcome.expect_err("the table is gone");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.message().contains("overwritten"), "{error}");
    }
}
