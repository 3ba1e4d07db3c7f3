//! What is in the file, and each cell exactly as it is.

use connector::{CursorKind, ReadRequest, Type};

use crate::{File, mark, request, table, texts};

#[tokio::test]
async fn sqlite_discovers_what_a_person_made() {
    let mut file = File::new(
        "CREATE TABLE \"we\"\"ird; name\" (a);
         CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT, n INT);
         CREATE VIEW a AS SELECT * FROM b;
         CREATE VIEW broken AS SELECT * FROM gone;
         CREATE VIRTUAL TABLE words USING fts5(word);
         INSERT INTO b (n) VALUES (1), (2);",
    )
    .await;
    let names = |tables: &[connector::Table]| -> Vec<(String, bool)> {
        tables.iter().map(|table| (table.table.name.clone(), table.view)).collect()
    };
    let tables = file.source.discover().await.expect("tables");
    let wanted = [("a", true), ("b", false), ("broken", true), ("we\"ird; name", false), ("words", false)];
    assert_eq!(names(&tables), wanted.map(|(name, view)| (name.to_owned(), view)));
    assert!(tables.iter().all(|table| table.rows.is_none() && table.columns.is_empty()));
    file.run("CREATE INDEX i ON b (n); ANALYZE").await;
    let tables = file.source.discover().await.expect("tables");
    assert_eq!(tables[1].rows, Some(2));
}

#[tokio::test]
async fn sqlite_describes_columns_by_declaration_and_content() {
    let mut file = File::new(
        "CREATE TABLE t (
           id INTEGER PRIMARY KEY, n BIGINT NOT NULL, r REAL, d DECIMAL(38, 10), b BOOLEAN, day DATE, at DATETIME,
           zoned DATETIME, tz TIMESTAMP WITH TIME ZONE, epoch TIMESTAMP, j JSON, s VARCHAR(20), clock TIME, x BLOB,
           made INT GENERATED ALWAYS AS (n + 1));
         INSERT INTO t (n, day, at, zoned, epoch) VALUES (1, '2026-01-01', '2026-01-01 10:00:00',
           '2026-01-01T10:00:00Z', 1772000000);
         CREATE VIEW v AS SELECT id, day AS d, count(*) AS total FROM t;
         CREATE TABLE w (a TEXT, k INT, PRIMARY KEY (k, a)) WITHOUT ROWID;",
    )
    .await;
    let described = file.source.describe(&table("t")).await.expect("a table");
    let kinds: Vec<(&str, Type)> =
        described.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    let wanted = [
        ("id", Type::Int),
        ("n", Type::Int),
        ("r", Type::Float),
        ("d", Type::Decimal),
        ("b", Type::Bool),
        ("day", Type::Date),
        ("at", Type::Naive),
        ("zoned", Type::Zoned),
        ("tz", Type::Zoned),
        ("epoch", Type::Int),
        ("j", Type::Json),
        ("s", Type::Text),
        ("clock", Type::Other),
        ("x", Type::Other),
        ("made", Type::Int),
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(described.columns[3].native, "DECIMAL(38, 10)");
    let nullable = |name: &str| {
        described.columns.iter().find(|column| column.name == name).map(|column| column.nullable)
    };
    assert_eq!((nullable("id"), nullable("n"), nullable("s")), (Some(false), Some(false), Some(true)));
    assert!(described.columns[0].key && !described.columns[1].key);

    let view = file.source.describe(&table("v")).await.expect("a view");
    assert!(view.view && view.columns.iter().all(|column| column.nullable && !column.key));
    let kinds: Vec<Type> = view.columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds[..2], [Type::Int, Type::Date]);

    let without_rowid = file.source.describe(&table("w")).await.expect("a table");
    assert!(without_rowid.columns.iter().all(|column| column.key && !column.nullable));
    file.run("DROP TABLE w").await;
    assert!(file.source.describe(&table("w")).await.is_err());
}

