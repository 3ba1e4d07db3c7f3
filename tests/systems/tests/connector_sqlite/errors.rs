//! Every failure is of a closed kind and says what to do.

use std::sync::Arc;
use std::time::Duration;

use connector::guard::Policy;
use connector::{Connector, CursorKind, ErrorKind, ReadRequest};
use futures::StreamExt;

use crate::{File, request, source, table};

/// A view that holds its table's lock for ever.
const ENDLESS: &str = "CREATE TABLE t (c INTEGER, k INTEGER); INSERT INTO t VALUES (1, 1);
    CREATE VIEW endless AS WITH RECURSIVE n(c, k) AS (SELECT c, k FROM t UNION ALL SELECT c, k + 1 FROM n)
      SELECT CAST(c AS INTEGER) AS c, k FROM n WHERE k < 0";

#[tokio::test]
async fn sqlite_a_configuration_is_checked_without_opening() {
    for (config, part) in [
        (serde_json::json!({ "path": "usage.db" }), "path"),
        (serde_json::json!({ "path": "" }), "path"),
        (serde_json::json!({ "path": "/x.db", "mode": "rwc" }), "mode"),
        (serde_json::json!({}), "path"),
    ] {
        let error = connector::kinds::validate("sqlite", &config).expect_err("a wrong configuration");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(part), "{error}");
    }
    let config = serde_json::json!({ "path": "/nowhere/x.db" });
    connector::kinds::validate("sqlite", &config).expect("a right configuration");
    let source =
        connector::kinds::open("sqlite", &config, None, &Policy::default()).expect("opened without looking");
    assert_eq!(source.clock().await.expect_err("outside of every folder").kind(), ErrorKind::Config);
}

#[tokio::test]
async fn sqlite_a_file_is_never_made_or_changed() {
    let file = File::new("CREATE TABLE t (c INTEGER, k INTEGER)").await;
    let missing = file.folder.path().join("missing.db");
    let error = source(&file.folder, &missing).discover().await.expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!missing.exists());

    let text = file.folder.path().join("notes.db");
    std::fs::write(
        &text,
        "not a database, but long enough to have a header of its own, and then some more of it.",
    )
    .expect("a file");
    let check = source(&file.folder, &text).check(None, None).await;
    let error = check.steps[0].error.as_ref().expect("no database");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("not a SQLite database"), "{error}");

    let folder = source(&file.folder, file.folder.path()).discover().await.expect_err("a folder");
    assert_eq!(folder.kind(), ErrorKind::Config);
    let outside = tempfile::TempDir::new().expect("another folder");
    let error = source(&outside, &file.path).discover().await.expect_err("outside");
    assert_eq!(error.kind(), ErrorKind::Config);
    let link = outside.path().join("link.db");
    std::os::unix::fs::symlink(&file.path, &link).expect("a link");
    assert_eq!(source(&outside, &link).discover().await.expect_err("a way out").kind(), ErrorKind::Config);
    assert_eq!(std::fs::read_dir(file.folder.path()).expect("a folder").count(), 2);
}

#[tokio::test]
async fn sqlite_text_in_utf_16_is_refused() {
    let file = File::new("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (c INTEGER)").await;
    let error = file.source.discover().await.expect_err("UTF-16");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.action().is_some());
}

#[tokio::test]
async fn sqlite_what_is_missing_is_named() {
    let mut file =
        File::new("CREATE TABLE t (c INTEGER, k INTEGER); CREATE VIEW v AS SELECT c, k FROM t").await;
    file.run("PRAGMA writable_schema = ON; DROP VIEW v; CREATE VIEW v AS SELECT c, gone AS k FROM t").await;
    let int = CursorKind::Int;
    for (name, columns, kind) in [
        ("gone", ["c", "k"], ErrorKind::NotFound),
        ("T", ["c", "k"], ErrorKind::NotFound),
        ("t", ["c", "gone"], ErrorKind::Schema),
        ("t", ["C", "k"], ErrorKind::Schema),
        ("v", ["c", "k"], ErrorKind::Schema),
        ("sqlite_schema", ["c", "k"], ErrorKind::Schema),
    ] {
        let error = file.rows(request(name, int, &columns)).await.expect_err(name);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(name) || error.message().contains(columns[1]), "{error}");
        assert!(error.action().is_some(), "{error}");
    }
    let check = file.source.check(Some(&table("v")), None).await;
    assert_eq!(check.steps.last().map(|step| step.name), Some("find table"));
    assert!(!check.passed());
}

