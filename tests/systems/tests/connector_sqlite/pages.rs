//! Reading in pages: nothing is lost or read twice, whatever the ties, the table and its writer.

use connector::{CursorKind, NullCursors, ReadRequest};
use futures::StreamExt;

use crate::{File, from, mark, request, texts};

/// Rows 1..=n whose cursor is `id / ties`.
fn filled(table: &str, ties: u32, rows: u32) -> String {
    format!(
        "CREATE TABLE {table};
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1)
         INSERT INTO t SELECT i / {ties}, (i * 7919) % {rows}, i FROM n;"
    )
}

async fn sorted(file: &mut File, name: &str) -> Vec<String> {
    let sql = format!("SELECT c || '|' || k || '|' || v FROM {name} ORDER BY c, k");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut file.owner).await.expect("rows")
}

fn paged(name: &str, batch_rows: usize) -> ReadRequest {
    ReadRequest { batch_rows, ..request(name, CursorKind::Int, &["c", "k", "v"]) }
}

#[tokio::test]
async fn sqlite_pitfall_02_ties_longer_than_a_page() {
    for (made, ties) in [
        ("t (c INTEGER, k INTEGER, v INTEGER)", 300),
        ("t (c INTEGER, k INTEGER, v INTEGER)", 1_000),
        ("t (c INTEGER, k INTEGER, v INTEGER)", 1),
        ("t (c INTEGER, k INTEGER PRIMARY KEY, v INTEGER)", 300),
        ("t (c INTEGER, k INTEGER, v INTEGER, PRIMARY KEY (c, k)) WITHOUT ROWID", 300),
    ] {
        let mut file = File::new(&filled(made, ties, 1_000)).await;
        let wanted = sorted(&mut file, "t").await;
        for rows in [1, 7, 100, 999, 1_000, 5_000] {
            let batches = file.batches(paged("t", rows)).await.expect("a whole read");
            assert!(batches.iter().all(|batch| (1..=rows).contains(&batch.rows())), "{made} {rows}");
            assert_eq!(texts(&batches), wanted, "{made} {ties} ties, pages of {rows}");
        }
    }
}

#[tokio::test]
async fn sqlite_pitfall_02_ties_of_a_view_and_without_a_key() {
    let mut file = File::new(&filled("t (c INTEGER, k INTEGER, v INTEGER)", 300, 1_000)).await;
    file.run("CREATE VIEW w AS SELECT c, k, v FROM t; CREATE VIEW doubled AS SELECT c, 1 AS k, v FROM t")
        .await;
    let wanted = sorted(&mut file, "t").await;
    for name in ["w", "doubled", "t"] {
        for rows in [1, 7, 300, 5_000] {
            let mut asked = paged(name, rows);
            if name != "w" {
                asked.key.clear();
            }
            let batches = file.batches(asked.clone()).await.expect("a whole read");
            assert!(batches.iter().all(|batch| batch.rows() <= rows));
            let given = texts(&batches);
            assert_eq!(given.len(), 1_000, "{name} in pages of {rows}");
            if name == "w" {
                assert_eq!(given, wanted);
            }
            asked.key = vec!["k".to_owned()];
            assert_eq!(file.rows(asked).await.expect("a read").len(), 1_000, "{name} by its key");
        }
    }
}

#[tokio::test]
async fn sqlite_a_column_called_rowid_is_a_column() {
    for names in ["rowid", "rowid, oid", "rowid, oid, _rowid_"] {
        let mut file = File::new(&format!("CREATE TABLE t (c INTEGER, k INTEGER, v INTEGER, {names})")).await;
        file.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49) INSERT INTO t (c, k, v) SELECT 1, i / 10, i FROM n")
            .await;
        for rows in [1, 7, 10] {
            assert_eq!(
                file.rows(paged("t", rows)).await.expect("a read").len(),
                50,
                "{names}, pages of {rows}"
            );
        }
    }
}