#[tokio::test]
async fn sqlite_pitfall_14_one_cell_of_another_storage_never_ends_a_read() {
    let file = File::new(
        "CREATE TABLE t (c INTEGER, n INTEGER, d DECIMAL, f REAL, at DATETIME, j JSON, s TEXT, x);
         INSERT INTO t VALUES (1, 9223372036854775807, 0.1, 1.5, '2026-01-01 10:00:00.123456789', '{\"a\":null}', 'é', 7);
         INSERT INTO t VALUES (2, 'many', 'NaN', 'fast', 'soon', '{', x'00ff', x'beef');
         INSERT INTO t VALUES (3, 1.25, x'01', x'02', 42, 'null', CAST(x'61ff' AS TEXT), '');
         INSERT INTO t VALUES (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
         CREATE VIEW v AS SELECT c, CAST('12345678901234567890123456789012345678.10' AS TEXT) AS big FROM t;",
    )
    .await;
    let mut asked = request("t", CursorKind::Int, &["c", "n", "d", "f", "at", "j", "s", "x"]);
    asked.key.clear();
    let rows = file.rows(asked).await.expect("a read");
    assert_eq!(
        rows,
        [
            "1|9223372036854775807|0.1|1.5|2026-01-01 10:00:00.123456789|{\"a\":null}|é|7",
            "2|!many|!NaN|!fast|!soon|!{|!00ff|!beef",
            "3|!1.25|!01|!02|!42|null|!a\u{fffd}|",
            "4|~|~|~|~|~|~|~",
        ]
    );
    let big = file.rows(request("v", CursorKind::Int, &["c", "big"])).await.expect("a read");
    assert_eq!(big[0], "1|12345678901234567890123456789012345678.10");
}

#[tokio::test]
async fn sqlite_a_huge_cell_is_cut() {
    let file = File::new(
        "CREATE TABLE t (c INTEGER, k INTEGER, v TEXT);
         INSERT INTO t VALUES (1, 1, printf('%.*c', 20000000, 'x')), (1, 2, 'short'), (1, 3, zeroblob(20000000)),
           (1, 4, 'a' || char(0) || printf('%.*c', 2000, 'y')), (1, 5, printf('%.*c', 1000, 'z')),
           (1, 6, printf('%.*c', 1001, 'z'));",
    )
    .await;
    let asked = ReadRequest { cell_bytes: 1_000, ..request("t", CursorKind::Int, &["c", "k", "v"]) };
    let rows = file.rows(asked).await.expect("a read");
    assert_eq!(rows[0], format!("1|1|!{}", "x".repeat(1_000)));
    assert_eq!(rows[1], "1|2|short");
    assert_eq!(rows[2], format!("1|3|!{}", "00".repeat(500)));
    assert_eq!(rows[3], format!("1|4|!a\0{}", "y".repeat(998)));
    assert_eq!(rows[4], format!("1|5|{}", "z".repeat(1_000)));
    assert_eq!(rows[5], format!("1|6|!{}", "z".repeat(1_000)));
}

#[tokio::test]
async fn sqlite_pitfall_20_names_are_kept_exactly() {
    let name = "order \"by\"; --";
    let quoted = "\"order \"\"by\"\"; --\"";
    let mut file = File::new(&format!(
        "CREATE TABLE {quoted} ({quoted} INTEGER, \"select\" TEXT, \"Ünï\" TEXT); INSERT INTO {quoted} VALUES (1, 'a', 'b')"
    ))
    .await;
    let asked = request(name, CursorKind::Int, &[name, "select", "Ünï"]);
    assert_eq!(file.rows(asked.clone()).await.expect("a read"), ["1|a|b"]);
    let preview = file.source.preview(&table(name), &asked.columns, 10).await.expect("a preview");
    assert_eq!(texts(&[preview]), ["1|a|b"]);
    // A quoted name of no column would be a text to SQLite.
    let gone = request(name, CursorKind::Int, &[name, "SELECT"]);
    assert_eq!(file.rows(gone).await.expect_err("no such column").kind(), connector::ErrorKind::Schema);
    file.run(&format!("ALTER TABLE {quoted} RENAME COLUMN \"select\" TO other")).await;
    assert_eq!(file.rows(asked).await.expect_err("no such column").kind(), connector::ErrorKind::Schema);
}

#[tokio::test]
async fn sqlite_views_and_tables_without_rowid_are_read() {
    let mut file = File::new(
        "CREATE TABLE t (k TEXT, c INT, v NUMERIC, PRIMARY KEY (k)) WITHOUT ROWID;
         INSERT INTO t VALUES ('a', 3, 1.5), ('b', 1, 2), ('c', 2, 1e30);
         CREATE VIEW v AS SELECT c, k, sum(v) AS v FROM t GROUP BY c, k;",
    )
    .await;
    file.run("PRAGMA user_version = 1").await;
    let wanted = ["1|b|2", "2|c|1000000000000000000000000000000", "3|a|1.5"];
    for name in ["t", "v"] {
        let asked = ReadRequest { batch_rows: 2, ..request(name, CursorKind::Int, &["c", "k", "v"]) };
        assert_eq!(file.rows(asked.clone()).await.expect("a read"), wanted, "{name}");
        let until = ReadRequest { until: Some(mark(CursorKind::Int, "2")), ..asked };
        assert_eq!(file.rows(until).await.expect("a read"), wanted[..2], "{name}");
    }
}