#[tokio::test]
async fn sqlite_a_check_names_its_steps() {
    let file = File::new(
        "CREATE TABLE t (c DATETIME, k INTEGER);
         INSERT INTO t VALUES ('2026-01-01 00:00:00', 1), ('2026-01-02 00:00:00', 2), (NULL, 3)",
    )
    .await;
    let check = file.source.check(Some(&table("t")), Some("c")).await;
    assert!(check.passed(), "{:?}", check.steps);
    let names: Vec<&str> = check.steps.iter().map(|step| step.name).collect();
    assert_eq!(names, ["open file", "find table", "read table", "read cursor column"]);
    let note = check.steps[3].note.as_deref().expect("a note");
    assert_eq!(note, "from 2026-01-01 00:00:00 to 2026-01-02 00:00:00, 1 rows without a value");
    let now = file.source.clock().await.expect("a time");
    assert!(now.seconds > 1_700_000_000);
}

#[tokio::test]
async fn sqlite_a_locked_file_can_be_tried_again() {
    let mut file = File::new("CREATE TABLE t (c INTEGER, k INTEGER)").await;
    file.run("BEGIN EXCLUSIVE").await;
    let error = file.rows(request("t", CursorKind::Int, &["c", "k"])).await.expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(matches!(error.retry(), connector::Retry::Later(None)));
    file.run("COMMIT").await;
    assert!(file.rows(request("t", CursorKind::Int, &["c", "k"])).await.is_ok());
}

#[tokio::test]
async fn sqlite_a_long_statement_ends_in_time() {
    let mut file = File::new(ENDLESS).await;
    let statement_timeout = Duration::from_millis(300);
    let policy =
        Policy { folders: vec![file.folder.path().to_owned()], statement_timeout, ..Policy::default() };
    let config = serde_json::json!({ "path": file.path });
    let source: Arc<dyn Connector> =
        connector::kinds::open("sqlite", &config, None, &policy).expect("a source");
    let asked = ReadRequest { key: vec!["k".to_owned()], ..request("endless", CursorKind::Int, &["c", "k"]) };
    let error = source.read(asked).next().await.expect("an end").expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    // The statement behind it was interrupted: its lock is gone.
    file.run("PRAGMA busy_timeout = 3000; INSERT INTO t VALUES (2, 2)").await;
}

#[tokio::test]
async fn sqlite_dropping_a_read_interrupts_its_statement() {
    let mut file = File::new(ENDLESS).await;
    let asked = request("endless", CursorKind::Int, &["c", "k"]);
    let mut rows = file.source.read(asked);
    let waited = tokio::time::timeout(Duration::from_millis(300), rows.next()).await;
    assert!(waited.is_err(), "the view has no end");
    drop(rows);
    file.run("PRAGMA busy_timeout = 3000; INSERT INTO t VALUES (2, 2)").await;
}

#[tokio::test]
async fn sqlite_a_replaced_file_is_read_as_it_is_now() {
    let file = File::new("CREATE TABLE t (c INTEGER, k INTEGER); INSERT INTO t VALUES (1, 1)").await;
    let asked = request("t", CursorKind::Int, &["c", "k"]);
    assert_eq!(file.rows(asked.clone()).await.expect("a read"), ["1|1"]);
    let other = File::new("CREATE TABLE t (c INTEGER, k INTEGER); INSERT INTO t VALUES (2, 2)").await;
    std::fs::rename(&other.path, &file.path).expect("replaced");
    assert_eq!(file.rows(asked).await.expect("a read"), ["2|2"]);
}