#[tokio::test]
async fn sqlite_rows_with_equal_keys_are_all_read() {
    let mut file = File::new("CREATE TABLE t (c INTEGER, k, v INTEGER)").await;
    file.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO t SELECT 1, iif(i % 3, NULL, i % 2), i FROM n")
        .await;
    for rows in [1, 2, 10] {
        let mut seen = file.rows(paged("t", rows)).await.expect("a read");
        assert_eq!(seen.len(), 100);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 100, "pages of {rows}");
    }
}

#[tokio::test]
async fn sqlite_the_order_is_by_bytes_whatever_the_collation() {
    let mut file = File::new("CREATE TABLE t (c INTEGER, k TEXT COLLATE NOCASE, v INTEGER)").await;
    file.run("INSERT INTO t VALUES (1, 'b', 1), (1, 'a', 2), (1, 'B', 3), (1, 'A', 4), (1, 'a', 5)").await;
    file.run("CREATE VIEW w AS SELECT c, k, v FROM t").await;
    for name in ["t", "w"] {
        for rows in [1, 2, 3, 10] {
            let given = file.rows(paged(name, rows)).await.expect("a read");
            assert_eq!(given, ["1|A|4", "1|B|3", "1|a|2", "1|a|5", "1|b|1"], "{name} in pages of {rows}");
        }
        let resumed = ReadRequest { from: from(CursorKind::Int, "1", &["B"]), ..paged(name, 2) };
        assert_eq!(file.rows(resumed).await.expect("a read").len(), 4, "{name}");
    }
}

#[tokio::test]
async fn sqlite_pitfall_01_bounds_are_closed() {
    let mut file = File::new(&filled("t (c INTEGER, k INTEGER, v INTEGER)", 10, 100)).await;
    let int = CursorKind::Int;
    let all = sorted(&mut file, "t").await;
    let between = ReadRequest { from: from(int, "3", &[]), until: Some(mark(int, "5")), ..paged("t", 7) };
    assert_eq!(file.rows(between).await.expect("a read"), all[30..60]);
    let place = all[34].split('|').nth(1).expect("a key").to_owned();
    let resumed = ReadRequest { from: from(int, "3", &[&place]), ..paged("t", 4) };
    assert_eq!(file.rows(resumed).await.expect("a read"), all[34..], "from that very row on");
    let beyond = ReadRequest { from: from(int, "99999999999999999999", &[]), ..paged("t", 4) };
    assert!(file.rows(beyond).await.expect("a read").is_empty());
}

#[tokio::test]
async fn sqlite_a_read_resumes_at_keys_of_any_storage() {
    let mut file = File::new(
        "CREATE TABLE t (c INTEGER, k, v INTEGER);
         INSERT INTO t VALUES (1, 5, 0), (1, 10, 1), (1, 5.5, 2), (1, '10', 3), (1, 'b', 4), (2, 'a', 5);
         CREATE TABLE d (c INTEGER, k DATETIME, v INTEGER);
         INSERT INTO d VALUES (1, '2026-01-01 00:00:00Z', 0), (1, '2026-01-02 00:00:00Z', 1), (1, '2026-01-03 00:00:00Z', 2)",
    )
    .await;
    let values = |rows: Vec<String>| {
        rows.iter().map(|row| row.split('|').nth(2).expect("v").to_owned()).collect::<String>()
    };
    for (key, wanted) in [("5", "021345"), ("5.5", "21345"), ("b", "45"), ("gone", "021345")] {
        let asked = ReadRequest { from: from(CursorKind::Int, "1", &[key]), ..paged("t", 2) };
        assert_eq!(values(file.rows(asked).await.expect("a read")), wanted, "{key}");
    }
    let asked = ReadRequest { from: from(CursorKind::Int, "1", &["2026-01-02T00:00:00Z"]), ..paged("d", 2) };
    assert_eq!(values(file.rows(asked).await.expect("a read")), "12");
    file.run("CREATE VIEW w AS SELECT c, k, v FROM d").await;
    let asked = ReadRequest { from: from(CursorKind::Int, "1", &["2026-01-02T00:00:00Z"]), ..paged("w", 2) };
    assert_eq!(values(file.rows(asked).await.expect("a read")), "12");
}

#[tokio::test]
async fn sqlite_pitfall_11_rows_without_a_cursor_come_first_when_asked() {
    let mut file = File::new(&filled("t (c INTEGER, k INTEGER, v INTEGER)", 10, 40)).await;
    file.run("UPDATE t SET c = NULL WHERE v < 20").await;
    for rows in [1, 7, 20, 50] {
        let skipped = file.rows(paged("t", rows)).await.expect("a read");
        assert_eq!(skipped.len(), 20);
        let asked = ReadRequest {
            nulls: NullCursors::First,
            from: from(CursorKind::Int, "3", &[]),
            ..paged("t", rows)
        };
        let given = file.rows(asked).await.expect("a read");
        assert_eq!(given.len(), 30);
        assert!(given[..20].iter().all(|row| row.starts_with("~|")));
        let keys: Vec<i64> = given[..20]
            .iter()
            .map(|row| row.split('|').nth(1).expect("k").parse().expect("a number"))
            .collect();
        assert!(keys.is_sorted());
    }
}

#[tokio::test]
async fn sqlite_a_writer_goes_on_while_a_read_waits() {
    for mode in ["WAL", "DELETE"] {
        let mut file = File::new(&filled("t (c INTEGER, k INTEGER, v INTEGER)", 1, 100)).await;
        file.run(&format!("PRAGMA journal_mode = {mode}; PRAGMA busy_timeout = 0")).await;
        let mut batches = file.source.read(paged("t", 10));
        let first = batches.next().await.expect("a batch").expect("rows");
        assert_eq!(first.rows(), 10);
        // No lock is held between two pages: the owner commits, and what lies past the bound waits for the next read.
        let mut rows = 10;
        let mut next = 100;
        loop {
            for _ in 0..20 {
                file.run(&format!("INSERT INTO t VALUES ({next}, {next}, {next})")).await;
                next += 1;
            }
            file.run("DELETE FROM t WHERE c IN (9, 19, 29)").await;
            let Some(batch) = batches.next().await else { break };
            rows += batch.expect("rows").rows();
        }
        assert_eq!(
            rows, 98,
            "{mode}: two of the deleted rows were not read yet, and none but they is missing"
        );
    }
}

#[tokio::test]
async fn sqlite_batches_keep_to_their_bytes() {
    let mut file = File::new("CREATE TABLE t (c INTEGER, k INTEGER, v TEXT)").await;
    file.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) INSERT INTO t SELECT 1, i, printf('%.*c', 1000, 'x') FROM n")
        .await;
    for name in ["t", "w"] {
        if name == "w" {
            file.run("CREATE VIEW w AS SELECT * FROM t").await;
        }
        let batches =
            file.batches(ReadRequest { batch_bytes: 10_000, ..paged(name, 1_000) }).await.expect("a read");
        assert_eq!(texts(&batches).len(), 200);
        assert!(
            batches.len() >= 18 && batches.iter().all(|batch| batch.bytes() < 12_000),
            "{}",
            batches.len()
        );
    }
}

#[tokio::test]
async fn what_a_read_costs_is_counted_by_the_page() {
    let file = File::new(
        "CREATE TABLE t (c INTEGER NOT NULL, id INTEGER PRIMARY KEY); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) INSERT INTO t SELECT i, i FROM n",
    )
    .await;
    let asked = ReadRequest { batch_rows: 100, ..request("t", CursorKind::Int, &["c", "id"]) };
    assert_eq!(file.rows(asked.clone()).await.expect("rows").len(), 250);
    let spent = asked.cost.take();
    assert!(spent.statements == 3 && spent.micros > 0, "{spent:?}");
}
